"""What a layer's effects hold: the tables of `layers/<layer>/effects/`."""

from __future__ import annotations

from unit59.results.columns import (
    LEVELS,
    PICTURE,
    ConceptName,
    ConceptNumber,
    EffectHigh,
    EffectLow,
    PlaneName,
    Schema,
    UnitNumber,
    column,
    table_row,
)
from unit59.results.effect_estimates import ATTRIBUTION, RELATIONS

_OF_SHOWN, _OF_ABSENT = "share of `shown`", "share of `absent`"


@table_row
class EffectRow:
    """A unit, a kind of edit and a concept: what the edit does to the concept."""

    unit: UnitNumber
    kind: str = column("the edit: ablate, insert; of units without maps neutral, down, up", heading="edit")
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    before: float | None = column(
        "mean area of the concept without the edit, over the fixed samples", PICTURE
    )
    effect: float | None = column(
        "mean paired difference of the concept's area, edited less unedited", PICTURE, "change"
    )
    se: float | None = column("standard error of the effect", PICTURE)
    low: EffectLow
    high: EffectHigh
    p: float | None = column("two-sided p-value of the effect")
    q: float | None = column(
        "p after Benjamini-Hochberg over all pairs of unit and concept of this kind of edit", heading="q"
    )
    others_low: float | None = column(
        "lower end of where 95 % of the effects of the layer's other measured units lie", PICTURE
    )
    others_high: float | None = column(
        "upper end of where 95 % of the effects of the layer's other measured units lie", PICTURE
    )
    found: bool = column("whether q is at most 0.05")
    beyond_others: bool | None = column(
        "whether the effect lies outside others_low … others_high; nothing without others"
    )
    unusual: float | None = column(
        "how far it stands out: its size over the width of the others' effects; 0 within them"
    )
    shown: int | None = column(
        "measured samples that show the concept: its area is at least the floor", "samples"
    )
    erased: int | None = column("of those, samples in which it is gone after the edit", "samples")
    erasure_rate: float | None = column(
        "how often the edit makes the concept go, where it was; nothing where none shows it",
        _OF_SHOWN,
        "gone in",
    )
    erasure_low: float | None = column("lower end of Wilson's 95 % interval of the erasure rate", _OF_SHOWN)
    erasure_high: float | None = column("upper end of Wilson's 95 % interval of the erasure rate", _OF_SHOWN)
    absent: int | None = column(
        "measured samples without the concept: its area is below a tenth of the floor", "samples"
    )
    inserted: int | None = column("of those, samples that show it after the edit", "samples")
    insertion_rate: float | None = column(
        "how often the edit makes the concept come, where it was not; nothing where none lacks it",
        _OF_ABSENT,
        "comes in",
    )
    insertion_low: float | None = column(
        "lower end of Wilson's 95 % interval of the insertion rate", _OF_ABSENT
    )
    insertion_high: float | None = column(
        "upper end of Wilson's 95 % interval of the insertion rate", _OF_ABSENT
    )
    side: float | None = column(
        "mean absolute change of the picture outside where the concept was or came",
        LEVELS,
        "change elsewhere",
    )


@table_row
class UnitEffectRow:
    """A unit and a kind of edit: what the edit does most."""

    unit: UnitNumber
    kind: str = column("the edit, as in effects.parquet", heading="edit")
    change: float | None = column("mean absolute change of the whole picture", LEVELS, "change")
    concepts: int = column("concepts that it changes with q at most 0.05")
    concept: int | None = column(
        "of those, the one on which the unit stands out most from other units; nothing: there is none"
    )
    label: str | None = column("name of that concept", heading="changes most")
    plane: str | None = column("plane of that concept")
    effect: float | None = column("mean paired difference of that concept's area", PICTURE, "change")
    low: EffectLow
    high: EffectHigh
    q: float | None = column("q-value of the effect, as in effects.parquet", heading="q")
    beyond_others: bool | None = column(
        "whether the effect lies outside where 95 % of the other measured units' effects lie"
    )
    rate: float | None = column(
        "the erasure rate, or for insert and up the insertion rate", "share of samples"
    )
    rate_low: float | None = column("lower end of Wilson's 95 % interval of the rate", "share of samples")
    rate_high: float | None = column("upper end of Wilson's 95 % interval of the rate", "share of samples")
    side: float | None = column(
        "mean absolute change of the picture outside where that concept was or came",
        LEVELS,
        "change elsewhere",
    )
    samples: list[int] | None = column(
        "numbers of the samples on the strip pictures/0059-effect.webp (kind ablate)"
    )
    sample_effects: list[float] | None = column("difference of the concept's area in each of them", PICTURE)


EFFECTS = Schema(EffectRow)
UNIT_EFFECTS = Schema(UnitEffectRow)
EFFECT_TABLES = {
    "effects.parquet": EFFECTS,
    "unit_effects.parquet": UNIT_EFFECTS,
    "attribution.parquet": ATTRIBUTION,
    "relations.parquet": RELATIONS,
}
