"""The results' schema: tables, JSON records and the version they carry."""

from __future__ import annotations

from typing import Any, Literal, get_args

import polars as pl

from unit59.results.record import SCHEMA_VERSION, Name, Record
from unit59.results.report import ReportRecord

#: The report's cut (and GAN Dissection's for small units): IoU at or above it is "interpretable".
INTERPRETABLE_IOU = 0.05

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
    "found": pl.Boolean,  # q <= 0.05
    "beyond_others": pl.Boolean,  # the effect lies outside others_low..others_high; null without others
    "unusual": pl.Float64,  # how far it stands out: its size over the width of the others' effects, or 0
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
    "concept": pl.Int32,  # of those, where it stands out most from other units; null: none
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
#: One row a relation between agreement and effect over the layer's measured units.
RELATIONS: dict[str, Any] = {
    # label: IoU with the label, and loss of it; any: the same IoU, and the size of the largest effect on any
    # concept; concept: IoU with one concept, and loss of it
    "of": pl.String,
    "concept": pl.Int32,  # of a relation of one concept, else null
    "label": pl.String,
    "plane": pl.String,
    "kind": pl.String,  # of edit: ablate
    "units": pl.Int32,
    "rho": pl.Float64,  # Spearman's rank correlation; null: fewer than ten units, or one side all equal
    "low": pl.Float64,  # 95 % bootstrap interval over units
    "high": pl.Float64,
}
#: Search: one row a (layer, order, number of units off).
STAIRCASE: dict[str, Any] = {
    "layer": pl.String,
    "order": pl.String,  # iou, effect; in a study of sets also ace, random
    "draw": pl.Int32,  # of a random order; else null
    "kind": pl.String,  # ablate, insert
    "count": pl.Int32,  # units edited: the first so many of the order
    "unit": pl.Int32,  # the last of them
    "left": pl.Float64,  # ablate: the concept's area after the edit over its area before
    "effect": pl.Float64,  # mean paired difference of its share, with 95 % interval
    "low": pl.Float64,
    "high": pl.Float64,
    "hits": pl.Int32,  # samples in which it was erased (ablate) or came (insert)
    "cases": pl.Int32,  # samples that show it, or lack it
    "rate": pl.Float64,
    "rate_low": pl.Float64,
    "rate_high": pl.Float64,
    "side": pl.Float64,  # mean absolute change outside the concept's region, 0..255
}
#: Search: one row a (layer, unit), each switched off alone.
ALONE: dict[str, Any] = {
    "layer": pl.String,
    "unit": pl.Int32,
    "iou": pl.Float64,
    "left": pl.Float64,
    "erased": pl.Int32,
    "shown": pl.Int32,
    "confirmed": pl.Boolean,  # also measured on the confirming samples: the last three columns are theirs
    "rate": pl.Float64,
    "rate_low": pl.Float64,
    "rate_high": pl.Float64,
}
#: Search: one row a (layer, sample).
CASES: dict[str, Any] = {
    "layer": pl.String,
    "sample": pl.Int32,
    "kind": pl.String,  # ablate: the sample shows the concept; insert: it lacks it
    "before": pl.Float64,  # share of the grid
    "after": pl.Float64,  # with the units edited
    "all_but": pl.Float64,  # with the others that come first off and the units on; null for insert
    "side": pl.Float64,
}
#: Search: one row a (layer, concept), what else the ablation changes.
SPECIFICITY: dict[str, Any] = {
    "layer": pl.String,
    "concept": pl.Int32,
    "label": pl.String,
    "plane": pl.String,
    "before": pl.Float64,
    "effect": pl.Float64,
    "se": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "q": pl.Float64,  # Benjamini-Hochberg over the concepts
    "random_low": pl.Float64,  # range of 95 % of the random sets' effects
    "random_high": pl.Float64,
}
#: Search and sets: one row a (layer, kind, draw): random other units, as many.
RANDOM_SETS: dict[str, Any] = {
    "layer": pl.String,
    "kind": pl.String,
    "draw": pl.Int32,
    "units": pl.List(pl.Int32),
    "left": pl.Float64,
    "hits": pl.Int32,
    "cases": pl.Int32,
    "rate": pl.Float64,
    "side": pl.Float64,
}
STUDY_TABLES = {
    "staircase.parquet": STAIRCASE,
    "alone.parquet": ALONE,
    "cases.parquet": CASES,
    "specificity.parquet": SPECIFICITY,
    "random.parquet": RANDOM_SETS,
}
EFFECT_TABLES = {
    "effects.parquet": EFFECTS,
    "unit_effects.parquet": UNIT_EFFECTS,
    "attribution.parquet": ATTRIBUTION,
    "relations.parquet": RELATIONS,
}
LAYER_TABLES = {
    "units.parquet": UNITS,
    "agreement.parquet": AGREEMENT,
    "activations.parquet": ACTIVATIONS,
    "similar.parquet": SIMILAR,
}


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
    overlap_samples: int = 0  # the first samples, on which mask overlaps were counted; 0: not said
    sampling: dict[str, str] = {}  # how they were drawn: truncation, noise, class, mode of the network
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


class RankingCheck(Record):
    """How well the ranking predicts what one kind of edit was measured to do."""

    kind: str
    spearman: float | None  # over measured units, between estimated and measured score
    low: float | None  # 95 % bootstrap interval over units
    high: float | None
    top: int  # how many units count as the strongest: a tenth of the measured ones
    missed: list[int]  # of the strongest by measurement, those that are not among the strongest by ranking


