"""The results' schema: tables, JSON records and the version they carry."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dissect.errors import Unit59Error

SCHEMA_VERSION = 1

#: The report's cut (and GAN Dissection's for small units): IoU at or above it is "interpretable".
INTERPRETABLE_IOU = 0.05

#: Names that become folder and URL parts: no separator, no leading dot.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
Hex = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]

UNITS: dict[str, Any] = {
    "unit": pl.Int32,
    "threshold": pl.Float32,  # mask = value on the grid strictly greater
    "on_share": pl.Float64,  # share of grid pixels in the mask, over all samples
    "concept": pl.Int32,  # the label: number of the concept with the largest IoU; null where none overlaps
    "label": pl.String,
    "plane": pl.String,
    "iou": pl.Float64,
    "iou_low": pl.Float64,  # 95 % bootstrap interval over samples
    "iou_high": pl.Float64,
    "null_iou": pl.Float64,  # mean over shuffles of the best IoU with other samples' segmentations
    "null_99": pl.Float64,  # 99 % bound of that best IoU
    "iqr": pl.Float64,  # of the unit with its label
    "interpretable": pl.Boolean,  # iou >= 0.05
    "above_null": pl.Boolean,  # iou > null_99
    "mean": pl.Float64,  # of the native map, over samples and positions
    "maximum": pl.Float32,
    "insert_level": pl.Float32,  # the value that insertion sets
    "exemplars": pl.List(pl.Int32),  # sample numbers on the exemplar and ablated strips
    "exemplar_peaks": pl.List(pl.Float32),  # the unit's largest value in each
    "ablated_change": pl.List(pl.Float64),  # mean absolute change of each picture, 0..255 levels
    "inserted": pl.List(pl.Int32),  # sample numbers on the inserted strip
    "inserted_change": pl.List(pl.Float64),
}
AGREEMENT: dict[str, Any] = {
    "unit": pl.Int32,
    "concept": pl.Int32,
    "label": pl.String,
    "plane": pl.String,
    "intersection": pl.Int64,  # pixels of the grid over all samples
    "union": pl.Int64,
    "iou": pl.Float64,
    "iou_low": pl.Float64,
    "iou_high": pl.Float64,
    "null_iou": pl.Float64,  # mean over shuffles of the IoU with this concept
    "null_99": pl.Float64,
    "iqr": pl.Float64,
}
ACTIVATIONS: dict[str, Any] = {
    "unit": pl.Int32,
    "low": pl.Float64,  # left edge of the first bin
    "high": pl.Float64,  # right edge of the last bin
    "counts": pl.List(pl.Int64),  # of native values, equal bins
}
SIMILAR: dict[str, Any] = {
    "unit": pl.Int32,
    "rank": pl.Int32,
    "other_layer": pl.String,
    "other_unit": pl.Int32,
    "overlap": pl.Float64,  # IoU of the two units' masks
}
CONCEPTS: dict[str, Any] = {
    "concept": pl.Int32,  # 1-based; the value that stands in a segmentation
    "label": pl.String,
    "plane": pl.String,
    "colour": pl.String,
    "share": pl.Float64,  # of all pixels of its plane
    "presence": pl.Float64,  # share of samples that show it at all
}
#: One row a (unit, kind of edit, concept). Shares are of the compared grid.
EFFECTS: dict[str, Any] = {
    "unit": pl.Int32,  # or style channel, for the kinds style_*
    "kind": pl.String,  # ablate, insert, style_neutral, style_down, style_up
    "concept": pl.Int32,
    "label": pl.String,
    "plane": pl.String,
    "before": pl.Float64,  # mean share of the concept without the edit, over the fixed samples
    "effect": pl.Float64,  # mean paired difference of the share
    "se": pl.Float64,  # its standard error
    "low": pl.Float64,  # 95 % interval
    "high": pl.Float64,
    "p": pl.Float64,  # two-sided
    "q": pl.Float64,  # p after Benjamini-Hochberg over all (unit, concept) of the kind
    "others_low": pl.Float64,  # where 95 % of the layer's other measured units lie: the random sets of one
    "others_high": pl.Float64,
    "shown": pl.Int32,  # measured samples that show the concept (share >= floor)
    "erased": pl.Int32,  # of those, samples in which it is gone after the edit
    "erasure_rate": pl.Float64,  # null where none shows it
    "erasure_low": pl.Float64,  # Wilson's 95 % interval
    "erasure_high": pl.Float64,
    "absent": pl.Int32,  # measured samples without the concept (share < a tenth of the floor)
    "inserted": pl.Int32,  # of those, samples that show it after the edit
    "insertion_rate": pl.Float64,
    "insertion_low": pl.Float64,
    "insertion_high": pl.Float64,
    "side": pl.Float64,  # mean absolute pixel change, 0..255, outside where the concept was or came
}
#: One row a (unit, kind of edit): what the unit does most.
UNIT_EFFECTS: dict[str, Any] = {
    "unit": pl.Int32,
    "kind": pl.String,
    "change": pl.Float64,  # mean absolute change of the whole picture, 0..255
    "concepts": pl.Int32,  # concepts with q <= 0.05
    "concept": pl.Int32,  # of those, the one with the largest effect; null where there is none
    "label": pl.String,
    "plane": pl.String,
    "effect": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "q": pl.Float64,
    "beyond_others": pl.Boolean,  # the effect lies outside others_low..others_high
    "rate": pl.Float64,  # the erasure rate, or for insertions the insertion rate
    "rate_low": pl.Float64,
    "rate_high": pl.Float64,
    "side": pl.Float64,
    "samples": pl.List(pl.Int32),  # on the strip pictures/0059-effect.webp (kind ablate)
    "sample_effects": pl.List(pl.Float64),  # difference of the concept's share in each
}
#: One row a (unit, concept): the first-order estimate; for all units, measured or not.
ATTRIBUTION: dict[str, Any] = {
    "unit": pl.Int32,
    "concept": pl.Int32,
    "label": pl.String,
    "ablate": pl.Float64,  # estimated effect, in shares of the picture
    "insert": pl.Float64,
    "score": pl.Float64,  # of the unit: the largest estimate relative to the concept's usual one
}
EFFECT_TABLES = {
    "effects.parquet": EFFECTS,
    "unit_effects.parquet": UNIT_EFFECTS,
    "attribution.parquet": ATTRIBUTION,
}
LAYER_TABLES = {
    "units.parquet": UNITS,
    "agreement.parquet": AGREEMENT,
    "activations.parquet": ACTIVATIONS,
    "similar.parquet": SIMILAR,
}


class ResultsError(Unit59Error):
    """A results folder that cannot be read: names the file and what to do."""


class Record(BaseModel):
    """Base of all JSON records: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Checkpoint(Record):
    """Where the weights came from."""

    file: str
    sha256: str
    bytes: int
    family: str
    source: str = ""  # where its authors publish it
    licence: str = ""
    terms: str = ""  # of the data it was trained on


