"""A model's page, and the list of models."""

from __future__ import annotations

from typing import Any

from unit59.site.charts import layers_chart
from unit59.site.heads import Head
from unit59.site.pages.studies import compared_card, studies_of
from unit59.site.quality import FAR, view_quality
from unit59.site.site import Entrance, Page, Site
from unit59.site.views import ModelView, UnitView, take_turns

#: Units that the page shows.
MOST_UNITS = 8


def models_page(site: Site) -> Page:
    """`models/`: every model as a card."""
    return Page(
        path="models",
        title="Models",
        description=f"The {len(site.models)} generators dissected here, layer by layer.",
        template="models.html",
        nav=Entrance("Models", 2),
        context={"compared": compared_card(site) if len(site.compared) > 1 else None},
    )


def model_page(site: Site, model: ModelView) -> Page:
    """`models/<model>/`: what it is and where its units are."""
    quality = view_quality(model)
    return Page(
        path=model.path,
        title=model.title,
        description=(
            f"{model.title}: {model.above_null} of {model.units} units in {len(model.layers)} layers agree "
            "with a concept better than chance."
        ),
        template="model.html",
        context={
            "model": model,
            "best": best_units(model),
            "chart": layers_chart(model) if model.layers else None,
            "quality": quality,
            "presence": quality.chart if quality else None,
            "far": FAR,
            "studies": studies_of(site, model),
            "network": network_rows(model),
            "run": single_facts(model.results.run),
            "steps": step_times(model.results.run),
            "step_heads": [Head("step", "what the run did"), Head("took", "on the clock")],
        },
        keywords=f"{model.record.family} {model.name}",
        files=[*model.files, *(quality.files if quality else [])],
    )


def best_units(model: ModelView) -> list[UnitView]:
    """The model's units with the largest IoU above the null, at most two a concept, planes in turn."""
    above = [unit for layer in model.layers for unit in layer.units if unit.verdict == "above"]
    above.sort(key=lambda unit: -unit.iou)
    taken: dict[str, int] = {}
    best = []
    for unit in above:
        slug = unit.concept.slug if unit.concept else ""
        taken[slug] = taken.get(slug, 0) + 1
        if taken[slug] <= 2:
            best.append(unit)
    return take_turns(best)[:MOST_UNITS]


def network_rows(model: ModelView) -> list[dict[str, Any]]:
    """The architecture table: every layer of the network, with the page of what was measured of it."""
    shown = {layer.name: (layer.path, "yes") for layer in model.layers}
    shown |= {each.name: (each.path, "effects alone") for each in model.handles}
    planned = dict.fromkeys(model.record.planned_layers, ("", "not yet"))
    found = []
    for entry in model.record.network:
        name = str(entry.get("name", ""))
        path, dissected = (planned | shown).get(name, ("", "no"))
        found.append(
            {
                "name": name,
                "units": entry.get("units", ""),
                "size": f"{entry.get('height', '?')} × {entry.get('width', '?')}",
                "place": str(entry.get("path", "")),
                "path": path,
                "dissected": dissected,
            }
        )
    return found


def single_facts(run: dict[str, Any]) -> list[tuple[str, str]]:
    """The single values of run.json as (words, text)."""
    return [
        (str(key).replace("_", " "), f"{value:.1f}" if isinstance(value, float) else str(value))
        for key, value in run.items()
        if isinstance(value, str | int | float)
    ]


def step_times(run: dict[str, Any]) -> list[tuple[str, str]]:
    """The run's steps and the seconds that each took."""
    steps = run.get("steps")
    if not isinstance(steps, dict):
        return []
    return [(str(name), f"{took:.1f} s") for name, took in steps.items() if isinstance(took, int | float)]