class Ranking(Record):
    """The cheap ranking of a layer's units, beside what measuring them gave.

    A unit's score is its largest effect on any concept, relative to the concept's root mean square over the
    layer's units; estimated and measured scores are of the same concepts.
    """

    by: str  # attribution, or iou where the segmenter has no differentiable scores
    units: int  # of the layer
    measured: int
    low_ranked: list[int]  # measured units drawn at random from below the budget's cut
    checks: list[RankingCheck]


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


class Rate(Record):
    """How often, with Wilson's 95 % interval."""

    hits: int
    cases: int
    rate: float
    low: float
    high: float


class Rule(Record):
    """A rule that a verdict stands on, with the number that decided it."""

    name: str
    says: str
    value: float
    bound: float
    met: bool


Verdict = Literal["sole cause", "one of few", "distributed", "none", "too rare"]
#: The strongest claim first.
STRENGTH: tuple[Verdict, ...] = get_args(Verdict)


class StudyPicture(Record):
    """A strip of a study: samples side by side, one row a state."""

    file: Name  # in the study's folder `pictures`
    layer: Name
    rows: list[str]  # before, off, rest off, all off, on; claimed off: the claim's unit alone
    units: list[int]  # that are off or on
    samples: list[int]  # left to right, the first of theirs: nothing is picked by hand


class LayerSearch(Record):
    """What the search for a cause found in one layer. Rates are of the confirming samples."""

    layer: Name
    units: int  # of the layer
    verdict: Verdict
    causes: list[int]  # the units that the verdict names; empty for none
    tried: list[int]  # the units that all numbers below are of: the causes, or what came nearest
    rules: list[Rule]
    order: str | None  # the order whose shortest erasing prefix is the shortest: iou or effect
    prefix: int | None  # how long that is; null where no prefix erases
    jump_unit: int | None  # the last unit of that prefix
    jump_from: float | None  # what is left of the concept's area one unit before
    jump_to: float | None  # and with it
    minimal: list[int]  # a subset of the prefix that erases while no smaller subset of it by one unit does
    minimised: bool  # false: the budget ended first, and `minimal` is only an upper bound
    left: float  # area with `tried` off over area before
    effect: float  # mean paired difference of the share
    low: float
    high: float
    erasure: Rate  # `tried` off
    rest: list[int]  # the others that come first in the order: the erasing prefix, at least 16 units
    all_but: Rate | None  # `rest` off, `tried` on
    insertion: Rate  # `tried` on, in samples that lack the concept
    side: float  # mean absolute change outside the concept's region, 0..255
    random_left: float  # means and largest over random sets of as many other units
    random_erasure: float
    random_erasure_max: float
    random_insertion: float
    random_insertion_max: float
    random_side: float


class Claim(Record):
    """What someone said to be the cause of a concept."""

    text: str
    source: str = ""
    network: str = ""  # that it is about, where it is another one than the model
    layer: str
    unit: int


class SearchRecord(Record):
    """`studies/<name>/study.json` of a search for the cause of a concept."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["search"] = "search"
    name: Name
    title: str = ""  # of the finding's page, where the recipe gives one
    claim: Claim | None = None
    concept: int
    label: str
    plane: str
    verdict: Verdict  # the strongest over the layers
    layer: Name | None  # where
    causes: list[int]
    layers: list[LayerSearch]
    floor: float
    absent: float
    search: list[int]  # samples that show the concept, on which units were looked for
    confirm: list[int]  # samples that show it, on which what was found was measured
    lacking: list[int]  # samples that lack it
    probe: int | None = None  # units of a layer switched off alone, the first ranked; null: all
    ranked_by: str = "iou"  # what ranked them: attribution or iou
    shown_by: int  # of all samples, how many show it
    samples: int
    random_sets: int
    erases: float  # a set erases when the rate is at least this
    pictures: list[StudyPicture]


class Smallest(Record):
    """The smallest set that erases, found along one order."""

    order: str
    prefix: int | None  # null: no prefix of the order erases
    units: list[int]
    minimised: bool
    erasure: Rate | None  # on the confirming samples
    left: float | None
    side: float | None


class AceRecord(Record):
    """The set that maximises the average causal effect."""

    alpha: list[float]  # by unit
    ace: float  # at places and samples drawn anew, with 95 % interval
    low: float
    high: float
    steps: int
    penalty: float


class SetsRecord(Record):
    """`studies/<name>/study.json` of a study of unit sets of one layer."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["sets"] = "sets"
    name: Name
    layer: Name
    units: int
    concept: int
    label: str
    plane: str
    orders: dict[str, list[int]]  # iou, effect, ace where the segmenter has scores
    random_orders: int
    ace: AceRecord | None  # null: the segmenter has no differentiable scores for the concept
    smallest: list[Smallest]
    floor: float
    absent: float
    search: list[int]
    confirm: list[int]
    lacking: list[int]
    shown_by: int
    samples: int
    erases: float
    pictures: list[StudyPicture]


StudyRecord = SearchRecord | SetsRecord | ReportRecord
#: A study's record by its kind.
STUDY_RECORDS: dict[str, Any] = {"search": SearchRecord, "sets": SetsRecord, "report": ReportRecord}
