"""All models side by side: how many units agree with a concept, and what single units can erase."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.site.charts import models_chart
from unit59.site.pages.concept_causes import Control, control_of
from unit59.site.quality import QualityView, view_quality
from unit59.site.render import percent
from unit59.site.site import Page, Site
from unit59.site.studies import MODELS_COMPARED
from unit59.site.views import ConceptAgreement, ConceptView, ModelView, UnitView

QUESTION = "How many units of each model stand for a concept?"
#: With more models the answer names the first and the last.
MOST_NAMED = 4


@dataclass(frozen=True)
class ModelRow:
    """One model in the table of models."""

    model: ModelView
    best: UnitView | None  # above the null, with the largest IoU
    quality: QualityView | None
    measured: int  # units whose effects were measured
    layers: int  # layers with effects


@dataclass(frozen=True)
class ConceptCell:
    """One concept in one model; where the model's segmenter does not name it, there is no cell."""

    model: ModelView
    best: tuple[UnitView, ConceptAgreement] | None
    control: Control | None


def models_compared_page(site: Site) -> Page:
    """`studies/models-compared/`: the models beside each other."""
    models = site.compared
    shared = shared_concepts(site)
    return Page(
        path=MODELS_COMPARED,
        title=QUESTION,
        description=answer(site),
        template="models_compared.html",
        context={
            "models": models,
            "chart": models_chart(models),
            "rows": [_row(model) for model in models],
            "concepts": [(concept, [_cell(site, model, concept) for model in models]) for concept in shared],
            "segmenters": segmenters(models),
            "alone": len({view for model in models for view in model.concepts.values()}) - len(shared),
        },
        keywords=f"models compared {' '.join(model.title for model in models)}",
    )


def answer(site: Site) -> str:
    """Each model's units above the null, the largest share first; of many models the first and the last."""
    models = sorted(site.compared, key=lambda model: -model.above_null / model.units)
    if len(models) <= MOST_NAMED:
        *firsts, last = map(_share, models)
        return f"Above the null are {', '.join(firsts)} and {last}."
    return (
        f"Of {len(models)} models {models[0].title} has the largest share of units above the null and "
        f"{models[-1].title} the smallest: {_share(models[0])}, {_share(models[-1])}."
    )


def shared_concepts(site: Site) -> list[ConceptView]:
    """The concepts, by plane and label, that two models or more have."""
    having = [set(model.concepts.values()) for model in site.compared]
    return [concept for concept in site.concepts if sum(concept in each for each in having) > 1]


def segmenters(models: list[ModelView]) -> list[tuple[str, list[ModelView]]]:
    """Each segmenter, or set of segmenters, with the models that it was used on."""
    found: dict[str, list[ModelView]] = {}
    for model in models:
        found.setdefault(", ".join(model.record.segmenter.names), []).append(model)
    return list(found.items())


def _share(model: ModelView) -> str:
    share = percent(model.above_null / model.units)
    return f"{model.above_null} of {model.units} units of {model.title} ({share})"


def _row(model: ModelView) -> ModelRow:
    above = (unit for layer in model.layers for unit in layer.units if unit.verdict == "above")
    effects = [len(layer.effects.summaries.get("ablate", {})) for layer in model.layers if layer.effects]
    return ModelRow(
        model,
        best=max(above, key=lambda unit: unit.iou, default=None),
        quality=view_quality(model),
        measured=sum(effects),
        layers=sum(count > 0 for count in effects),
    )


def _cell(site: Site, model: ModelView, concept: ConceptView) -> ConceptCell | None:
    if concept not in model.concepts.values():
        return None
    return ConceptCell(model, site.best_unit(model, concept), control_of(site, model, concept))
