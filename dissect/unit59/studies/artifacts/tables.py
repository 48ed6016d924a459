"""The tables of the study of artifacts: what their columns hold. Never imports torch."""

from __future__ import annotations

from unit59.results.columns import (
    LEVELS,
    PICTURE,
    ConceptName,
    High,
    LayerName,
    Low,
    Schema,
    UnitNumber,
    column,
    table_row,
)


@table_row
class MarkRow:
    """A unit, held against the bad regions of the first half of the samples."""

    layer: LayerName
    unit: UnitNumber
    iou: float = column("overlap of the unit's mask and the bad regions", "IoU", "IoU with the bad regions")
    iou_low: Low
    iou_high: High
    null: float = column("the same with other samples' bad regions: mean over shuffles", "IoU")
    null_99: float = column("99 % bound of that", "IoU", "null's 99 % bound")
    bad_share: float = column("of the mask, what is bad", "share", "of the mask, bad")
    beyond: bool = column("whether the IoU is above the null's 99 % bound")


@table_row
class StepRow:
    """A layer and how many of its units are off, on the first half."""

    layer: LayerName
    off: int = column("units that are off, best first", heading="units off, best first")
    score: float = column(
        "with labels the share of the bad area that is gone, less what is newly bad; without, how many "
        "levels more bad regions change than the rest"
    )
    low: Low
    high: High


@table_row
class SetRow:
    """A set of units that are off, on the second half."""

    set: str = column("chosen, or the number of a random one")
    kind: str = column("chosen, random")
    gone: float | None = column(
        "of the bad area, what is gone, less what is newly bad; nothing without labels",
        "share",
        "bad area gone",
    )
    spoiled: float | None = column("of the good area, what is newly bad; nothing without labels", "share")
    inside: float | None = column(
        "mean absolute change of the picture in bad regions", LEVELS, "change in bad regions"
    )
    outside: float | None = column(
        "mean absolute change of the picture elsewhere", LEVELS, "change elsewhere"
    )
    excess: float | None = column("inside less outside", LEVELS)


@table_row
class ConceptChangeRow:
    """A concept: what the chosen units change of it, on the second half."""

    concept: ConceptName
    before: float = column("mean area with nothing off", PICTURE, "area before")
    change: float | None = column(
        "mean paired difference of the area, chosen units off", PICTURE, "change of the area"
    )
    low: Low
    high: High
    random_low: float = column(
        "lower end of where 95 % of the random sets' changes lie", PICTURE, "random sets from"
    )
    random_high: float = column("upper end of where 95 % of the random sets' changes lie", PICTURE, "to")


STEPS = Schema(StepRow)
SCHEMAS = {
    "units.parquet": Schema(MarkRow),
    "steps.parquet": STEPS,
    "sets.parquet": Schema(SetRow),
    "concepts.parquet": Schema(ConceptChangeRow),
}
