"""What the tables of searches and of unit sets hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import polars as pl

from unit59.results.columns import (
    LEVELS,
    PICTURE,
    Column,
    ConceptName,
    ConceptNumber,
    EditKind,
    EffectHigh,
    EffectLow,
    LayerName,
    PlaneName,
    Schema,
    UnitNumber,
)

_AREA = "share of the area before"
_RATE = "share of samples"


@dataclass(slots=True)
class StaircaseRow:
    """A layer, an order of its units, and how many of them are edited."""

    layer: LayerName
    order: Annotated[
        str, Column(pl.String, "the order: iou, effect; in a study of sets also ace, random", heading="order")
    ]
    draw: Annotated[int | None, Column(pl.Int32, "number of a random order; nothing for others")]
    kind: EditKind
    count: Annotated[
        int, Column(pl.Int32, "units edited: the first so many of the order", "units", "units off")
    ]
    unit: Annotated[int, Column(pl.Int32, "number of the last of them", heading="last of them")]
    left: Annotated[
        float | None,
        Column(pl.Float64, "the concept's area after ablation over its area before", _AREA, "area left"),
    ]
    effect: Annotated[
        float | None, Column(pl.Float64, "mean paired difference of the concept's area", PICTURE, "change")
    ]
    low: EffectLow
    high: EffectHigh
    hits: Annotated[
        int, Column(pl.Int32, "samples in which the concept was erased (ablate) or came (insert)", "samples")
    ]
    cases: Annotated[int, Column(pl.Int32, "samples that show it (ablate), or lack it (insert)", "samples")]
    rate: Annotated[float | None, Column(pl.Float64, "hits over cases", _RATE, "gone in")]
    rate_low: Annotated[
        float | None, Column(pl.Float64, "lower end of Wilson's 95 % interval of the rate", _RATE)
    ]
    rate_high: Annotated[
        float | None, Column(pl.Float64, "upper end of Wilson's 95 % interval of the rate", _RATE)
    ]
    side: Annotated[
        float,
        Column(
            pl.Float64,
            "mean absolute change of the picture outside the concept's region",
            LEVELS,
            "side effect",
        ),
    ]


@dataclass(slots=True)
class AloneRow:
    """A layer and a unit, which is switched off alone."""

    layer: LayerName
    unit: UnitNumber
    iou: Annotated[float, Column(pl.Float64, "overlap of the unit's mask and the concept", "IoU", "IoU")]
    left: Annotated[
        float,
        Column(pl.Float64, "the concept's area after the edit over its area before", _AREA, "area left"),
    ]
    erased: Annotated[
        int,
        Column(
            pl.Int32,
            "searching samples in which the concept is gone after the edit",
            "samples",
            "gone, searching",
        ),
    ]
    shown: Annotated[int, Column(pl.Int32, "searching samples that show it", "samples")]
    confirmed: Annotated[
        bool, Column(pl.Boolean, "whether the unit was also measured on the confirming samples")
    ]
    rate: Annotated[
        float | None,
        Column(pl.Float64, "how often the concept goes in the confirming samples", _RATE, "gone, confirming"),
    ]
    rate_low: Annotated[
        float | None, Column(pl.Float64, "lower end of Wilson's 95 % interval of the rate", _RATE)
    ]
    rate_high: Annotated[
        float | None, Column(pl.Float64, "upper end of Wilson's 95 % interval of the rate", _RATE)
    ]


@dataclass(slots=True)
class CaseRow:
    """A layer and a sample, before and after the edit of the units that were found."""

    layer: LayerName
    sample: Annotated[int, Column(pl.Int32, "number of the sample", heading="sample")]
    kind: Annotated[
        str, Column(pl.String, "ablate: the sample shows the concept; insert: it lacks it", heading="edit")
    ]
    before: Annotated[float, Column(pl.Float64, "area of the concept without an edit", PICTURE, "before")]
    after: Annotated[float, Column(pl.Float64, "area of the concept with the units edited", PICTURE, "after")]
    all_but: Annotated[
        float | None,
        Column(
            pl.Float64,
            "area of the concept with the others that come first off and the units on; nothing for insert",
            PICTURE,
            "all but them off",
        ),
    ]
    side: Annotated[
        float,
        Column(
            pl.Float64,
            "mean absolute change of the picture outside the concept's region",
            LEVELS,
            "change elsewhere",
        ),
    ]


@dataclass(slots=True)
class SpecificityRow:
    """A layer and a concept: what else the ablation of the units that were found changes."""

    layer: LayerName
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    before: Annotated[float | None, Column(pl.Float64, "mean area of the concept without the edit", PICTURE)]
    effect: Annotated[
        float | None, Column(pl.Float64, "mean paired difference of the concept's area", PICTURE, "change")
    ]
    se: Annotated[float | None, Column(pl.Float64, "standard error of the effect", PICTURE)]
    low: EffectLow
    high: EffectHigh
    p: Annotated[float | None, Column(pl.Float64, "two-sided p-value of the effect")]
    q: Annotated[
        float | None, Column(pl.Float64, "p after Benjamini-Hochberg over the concepts", heading="q")
    ]
    random_low: Annotated[
        float | None, Column(pl.Float64, "lower end of where 95 % of the random sets' effects lie", PICTURE)
    ]
    random_high: Annotated[
        float | None, Column(pl.Float64, "upper end of where 95 % of the random sets' effects lie", PICTURE)
    ]


@dataclass(slots=True)
class RandomSetRow:
    """A layer, a kind of edit, and a random set of other units, as many as were found."""

    layer: LayerName
    kind: EditKind
    draw: Annotated[int, Column(pl.Int32, "number of the set")]
    units: Annotated[list[int], Column(pl.List(pl.Int32), "numbers of its units", heading="units")]
    left: Annotated[
        float | None,
        Column(pl.Float64, "the concept's area after ablation over its area before", _AREA, "area left"),
    ]
    hits: Annotated[
        int, Column(pl.Int32, "samples in which the concept was erased (ablate) or came (insert)", "samples")
    ]
    cases: Annotated[int, Column(pl.Int32, "samples that show it (ablate), or lack it (insert)", "samples")]
    rate: Annotated[float | None, Column(pl.Float64, "hits over cases", _RATE)]
    side: Annotated[
        float,
        Column(
            pl.Float64,
            "mean absolute change of the picture outside the concept's region",
            LEVELS,
            "side effect",
        ),
    ]


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
