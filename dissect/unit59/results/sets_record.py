"""What `studies/<name>/study.json` of a study of unit sets holds."""

from __future__ import annotations

from typing import Literal

from unit59.results.record import SCHEMA_VERSION, Count, Line, Name, Record
from unit59.results.search_record import Rate, StudyPicture


class Smallest(Record):
    """The smallest set that erases, found along one order."""

    order: Line
    """In which units go off: iou, effect, ace."""
    prefix: Count | None
    """The fewest first units of the order that erase; null: none do."""
    units: list[Count]
    """The set: some of these units, which are enough."""
    minimised: bool
    """False: the budget ended first, and the set is only an upper bound."""
    erasure: Rate | None
    """On the confirming samples."""
    left: float | None
    """Area with them off over area before."""
    side: float | None
    """Mean absolute change outside the concept's region, 0..255."""


class AceRecord(Record):
    """The set that maximises the average causal effect."""

    alpha: list[float]
    """By unit, how far it is in the set: 0 to 1."""
    ace: float
    """At places and samples drawn anew, with 95 % interval."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end."""
    steps: Count
    """Of the optimisation."""
    penalty: float
    """Weight of the penalty on units."""


class SetsRecord(Record):
    """A study of unit sets of one layer."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    kind: Literal["sets"] = "sets"
    """Of study."""
    name: Name
    """The study's name, which is its folder's."""
    layer: Name
    """The layer."""
    units: Count
    """Of the layer."""
    concept: Count
    """Its number, as in concepts.parquet."""
    label: Line
    """Its name."""
    plane: Line
    """Its plane."""
    orders: dict[str, list[Count]]
    """All units by order: iou, effect, ace where the segmenter has scores."""
    random_orders: Count
    """How many random orders were gone through."""
    ace: AceRecord | None
    """Null: the segmenter has no differentiable scores for the concept."""
    smallest: list[Smallest]
    """By order, the smallest set that erases."""
    floor: float
    """A sample shows the concept from this share of the grid on."""
    absent: float
    """And lacks it below this share."""
    search: list[Count]
    """Samples that show the concept, on which units were looked for."""
    confirm: list[Count]
    """Samples that show it, on which what was found was measured."""
    lacking: list[Count]
    """Samples that lack it."""
    shown_by: Count
    """Of all samples, how many show it."""
    samples: Count
    """All samples."""
    erases: float
    """A set erases when the rate is at least this."""
    pictures: list[StudyPicture]
    """The strips."""
