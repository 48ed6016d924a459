"""What the study of artifacts hands from measuring to telling, beside its tables. Never imports torch."""

from __future__ import annotations

from typing import Literal

from unit59.results.record import Record
from unit59.stats.scores import Interval

#: Where the bad regions come from.
RegionSource = Literal["labels", "masks", "pictures"]


class Judged(Record):
    """The chosen units on the second half of the samples, beside random sets of the same size."""

    layer: str
    units: list[int]  # the chosen ones, best first
    with_bad: int  # samples with bad regions
    without: int
    score: Interval  # what the units were chosen by: `gone` with labels, `excess` without
    inside: Interval  # mean absolute change of the picture in the bad regions, 0..255
    outside: Interval  # and elsewhere
    spoiled: Interval | None  # share of the good area that is newly bad; None without labels
    random_low: float  # middle 95 % of the random sets' scores
    random_middle: float
    random_high: float
    repairs: bool  # the score is surely above 0
    beyond_random: bool  # and above all but a few random sets
    worst: list[int]  # the samples with the largest bad regions, largest first
    bad_before: list[float]  # share of each of them that is bad
    bad_after: list[float] | None  # None without labels


class ArtifactFacts(Record):
    """`facts.json` of the study: as far as it went."""

    source: RegionSource
    samples: int  # how many were looked at
    with_bad: int  # of them, with bad regions
    share: float  # of all pixels, the bad ones
    half: int  # samples in the first half
    most: int  # units switched off together, at most
    units: int | None  # that were held against the bad regions; None: there is too little to look for
    beyond: int  # of them, units that mark bad regions more than chance does
    judged: Judged | None  # None: no unit does
