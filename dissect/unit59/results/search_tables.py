"""What the tables of searches and of unit sets hold."""

from __future__ import annotations

from unit59.results.columns import (
    LEVELS,
    PICTURE,
    ConceptName,
    ConceptNumber,
    EditKind,
    EffectHigh,
    EffectLow,
    LayerName,
    PlaneName,
    Schema,
    UnitNumber,
    column,
    table_row,
)

_AREA = "share of the area before"
_RATE = "share of samples"


@table_row
class StaircaseRow:
    """A layer, an order of its units, and how many of them are edited."""

    layer: LayerName
    order: str = column("the order: iou, effect; in a study of sets also ace, random", heading="order")
    draw: int | None = column("number of a random order; nothing for others")
    kind: EditKind
    count: int = column("units edited: the first so many of the order", "units", "units off")
    unit: int = column("number of the last of them", heading="last of them")
    left: float | None = column("the concept's area after ablation over its area before", _AREA, "area left")
    effect: float | None = column("mean paired difference of the concept's area", PICTURE, "change")
    low: EffectLow
    high: EffectHigh
    hits: int = column("samples in which the concept was erased (ablate) or came (insert)", "samples")
    cases: int = column("samples that show it (ablate), or lack it (insert)", "samples")
    rate: float | None = column("hits over cases", _RATE, "gone in")
    rate_low: float | None = column("lower end of Wilson's 95 % interval of the rate", _RATE)
    rate_high: float | None = column("upper end of Wilson's 95 % interval of the rate", _RATE)
    side: float = column(
        "mean absolute change of the picture outside the concept's region", LEVELS, "side effect"
    )


@table_row
class AloneRow:
    """A layer and a unit, which is switched off alone."""

    layer: LayerName
    unit: UnitNumber
    iou: float = column("overlap of the unit's mask and the concept", "IoU", "IoU")
    left: float = column("the concept's area after the edit over its area before", _AREA, "area left")
    erased: int = column(
        "searching samples in which the concept is gone after the edit", "samples", "gone, searching"
    )
    shown: int = column("searching samples that show it", "samples")
    confirmed: bool = column("whether the unit was also measured on the confirming samples")
    hits: int | None = column("confirming samples in which the concept is gone", "samples")
    rate: float | None = column(
        "how often the concept goes in the confirming samples", _RATE, "gone, confirming"
    )
    rate_low: float | None = column("lower end of Wilson's 95 % interval of the rate", _RATE)
    rate_high: float | None = column("upper end of Wilson's 95 % interval of the rate", _RATE)


@table_row
class CaseRow:
    """A layer and a sample, before and after the edit of the units that were found."""

    layer: LayerName
    sample: int = column("number of the sample", heading="sample")
    kind: str = column("ablate: the sample shows the concept; insert: it lacks it", heading="edit")
    before: float = column("area of the concept without an edit", PICTURE, "before")
    after: float = column("area of the concept with the units edited", PICTURE, "after")
    hit: bool = column("whether it is gone then (ablate), or has come (insert)")
    all_but: float | None = column(
        "area of the concept with the others that come first off and the units on; nothing for insert",
        PICTURE,
        "all but them off",
    )
    all_but_hit: bool | None = column("whether it is gone then; nothing for insert")
    side: float = column(
        "mean absolute change of the picture outside the concept's region", LEVELS, "change elsewhere"
    )


@table_row
class SpecificityRow:
    """A layer and a concept: what else the ablation of the units that were found changes."""

    layer: LayerName
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    before: float | None = column("mean area of the concept without the edit", PICTURE)
    effect: float | None = column("mean paired difference of the concept's area", PICTURE, "change")
    se: float | None = column("standard error of the effect", PICTURE)
    low: EffectLow
    high: EffectHigh
    p: float | None = column("two-sided p-value of the effect")
    q: float | None = column("p after Benjamini-Hochberg over the concepts", heading="q")
    found: bool = column("whether q is at most 0.05")
    random_low: float | None = column("lower end of where 95 % of the random sets' effects lie", PICTURE)
    random_high: float | None = column("upper end of where 95 % of the random sets' effects lie", PICTURE)


@table_row
class RandomSetRow:
    """A layer, a kind of edit, and a random set of other units, as many as were found."""

    layer: LayerName
    kind: EditKind
    draw: int = column("number of the set")
    units: list[int] = column("numbers of its units", heading="units")
    left: float | None = column("the concept's area after ablation over its area before", _AREA, "area left")
    hits: int = column("samples in which the concept was erased (ablate) or came (insert)", "samples")
    cases: int = column("samples that show it (ablate), or lack it (insert)", "samples")
    rate: float | None = column("hits over cases", _RATE)
    side: float = column(
        "mean absolute change of the picture outside the concept's region", LEVELS, "side effect"
    )


STAIRCASE = Schema(StaircaseRow)
ALONE = Schema(AloneRow)
CASES = Schema(CaseRow)
SPECIFICITY = Schema(SpecificityRow)
RANDOM_SETS = Schema(RandomSetRow)
STUDY_TABLES = {
    "staircase.parquet": STAIRCASE,
    "alone.parquet": ALONE,
    "cases.parquet": CASES,
    "specificity.parquet": SPECIFICITY,
    "random.parquet": RANDOM_SETS,
}
