"""What a dissected layer's tables and its line in `model.json` hold."""

from __future__ import annotations

import polars as pl

from unit59.results.columns import (
    LEVELS,
    ConceptName,
    ConceptNumber,
    PlaneName,
    Schema,
    UnitNumber,
    column,
    table_row,
)
from unit59.results.record import Count, Line, Name, Record

#: The report's cut (and GAN Dissection's for small units): IoU at or above it is "interpretable".
INTERPRETABLE_IOU = 0.05


@table_row
class UnitRow:
    """A unit."""

    unit: UnitNumber
    threshold: float = column(
        "the mask is where the unit's value on the grid is greater", "activation", dtype=pl.Float32
    )
    on_share: float = column("share of the grid in the mask, over all samples", "share")
    concept: int | None = column(
        "number of the unit's label: the concept with the largest IoU; none where none overlaps"
    )
    label: str | None = column("name of the concept with the largest IoU", heading="label")
    plane: str | None = column("plane of that concept: object, part, material …")
    iou: float | None = column(
        "overlap of mask and label, over all samples: intersection over union", "IoU", "IoU"
    )
    iou_low: float | None = column("lower end of the 95 % bootstrap interval of the IoU over samples", "IoU")
    iou_high: float | None = column("upper end of the 95 % bootstrap interval of the IoU over samples", "IoU")
    null_iou: float | None = column(
        "best IoU with other samples' segmentations, over all concepts: mean over shuffles", "IoU", "null"
    )
    null_99: float | None = column(
        "99 % bound of the best IoU with other samples' segmentations, over all concepts", "IoU", "null, 99 %"
    )
    iqr: float | None = column(
        "information quality ratio of mask and label: mutual information over joint entropy", "share", "IQR"
    )
    interpretable: bool = column("whether the IoU is at least 0.05")
    above_null: bool = column("whether the IoU is greater than null_99")
    agrees: bool = column("whether both hold: it agrees with its label better than chance")
    mean: float = column("mean value of the unit's map, over samples and positions", "activation")
    maximum: float = column("largest value of the unit's map", "activation", dtype=pl.Float32)
    insert_level: float = column("the value that insertion sets", "activation", dtype=pl.Float32)
    exemplars: list[int] | None = column("numbers of the samples on the exemplar and ablated strips")
    exemplar_peaks: list[float] | None = column(
        "the unit's largest value in each exemplar", "activation", dtype=pl.List(pl.Float32)
    )
    ablated_change: list[float] | None = column(
        "mean absolute change of each exemplar's picture with the unit off", LEVELS, "change when off"
    )
    inserted: list[int] | None = column("numbers of the samples on the inserted strip")
    inserted_change: list[float] | None = column(
        "mean absolute change of each picture with the unit inserted", LEVELS
    )


@table_row
class AgreementRow:
    """A unit with a concept."""

    unit: UnitNumber
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    intersection: int | None = column(
        "places in both mask and concept, over all samples", "pixels of the grid", dtype=pl.Int64
    )
    union: int | None = column(
        "places in mask or concept, over all samples", "pixels of the grid", dtype=pl.Int64
    )
    iou: float | None = column("intersection over union of mask and concept", "IoU", "IoU")
    iou_low: float | None = column("lower end of the 95 % bootstrap interval of the IoU over samples", "IoU")
    iou_high: float | None = column("upper end of the 95 % bootstrap interval of the IoU over samples", "IoU")
    null_iou: float | None = column(
        "IoU with this concept in other samples' segmentations: mean over shuffles", "IoU", "null"
    )
    null_99: float | None = column(
        "99 % bound of the IoU with this concept in other samples' segmentations", "IoU", "null, 99 %"
    )
    agrees: bool = column("whether the IoU is at least 0.05, and greater than null_99")
    iqr: float | None = column(
        "information quality ratio of mask and concept: mutual information over joint entropy", "share", "IQR"
    )


@table_row
class LevelRow:
    """A unit with a concept, at the threshold of 100 that has the largest IQR."""

    unit: UnitNumber
    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    share: float = column("share of the unit's values that the chosen level is to select", "share", "level")
    threshold: float = column(
        "the mask is where the unit's value on the grid is greater", "activation", dtype=pl.Float32
    )
    on_share: float = column("share of the grid in the mask, over all samples", "share", "mask")
    iqr: float = column(
        "information quality ratio of mask and concept: mutual information over joint entropy", "share", "IQR"
    )
    null_iqr: float = column(
        "largest IQR of all levels with other samples' segmentations: mean over shuffles",
        "share",
        "null of the IQR",
    )
    null_iqr_99: float = column(
        "99 % bound of the largest IQR of all levels with other samples' segmentations",
        "share",
        "null of the IQR, 99 %",
    )


@table_row
class ActivationRow:
    """A unit's values as a histogram of equal bins."""

    unit: UnitNumber
    low: float = column("left edge of the first bin", "activation", "from")
    high: float = column("right edge of the last bin", "activation", "to")
    counts: list[int] = column(
        "values of the unit's map in each bin, over all samples", "values", "values", dtype=pl.List(pl.Int64)
    )


@table_row
class SimilarRow:
    """A unit and another one whose mask overlaps its own."""

    unit: UnitNumber
    rank: int = column("1 for the unit whose mask overlaps most, 2 for the next …")
    other_layer: str = column("layer of the other unit")
    other_unit: int = column("number of the other unit in its layer")
    overlap: float = column("overlap of the two units' masks", "IoU", "overlap")


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
#: Of a layer whose thresholds are chosen by IQR.
LEVEL_TABLES = {"levels.parquet": Schema(LevelRow)}


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
    """The layer's name, which is its folder's."""
    number: Count
    """Its place among the network's layers."""
    units: Count
    """How many units the layer has."""
    height: Count
    """Of its maps."""
    width: Count
    """Of its maps."""
    path: Line
    """Where it is in the network's modules."""
    interpretable: Count
    """Units with IoU >= 0.05."""
    above_null: Count
    """Units with IoU >= 0.05 and above their null's 99 %."""
    histogram: list[Count]
    """Best IoU of every unit; 100 bins of 0.01."""
    null: NullSummary
    """What chance alone gives."""
