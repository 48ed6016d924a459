"""What causes a concept: the units whose ablation takes it away, and which models can erase it at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from unit59.site.charts import Chart, ConceptInLayer, concept_effects_chart
from unit59.site.pages import sets
from unit59.site.pages.effects import effect_words
from unit59.site.pages.finding_words import answer as found_answer
from unit59.site.render import signed
from unit59.site.site import Site
from unit59.site.studies import Finding, SetStudy
from unit59.site.views import ConceptView, LayerView, ModelView, UnitView
from unit59.site.views.effects import Effect

#: Units in the table of those that cause the concept.
STRONGEST = 20


@dataclass(frozen=True)
class Cause:
    """A unit and what switching it off, and on, does to the concept."""

    unit: UnitView
    iou: float
    off: Effect
    on: Effect | None


@dataclass(frozen=True)
class Control:
    """Whether one model can lose, or get, the concept at all."""

    model: ModelView
    measured: int  # units
    erases: Cause | None  # the unit whose ablation makes it go most often; None where none ever does
    shown: int  # measured samples that show it
    inserts: Cause | None  # the unit whose insertion makes it come most often
    absent: int
    findings: list[tuple[Finding, str]]  # searches for its cause, with their answers
    sets: list[tuple[SetStudy, str]]


@dataclass(frozen=True)
class ConceptCauses:
    """What a concept's page says of its causes.

    Attributes:
        causes: units whose ablation takes it away, the largest loss first; the strongest only.
        found: how many there are in all.
        growing: units whose ablation makes it more.
        measured: units that were measured.
        best: the first cause in words.
        shown: the first cause whose strip of pictures is of this concept.
        pictures: what stands below each of these.
        controls: one a model that measured it or has a study of it.
        chart: agreement against effect.
        missing: layers without effects.
    """

    causes: list[Cause]
    found: int
    growing: int
    measured: int
    best: str
    shown: Cause | None
    pictures: list[str]
    controls: list[Control]
    chart: Chart | None
    missing: list[LayerView]


def concept_causes(site: Site, concept: ConceptView) -> ConceptCauses:
    """Gather a concept's effects over all layers of all models."""
    layers = [layer for layer in site.layers if concept in layer.model.concepts.values()]
    places = [_measured(layer, concept) for layer in layers]
    by_model = {model.path: _causes(places, model, concept) for model in site.models}
    everything = [cause for causes in by_model.values() for cause in causes]
    losing = sorted((each for each in everything if each.off.found and each.off.value < 0), key=_loss)
    best = losing[0].off if losing else None
    shown = next((each for each in losing if _has_strip(each, concept)), None)
    return ConceptCauses(
        causes=losing[:STRONGEST],
        found=len(losing),
        growing=sum(each.off.found and each.off.value > 0 for each in everything),
        measured=len(everything),
        best=effect_words(best) if best else "",
        shown=shown,
        pictures=[signed(value) for value in shown.unit.off.row.sample_effects or []]
        if shown and shown.unit.off
        else [],
        controls=[
            control
            for model in site.models
            if (control := _control(site, model, concept, by_model[model.path]))
        ],
        chart=concept_effects_chart(concept, places),
        missing=[layer for layer in layers if layer.effects is None],
    )


def control_of(site: Site, model: ModelView, concept: ConceptView) -> Control | None:
    """Whether one model can lose, or get, the concept; None where nothing was measured of it."""
    places = [_measured(layer, concept) for layer in model.layers]
    return _control(site, model, concept, _causes(places, model, concept))


def _measured(layer: LayerView, concept: ConceptView) -> ConceptInLayer:
    if layer.effects is None:
        return ConceptInLayer(layer, {}, {})
    numbers = [number for number, view in layer.model.concepts.items() if view == concept]
    rows = layer.results.agreement.filter(pl.col("concept").is_in(numbers), pl.col("iou").is_not_null())
    effects = layer.effects.on(concept)
    known = {number: each for number, each in effects.items() if number in layer.by_number}
    return ConceptInLayer(layer, dict(rows.select("unit", "iou").rows()), known)


def _causes(places: Sequence[ConceptInLayer], model: ModelView, concept: ConceptView) -> list[Cause]:
    found = []
    for place in places:
        if place.layer.model is not model or place.layer.effects is None:
            continue
        on = place.layer.effects.on(concept, "insert")
        found += [
            Cause(place.layer.by_number[number], place.ious.get(number, 0.0), off, on.get(number))
            for number, off in place.effects.items()
        ]
    return found


def _has_strip(cause: Cause, concept: ConceptView) -> bool:
    does = cause.unit.off
    return does is not None and does.concept == concept and bool(does.row.samples)


def _loss(cause: Cause) -> tuple[float, str, int]:
    return cause.off.value, cause.unit.layer.path, cause.unit.number


def _control(site: Site, model: ModelView, concept: ConceptView, causes: list[Cause]) -> Control | None:
    findings = [(each, found_answer(each)) for each in site.findings if _is_of(each, model, concept)]
    studies = [(each, sets.answer(each)) for each in site.set_studies if _is_of(each, model, concept)]
    if not causes and not findings and not studies:
        return None
    erasing = [each for each in causes if each.off.erasure and each.off.erasure.hits]
    inserting = [each for each in causes if each.on and each.on.insertion and each.on.insertion.hits]
    return Control(
        model,
        measured=len(causes),
        erases=max(erasing, key=_erasing, default=None),
        shown=max((each.off.row.shown or 0 for each in causes), default=0),
        inserts=max(inserting, key=_inserting, default=None),
        absent=max((each.off.row.absent or 0 for each in causes), default=0),
        findings=findings,
        sets=studies,
    )


def _is_of(study: Finding | SetStudy, model: ModelView, concept: ConceptView) -> bool:
    return study.model is model and study.concept == concept


def _erasing(cause: Cause) -> tuple[float, float]:
    return (cause.off.erasure.rate, -cause.off.value) if cause.off.erasure else (0.0, 0.0)


def _inserting(cause: Cause) -> tuple[float, float]:
    return (cause.on.insertion.rate, cause.on.value) if cause.on and cause.on.insertion else (0.0, 0.0)
