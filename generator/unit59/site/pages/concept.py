"""A concept's page over all models, and the list of concepts."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.site.charts import concept_units_chart
from unit59.site.pages.concept_causes import concept_causes
from unit59.site.site import Entrance, Page, Site
from unit59.site.views import ConceptAgreement, ConceptView, ModelView, UnitView

#: A concept's table lists this many units that are not above the null, at most.
MOST_OTHERS = 40


@dataclass(frozen=True)
class InModel:
    """A concept in one model: how often it appears, and the unit that agrees best with it."""

    model: ModelView
    share: float
    presence: float
    unit: UnitView | None
    agreement: ConceptAgreement | None


def concepts_page(site: Site) -> Page:
    """`concepts/`: every concept, by plane, with the best unit that any model has for it."""
    rows = []
    for concept in site.concepts:
        places = in_models(site, concept)
        found = [(place.agreement.iou, place) for place in places if place.agreement and place.unit]
        best = max(found, key=lambda entry: entry[0])[1] if found else None
        rows.append({"concept": concept, "best": best, "models": len(places)})
    return Page(
        path="concepts",
        title="Concepts",
        description=f"The {len(site.concepts)} concepts that units were compared with.",
        template="concepts.html",
        nav=Entrance("Concepts", 3),
        context={"rows": rows},
    )


def concept_page(site: Site, concept: ConceptView) -> Page:
    """`concepts/<concept>/`: which units carry it."""
    labelled = [
        (layer, units)
        for layer in site.layers
        if (units := [unit for unit in layer.units if unit.concept == concept and unit.iou > 0])
    ]
    ranked = sorted(
        (unit for _, units in labelled for unit in units),
        key=lambda unit: (unit.verdict != "above", -unit.iou),
    )
    above = [unit for unit in ranked if unit.verdict == "above"]
    shown = ranked[: len(above) + MOST_OTHERS]
    return Page(
        path=concept.path,
        title=concept.label,
        description=f"{len(above)} units agree with {concept.label} better than chance.",
        template="concept.html",
        context={
            "concept": concept,
            "causes": concept_causes(site, concept),
            "places": in_models(site, concept),
            "above": above,
            "units": shown,
            "hidden": len(ranked) - len(shown),
            "chart": concept_units_chart(concept.label, concept.colour, labelled) if labelled else None,
            "layers": [layer for layer, _ in labelled],
        },
        keywords=concept.plane,
    )


def in_models(site: Site, concept: ConceptView) -> list[InModel]:
    """Every model whose segmenter knows the concept."""
    places = []
    for model in site.models:
        numbers = [number for number, view in model.concepts.items() if view == concept]
        if not numbers:
            continue
        share, presence = model.presence()[numbers[0]]
        unit, agreement = site.best_unit(model, concept) or (None, None)
        places.append(InModel(model, share, presence, unit, agreement))
    return places
