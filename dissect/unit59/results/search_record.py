"""What `studies/<name>/study.json` of a search for the cause of a concept holds."""

from __future__ import annotations

from typing import Literal, get_args

from unit59.results.record import SCHEMA_VERSION, Count, Line, Name, Record


class Rate(Record):
    """How often, with Wilson's 95 % interval."""

    hits: Count
    """Samples in which it happened."""
    cases: Count
    """Samples in which it could."""
    rate: float
    """Hits over cases."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end."""


class Rule(Record):
    """A rule that a verdict stands on, with the number that decided it."""

    name: Line
    """What the rule is called."""
    says: str
    """The rule as a sentence."""
    value: float
    """What was measured."""
    bound: float
    """What it is held against."""
    met: bool
    """Whether it holds."""


Verdict = Literal["sole cause", "one of few", "distributed", "none", "too rare"]
#: The strongest claim first.
STRENGTH: tuple[Verdict, ...] = get_args(Verdict)


class StudyPicture(Record):
    """A strip of a study: samples side by side, one row a state."""

    file: Name
    """Its file in the study's folder `pictures`."""
    layer: Name
    """The layer."""
    rows: list[Line]
    """Its states: before, off, rest off, all off, on; claimed off: the claim's unit alone."""
    units: list[Count]
    """Numbers of the units that are off or on."""
    samples: list[Count]
    """Numbers of the samples, left to right, the first of theirs: nothing is picked by hand."""


class LayerSearch(Record):
    """What the search for a cause found in one layer. Rates are of the confirming samples."""

    layer: Name
    """The layer."""
    units: Count
    """How many units the layer has."""
    verdict: Verdict
    """What the evidence amounts to."""
    causes: list[Count]
    """The units that the verdict names; empty for none."""
    tried: list[Count]
    """The units that all numbers below are of: the causes, or what came nearest."""
    rules: list[Rule]
    """What the verdict stands on."""
    order: Line | None
    """The order whose shortest erasing prefix is the shortest: iou or effect."""
    prefix: Count | None
    """How long that is; null where no prefix erases."""
    jump_unit: Count | None
    """The last unit of that prefix."""
    jump_from: float | None
    """What is left of the concept's area one unit before."""
    jump_to: float | None
    """And what is left with it."""
    minimal: list[Count]
    """A subset of the prefix that erases while no smaller subset of it by one unit does."""
    minimised: bool
    """False: the budget ended first, and `minimal` is only an upper bound."""
    left: float
    """Area with `tried` off over area before."""
    effect: float
    """Mean paired difference of the share."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end."""
    erasure: Rate
    """How often the concept goes with `tried` off."""
    rest: list[Count]
    """The others that come first in the order: the erasing prefix, at least 16 units."""
    all_but: Rate | None
    """The same with `rest` off and `tried` on."""
    insertion: Rate
    """How often it comes with `tried` on, in samples that lack it."""
    side: float
    """Mean absolute change outside the concept's region, 0..255."""
    random_left: float
    """Mean area left over random sets of as many other units."""
    random_erasure: float
    """Mean erasure rate of the random sets."""
    random_erasure_max: float
    """Their largest erasure rate."""
    random_insertion: float
    """Their mean insertion rate."""
    random_insertion_max: float
    """Their largest insertion rate."""
    random_side: float
    """Their mean change outside the concept's region."""


class Claim(Record):
    """What someone said to be the cause of a concept."""

    text: str
    """What was said."""
    source: str = ""
    """Where."""
    network: Line = ""
    """The network that it is about, where it is another one than the model."""
    layer: Line
    """The layer."""
    unit: Count
    """The unit."""


class SearchRecord(Record):
    """A search for the cause of a concept."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    kind: Literal["search"] = "search"
    """Of study."""
    name: Name
    """The study's name, which is its folder's."""
    title: Line = ""
    """Of the finding's page, where the recipe gives one."""
    claim: Claim | None = None
    """What someone said to be the cause, where the recipe gives it."""
    concept: Count
    """Its number, as in concepts.parquet."""
    label: Line
    """Its name."""
    plane: Line
    """Its plane."""
    verdict: Verdict
    """The strongest over the layers."""
    layer: Name | None
    """The layer of that verdict; of several the one that erases most often; null: too rare."""
    causes: list[Count]
    """The units that it names there; empty for none."""
    layers: list[LayerSearch]
    """What was found, layer by layer."""
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
    probe: Count | None = None
    """Units of a layer switched off alone, the first ranked; null: all."""
    ranked_by: str = "iou"
    """What ranked them: attribution or iou."""
    shown_by: Count
    """Of all samples, how many show it."""
    samples: Count
    """All samples."""
    random_sets: Count
    """How many random sets of as many units were edited."""
    erases: float
    """A set erases when the rate is at least this."""
    pictures: list[StudyPicture]
    """The strips."""
