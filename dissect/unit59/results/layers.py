"""What a dissected layer's tables and its line in `model.json` hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import polars as pl

from unit59.results.columns import LEVELS, Column, ConceptName, ConceptNumber, PlaneName, Schema, UnitNumber
from unit59.results.record import Count, Line, Name, Record

#: The report's cut (and GAN Dissection's for small units): IoU at or above it is "interpretable".
INTERPRETABLE_IOU = 0.05


@dataclass(slots=True)
class UnitRow:
    """A unit."""

    unit: UnitNumber
    threshold: Annotated[
        float, Column(pl.Float32, "the mask is where the unit's value on the grid is greater", "activation")
    ]
    on_share: Annotated[float, Column(pl.Float64, "share of the grid in the mask, over all samples", "share")]
    concept: Annotated[
        int | None,
        Column(
            pl.Int32, "number of the unit's label: the concept with the largest IoU; none where none overlaps"
        ),
    ]
    label: Annotated[
        str | None, Column(pl.String, "name of the concept with the largest IoU", heading="label")
    ]
    plane: Annotated[str | None, Column(pl.String, "plane of that concept: object, part, material …")]
    iou: Annotated[
        float | None,
        Column(
            pl.Float64, "overlap of mask and label, over all samples: intersection over union", "IoU", "IoU"
        ),
    ]
    iou_low: Annotated[
        float | None,
        Column(pl.Float64, "lower end of the 95 % bootstrap interval of the IoU over samples", "IoU"),
    ]
    iou_high: Annotated[
        float | None,
        Column(pl.Float64, "upper end of the 95 % bootstrap interval of the IoU over samples", "IoU"),
    ]
    null_iou: Annotated[
        float | None,
        Column(
            pl.Float64,
            "best IoU with other samples' segmentations, over all concepts: mean over shuffles",
            "IoU",
            "null",
        ),
    ]
    null_99: Annotated[
        float | None,
        Column(
            pl.Float64,
            "99 % bound of the best IoU with other samples' segmentations, over all concepts",
            "IoU",
            "null, 99 %",
        ),
    ]
    iqr: Annotated[
        float | None,
        Column(
            pl.Float64,
            "information quality ratio of mask and label: mutual information over joint entropy",
            "share",
            "IQR",
        ),
    ]
    interpretable: Annotated[bool, Column(pl.Boolean, "whether the IoU is at least 0.05")]
    above_null: Annotated[bool, Column(pl.Boolean, "whether the IoU is greater than null_99")]
    agrees: Annotated[
        bool, Column(pl.Boolean, "whether both hold: it agrees with its label better than chance")
    ]
    mean: Annotated[
        float, Column(pl.Float64, "mean value of the unit's map, over samples and positions", "activation")
    ]
    maximum: Annotated[float, Column(pl.Float32, "largest value of the unit's map", "activation")]
    insert_level: Annotated[float, Column(pl.Float32, "the value that insertion sets", "activation")]
    exemplars: Annotated[
        list[int] | None,
        Column(pl.List(pl.Int32), "numbers of the samples on the exemplar and ablated strips"),
    ]
    exemplar_peaks: Annotated[
        list[float] | None,
        Column(pl.List(pl.Float32), "the unit's largest value in each exemplar", "activation"),
    ]
    ablated_change: Annotated[
        list[float] | None,
        Column(
            pl.List(pl.Float64),
            "mean absolute change of each exemplar's picture with the unit off",
            LEVELS,
            "change when off",
        ),
    ]
    inserted: Annotated[
        list[int] | None, Column(pl.List(pl.Int32), "numbers of the samples on the inserted strip")
    ]
    inserted_change: Annotated[
        list[float] | None,
        Column(pl.List(pl.Float64), "mean absolute change of each picture with the unit inserted", LEVELS),
    ]


@dataclass(slots=True)
class AgreementRow:
    """A unit with a concept."""

    unit: UnitNumber
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    intersection: Annotated[
        int | None,
        Column(pl.Int64, "places in both mask and concept, over all samples", "pixels of the grid"),
    ]
    union: Annotated[
        int | None, Column(pl.Int64, "places in mask or concept, over all samples", "pixels of the grid")
    ]
    iou: Annotated[
        float | None, Column(pl.Float64, "intersection over union of mask and concept", "IoU", "IoU")
    ]
    iou_low: Annotated[
        float | None,
        Column(pl.Float64, "lower end of the 95 % bootstrap interval of the IoU over samples", "IoU"),
    ]
    iou_high: Annotated[
        float | None,
        Column(pl.Float64, "upper end of the 95 % bootstrap interval of the IoU over samples", "IoU"),
    ]
    null_iou: Annotated[
        float | None,
        Column(
            pl.Float64,
            "IoU with this concept in other samples' segmentations: mean over shuffles",
            "IoU",
            "null",
        ),
    ]
    null_99: Annotated[
        float | None,
        Column(
            pl.Float64,
            "99 % bound of the IoU with this concept in other samples' segmentations",
            "IoU",
            "null, 99 %",
        ),
    ]
    agrees: Annotated[bool, Column(pl.Boolean, "whether the IoU is at least 0.05, and greater than null_99")]
    iqr: Annotated[
        float | None,
        Column(
            pl.Float64,
            "information quality ratio of mask and concept: mutual information over joint entropy",
            "share",
            "IQR",
        ),
    ]


@dataclass(slots=True)
class ActivationRow:
    """A unit's values as a histogram of equal bins."""

    unit: UnitNumber
    low: Annotated[float, Column(pl.Float64, "left edge of the first bin", "activation", "from")]
    high: Annotated[float, Column(pl.Float64, "right edge of the last bin", "activation", "to")]
    counts: Annotated[
        list[int],
        Column(
            pl.List(pl.Int64), "values of the unit's map in each bin, over all samples", "values", "values"
        ),
    ]


