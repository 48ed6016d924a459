"""A claim beside what was measured: what was reported, and what the unit that it names does in this model."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.results.rows import AgreementRow, AloneRow, EffectRow, rows
from unit59.results.schema import Claim, Rate, StudyPicture
from unit59.site.charts import Chart, ConceptEffect, effects_chart
from unit59.site.studies import Finding
from unit59.site.views import UnitView
from unit59.site.views.effects import Effect, rate_of
from unit59.stats.first import EVIDENCE


@dataclass(frozen=True)
class NamedUnit:
    """The unit of this model that has the claim's layer and number.

    Attributes:
        unit: the unit.
        alone: its row of alone.parquet; None where its layer was not searched.
        confirmed: how often the concept goes with it off alone, on the confirming samples.
        place: how many of the layer's units that were tried alone leave less of the concept, plus one.
        tried: how many those are.
        iou: with the concept.
        null: of that IoU, with other samples' masks.
        agreement: place of that IoU among the layer's units.
        off: its measured effect on the concept; None where effects were not measured.
        on: switched on.
        effects: a chart of what it does to all concepts.
        picture: samples with it off alone.
        row: which row of the picture that is.
    """

    unit: UnitView
    alone: AloneRow | None
    confirmed: Rate | None
    place: int
    tried: int
    iou: float
    null: float
    agreement: int
    off: Effect | None
    on: Effect | None
    effects: Chart | None
    picture: StudyPicture | None
    row: str


@dataclass(frozen=True)
class ClaimView:
    """A claim, and what stands beside it.

    Attributes:
        claim: as it was made.
        holds: what the measurement says about it, in a sentence.
        named: the unit that it names, in this model.
        missing: why there is no such unit here; empty where there is.
    """

    claim: Claim
    holds: str
    named: NamedUnit | None
    missing: str


def claim_view(finding: Finding) -> ClaimView | None:
    """The finding's claim beside what was measured; None where nobody claimed anything."""
    claim = finding.record.claim
    if claim is None:
        return None
    unit = finding.unit(claim.layer, claim.unit)
    named = _named(finding, unit) if unit else None
    return ClaimView(claim, _holds(finding, claim), named, "" if named else _missing(finding, claim))


def _holds(finding: Finding, claim: Claim) -> str:
    """Whether the search says the same as the claim, as far as it can."""
    record = finding.record
    if claim.network:
        return (
            f"The claim is about another network, {claim.network}: nothing that is measured here can confirm "
            f"or refute it. What is asked here is whether {finding.model.title} has such a unit too. Layers "
            "and units are numbered by the order in which a network was built, so the same numbers in two "
            "networks have nothing to do with each other."
        )
    if finding.best is None:
        return "Too few samples show the concept: the claim was not tested."
    searched = next((each for each in record.layers if each.layer == claim.layer), None)
    if searched is None:
        return f"{claim.layer} was not searched, so the claim was not tested."
    if searched.verdict == "sole cause" and searched.causes == [claim.unit]:
        return "The search, which was not told of the claim, found the same unit."
    if claim.unit in searched.causes:
        return "The search, which was not told of the claim, found that unit among others."
    return "The search, which was not told of the claim, did not find this."


def _missing(finding: Finding, claim: Claim) -> str:
    """Why the model has no page for the claim's unit."""
    model = finding.model
    known = {str(entry["name"]): int(entry["units"]) for entry in model.record.network}
    if claim.layer not in known:
        return f"{model.title} has no layer {claim.layer}; its layers are {', '.join(known)}."
    units = known[claim.layer]
    if claim.unit >= units:
        return f"{claim.layer} of {model.title} has {units} units, 0 to {units - 1}: no unit {claim.unit}."
    return f"{claim.layer} was not dissected in {model.title}, so nothing is known of its unit {claim.unit}."


def _named(finding: Finding, unit: UnitView) -> NamedUnit:
    layer = unit.layer
    tried = finding.rows("alone.parquet", AloneRow, layer=layer.name)
    alone = next((row for row in tried if row.unit == unit.number), None)
    agreement = layer.results.agreement.filter(concept=finding.record.concept)
    own = next(rows(agreement.filter(unit=unit.number), AgreementRow))
    effects = layer.effects
    on_concept = {
        kind: effects.on(finding.concept, kind).get(unit.number) if effects else None
        for kind in ("ablate", "insert")
    }
    picture, row = _picture(finding, unit)
    return NamedUnit(
        unit=unit,
        alone=alone,
        confirmed=_confirmed(finding, alone),
        place=1 + sum(row.left < alone.left for row in tried) if alone else 0,
        tried=len(tried),
        iou=own.iou or 0.0,
        null=own.null_iou or 0.0,
        agreement=1 + int((agreement["iou"] > own.iou).sum()) if own.iou else len(agreement),
        off=on_concept["ablate"],
        on=on_concept["insert"],
        effects=_effects(unit),
        picture=picture,
        row=row,
    )


def _confirmed(finding: Finding, alone: AloneRow | None) -> Rate | None:
    """The rate on the confirming samples, all of which show the concept."""
    if alone is None or not alone.confirmed:
        return None  # not tried on them
    ends = alone.rate, alone.rate_low, alone.rate_high
    return rate_of(alone.hits, len(finding.record.confirm), *ends)


def _picture(finding: Finding, unit: UnitView) -> tuple[StudyPicture | None, str]:
    """Samples with the unit off alone: a strip of its own, or that of what the search tried."""
    for picture in finding.pictures:
        if picture.layer == unit.layer.name and picture.units == [unit.number]:
            for row in ("claimed off", "off"):
                if row in picture.rows:
                    return picture, row
    return None, ""


def _effects(unit: UnitView) -> Chart | None:
    effects, concepts = unit.layer.effects, unit.layer.model.concepts
    if effects is None:
        return None
    table = effects.results.effects.filter(unit=unit.number, kind="ablate")
    changed = [
        ConceptEffect.of(concepts[row.concept], row)
        for row in rows(table, EffectRow)
        if row.concept in concepts
    ]
    return effects_chart(
        label=f"What changes with unit {unit.number} of {unit.layer.name} off, by concept.",
        caption=(
            "Mean change of each concept’s share of the picture, with 95 % interval; filled where "
            f"{EVIDENCE}. The bars hold 95 % of the layer’s other measured units."
        ),
        effects=changed,
        others="the layer’s other units",
    )
