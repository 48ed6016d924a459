"""A layer's page: what its units stand for, and the gallery of them."""

from __future__ import annotations

from unit59.site.charts import (
    count_concepts,
    iou_distribution,
    label_effects_chart,
    largest_effects_chart,
    units_per_concept,
)
from unit59.site.pages.effects import how_measured, ranking_words
from unit59.site.pages.unit_data import unit_tables
from unit59.site.site import Page, Site
from unit59.site.views import LayerView


def layer_page(site: Site, layer: LayerView) -> Page:
    """`models/<model>/<layer>/`."""
    siblings = layer.model.layers
    place = siblings.index(layer)
    units = layer.best_first()
    concepts = {unit.concept.slug: unit.concept for unit in units if unit.concept is not None}
    effects = layer.effects
    caused = {does.concept.slug: does.concept for unit in units if (does := unit.off) and does.concept}
    return Page(
        path=layer.path,
        title=f"{layer.name} · {layer.model.title}",
        description=(
            f"{layer.record.above_null} of the {layer.record.units} units of {layer.name} in "
            f"{layer.model.title} agree with a concept better than chance."
        ),
        template="layer.html",
        context={
            "layer": layer,
            "model": layer.model,
            "units": units,
            "counts": count_concepts(units),
            "concepts": sorted(concepts.values(), key=lambda view: (view.plane, view.label)),
            "effects": effects,
            "caused": sorted(caused.values(), key=lambda view: (view.plane, view.label)),
            "causing": sum(does.concept is not None for unit in units if (does := unit.off)),
            "largest": max((abs(does.value) for unit in units if (does := unit.off)), default=0.0),
            "effect_charts": [
                chart for chart in (label_effects_chart(effects), largest_effects_chart(effects)) if chart
            ]
            if effects
            else [],
            "ranking": ranking_words(effects.record) if effects else [],
            "measured": how_measured(effects.record, "ablate") if effects else "",
            "charts": [chart for chart in (units_per_concept(layer), iou_distribution(layer)) if chart],
            "previous": siblings[place - 1] if place else None,
            "next": siblings[place + 1] if place + 1 < len(siblings) else None,
        },
        keywords=layer.record.path,
        files=[*layer.files, *unit_tables(layer)],
    )
