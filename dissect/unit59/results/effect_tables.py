"""What a layer's effects hold: the tables of `layers/<layer>/effects/`."""

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
    EffectHigh,
    EffectLow,
    HandleNumber,
    PlaneName,
    Schema,
)
from unit59.results.effect_estimates import ATTRIBUTION, RELATIONS

_OF_SHOWN, _OF_ABSENT = "share of `shown`", "share of `absent`"


@dataclass(slots=True)
class EffectRow:
    """A unit, a kind of edit and a concept: what the edit does to the concept."""

    unit: HandleNumber
    kind: Annotated[
        str,
        Column(pl.String, "the edit: ablate, insert, style_neutral, style_down, style_up", heading="edit"),
    ]
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    before: Annotated[
        float | None,
        Column(pl.Float64, "mean area of the concept without the edit, over the fixed samples", PICTURE),
    ]
    effect: Annotated[
        float | None,
        Column(
            pl.Float64,
            "mean paired difference of the concept's area, edited less unedited",
            PICTURE,
            "change",
        ),
    ]
    se: Annotated[float | None, Column(pl.Float64, "standard error of the effect", PICTURE)]
    low: EffectLow
    high: EffectHigh
    p: Annotated[float | None, Column(pl.Float64, "two-sided p-value of the effect")]
    q: Annotated[
        float | None,
        Column(
            pl.Float64,
            "p after Benjamini-Hochberg over all pairs of unit and concept of this kind of edit",
            heading="q",
        ),
    ]
    others_low: Annotated[
        float | None,
        Column(
            pl.Float64,
            "lower end of where 95 % of the effects of the layer's other measured units lie",
            PICTURE,
        ),
    ]
    others_high: Annotated[
        float | None,
        Column(
            pl.Float64,
            "upper end of where 95 % of the effects of the layer's other measured units lie",
            PICTURE,
        ),
    ]
    found: Annotated[bool, Column(pl.Boolean, "whether q is at most 0.05")]
    beyond_others: Annotated[
        bool | None,
        Column(
            pl.Boolean, "whether the effect lies outside others_low … others_high; nothing without others"
        ),
    ]
    unusual: Annotated[
        float | None,
        Column(
            pl.Float64, "how far it stands out: its size over the width of the others' effects; 0 within them"
        ),
    ]
    shown: Annotated[
        int | None,
        Column(pl.Int32, "measured samples that show the concept: its area is at least the floor", "samples"),
    ]
    erased: Annotated[
        int | None, Column(pl.Int32, "of those, samples in which it is gone after the edit", "samples")
    ]
    erasure_rate: Annotated[
        float | None,
        Column(
            pl.Float64,
            "how often the edit makes the concept go, where it was; nothing where none shows it",
            _OF_SHOWN,
            "gone in",
        ),
    ]
    erasure_low: Annotated[
        float | None, Column(pl.Float64, "lower end of Wilson's 95 % interval of the erasure rate", _OF_SHOWN)
    ]
    erasure_high: Annotated[
        float | None, Column(pl.Float64, "upper end of Wilson's 95 % interval of the erasure rate", _OF_SHOWN)
    ]
    absent: Annotated[
        int | None,
        Column(
            pl.Int32,
            "measured samples without the concept: its area is below a tenth of the floor",
            "samples",
        ),
    ]
    inserted: Annotated[
        int | None, Column(pl.Int32, "of those, samples that show it after the edit", "samples")
    ]
    insertion_rate: Annotated[
        float | None,
        Column(
            pl.Float64,
            "how often the edit makes the concept come, where it was not; nothing where none lacks it",
            _OF_ABSENT,
            "comes in",
        ),
    ]
    insertion_low: Annotated[
        float | None,
        Column(pl.Float64, "lower end of Wilson's 95 % interval of the insertion rate", _OF_ABSENT),
    ]
    insertion_high: Annotated[
        float | None,
        Column(pl.Float64, "upper end of Wilson's 95 % interval of the insertion rate", _OF_ABSENT),
    ]
    side: Annotated[
        float | None,
        Column(
            pl.Float64,
            "mean absolute change of the picture outside where the concept was or came",
            LEVELS,
            "change elsewhere",
        ),
    ]


@dataclass(slots=True)
class UnitEffectRow:
    """A unit and a kind of edit: what the edit does most."""

    unit: HandleNumber
    kind: Annotated[str, Column(pl.String, "the edit, as in effects.parquet", heading="edit")]
    change: Annotated[
        float | None, Column(pl.Float64, "mean absolute change of the whole picture", LEVELS, "change")
    ]
    concepts: Annotated[int, Column(pl.Int32, "concepts that it changes with q at most 0.05")]
    concept: Annotated[
        int | None,
        Column(
            pl.Int32,
            "of those, the one on which the unit stands out most from other units; nothing: there is none",
        ),
    ]
    label: Annotated[str | None, Column(pl.String, "name of that concept", heading="changes most")]
    plane: Annotated[str | None, Column(pl.String, "plane of that concept")]
    effect: Annotated[
        float | None, Column(pl.Float64, "mean paired difference of that concept's area", PICTURE, "change")
    ]
    low: EffectLow
    high: EffectHigh
    q: Annotated[
        float | None, Column(pl.Float64, "q-value of the effect, as in effects.parquet", heading="q")
    ]
    beyond_others: Annotated[
        bool | None,
        Column(
            pl.Boolean, "whether the effect lies outside where 95 % of the other measured units' effects lie"
        ),
    ]
    rate: Annotated[
        float | None,
        Column(
            pl.Float64, "the erasure rate, or for insert and style_up the insertion rate", "share of samples"
        ),
    ]
    rate_low: Annotated[
        float | None,
        Column(pl.Float64, "lower end of Wilson's 95 % interval of the rate", "share of samples"),
    ]
    rate_high: Annotated[
        float | None,
        Column(pl.Float64, "upper end of Wilson's 95 % interval of the rate", "share of samples"),
    ]
    side: Annotated[
        float | None,
        Column(
            pl.Float64,
            "mean absolute change of the picture outside where that concept was or came",
            LEVELS,
            "change elsewhere",
        ),
    ]
    samples: Annotated[
        list[int] | None,
        Column(
            pl.List(pl.Int32), "numbers of the samples on the strip pictures/0059-effect.webp (kind ablate)"
        ),
    ]
    sample_effects: Annotated[
        list[float] | None,
        Column(pl.List(pl.Float64), "difference of the concept's area in each of them", PICTURE),
    ]


EFFECTS = Schema(EffectRow)
UNIT_EFFECTS = Schema(UnitEffectRow)
EFFECT_TABLES = {
    "effects.parquet": EFFECTS,
    "unit_effects.parquet": UNIT_EFFECTS,
    "attribution.parquet": ATTRIBUTION,
    "relations.parquet": RELATIONS,
}