class Segmenter(Record):
    """What named the concepts."""

    names: list[str]
    planes: list[str]
    licence: str = ""
    limits: str = ""  # what it cannot see, for the model page


class NullSummary(Record):
    """What chance alone gives in one layer."""

    shuffles: int
    interpretable: float  # units at or above 0.05 under a shuffle, mean over shuffles
    interpretable_max: int
    histogram: list[int]  # best IoU of every unit under every shuffle; 100 bins of 0.01


class LayerRecord(Record):
    """One dissected layer, in forward order."""

    name: Name
    number: int
    units: int
    height: int
    width: int
    path: str
    interpretable: int  # units with IoU >= 0.05
    above_null: int  # of those, units above their null's 99 %
    null: NullSummary


class ModelRecord(Record):
    """`model.json`."""

    schema_version: int = SCHEMA_VERSION
    name: Name
    title: str
    summary: str = ""
    family: str
    resolution: tuple[int, int]  # height, width of its pictures
    checkpoint: Checkpoint
    segmenter: Segmenter
    samples: int
    seed: int
    quantile: float
    grid: tuple[int, int]  # height, width of the compared grid
    tile: int  # edge of one picture on the strips, in pixels
    sheet: tuple[int, int]  # rows, columns of pictures/samples.webp
    strip_rows: int = 2  # before, after
    network: list[dict[str, Any]]  # every layer of the network: name, units, height, width, path
    layers: list[LayerRecord]
    planned_layers: list[Name]  # what the recipe asked for; more than `layers` after an interrupted run
    recipe: str  # the recipe's text
    versions: dict[str, str]


class Ranking(Record):
    """How well the cheap ranking of units predicts what measuring them gave."""

    by: str  # attribution, or iou where the segmenter has no differentiable scores
    measured: int  # units that were measured
    units: int  # of the layer
    low_ranked: list[int]  # measured units drawn at random from below the budget's cut
    spearman: float | None  # between the ranking's score and the largest measured effect, over units
    spearman_low: float | None  # 95 % bootstrap interval over units
    spearman_high: float | None
    top: int  # how many units count as the strongest: a tenth of the measured ones
    missed: list[int]  # of the strongest by measurement, those that are not among the strongest by ranking


class EffectsRecord(Record):
    """`layers/<layer>/effects.json`: how the layer's effects were measured."""

    schema_version: int = SCHEMA_VERSION
    layer: Name
    kinds: list[str]
    samples: int  # the first of `numbers`: the fixed subset that effects are means over
    numbers: list[int]  # all samples measured; those behind the fixed subset serve the rates only
    floor: float  # a sample shows a concept from this share of the grid on
    absent: float  # and lacks it below this share: gone, or not there to begin with
    ablate: str  # what ablation sets units to: zero or mean
    style_shift: float | None  # standard deviations, for style_down and style_up
    tests: dict[str, int]  # by kind: p-values in the Benjamini-Hochberg family
    discoveries: dict[str, int]  # by kind: of those, q <= 0.05
    ranking: Ranking


class FileEntry(Record):
    """Size and hash of one file."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Part(Record):
    """Files that were written together."""

    key: str  # hash of everything that the part depends on
    files: dict[str, FileEntry]  # path relative to the model's folder


class Manifest(Record):
    """`manifest.json`."""

    schema_version: int = SCHEMA_VERSION
    parts: dict[str, Part]