@dataclass(slots=True)
class SimilarRow:
    """A unit and another one whose mask overlaps its own."""

    unit: UnitNumber
    rank: Annotated[int, Column(pl.Int32, "1 for the unit whose mask overlaps most, 2 for the next …")]
    other_layer: Annotated[str, Column(pl.String, "layer of the other unit")]
    other_unit: Annotated[int, Column(pl.Int32, "number of the other unit in its layer")]
    overlap: Annotated[float, Column(pl.Float64, "overlap of the two units' masks", "IoU", "overlap")]


UNITS = Schema(UnitRow)
AGREEMENT = Schema(AgreementRow)
ACTIVATIONS = Schema(ActivationRow)
SIMILAR = Schema(SimilarRow)
LAYER_TABLES = {
    "units.parquet": UNITS,
    "agreement.parquet": AGREEMENT,
    "activations.parquet": ACTIVATIONS,
    "similar.parquet": SIMILAR,
}


class NullSummary(Record):
    """What chance alone gives in one layer."""

    shuffles: Count
    """How often samples and segmentations were paired anew."""
    interpretable: float
    """Units at or above 0.05 under a shuffle, mean over shuffles."""
    interpretable_max: Count
    """The same, the largest of the shuffles."""
    histogram: list[Count]
    """Best IoU of every unit under every shuffle; 100 bins of 0.01."""


class LayerRecord(Record):
    """One dissected layer, in forward order."""

    name: Name
    """Its name, which is its folder's."""
    number: Count
    """Its place among the network's layers."""
    units: Count
    """How many it has."""
    height: Count
    """Of its maps."""
    width: Count
    """Of its maps."""
    path: Line
    """Where it is in the network's modules."""
    interpretable: Count
    """Units with IoU >= 0.05."""
    above_null: Count
    """Of those, units above their null's 99 %."""
    histogram: list[Count]
    """Best IoU of every unit; 100 bins of 0.01."""
    null: NullSummary
    """What chance alone gives."""
