"""What `layers/<layer>/effects/effects.json` holds: how the layer's effects were measured."""

from __future__ import annotations

from unit59.results.record import SCHEMA_VERSION, Count, Name, Record


class RankingCheck(Record):
    """How well the ranking predicts what one kind of edit was measured to do."""

    kind: str
    """The kind of edit."""
    spearman: float | None
    """Over measured units, between estimated and measured score."""
    low: float | None
    """Lower end of its 95 % bootstrap interval over units."""
    high: float | None
    """Upper end."""
    top: Count
    """How many units count as the strongest: a tenth of the measured ones."""
    missed: list[Count]
    """Of the strongest by measurement, those that are not among the strongest by ranking."""


class Ranking(Record):
    """The cheap ranking of a layer's units, beside what measuring them gave.

    A unit's score is its largest effect on any concept, relative to the concept's root mean square over the
    layer's units; estimated and measured scores are of the same concepts.
    """

    by: str
    """What ranked them: attribution, iou where the segmenter has no differentiable scores, or nothing."""
    units: Count
    """Of the layer."""
    measured: Count
    """How many were measured."""
    low_ranked: list[Count]
    """Measured units drawn at random from below the budget's cut."""
    checks: list[RankingCheck]
    """By kind of edit, what the ranking foretold."""


class EffectsRecord(Record):
    """How the layer's effects were measured."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    layer: Name
    """What its units are called: the layer's name, and behind it the handle's, if they are no channels."""
    handle: Name
    """What a unit is."""
    beside: Name | None
    """Of units without maps, the layer to whose channels they belong: unit k to channel k."""
    kinds: list[str]
    """Kinds of edits."""
    samples: Count
    """The first of `numbers`: the fixed samples that effects are means over."""
    numbers: list[Count]
    """All samples measured; those behind the fixed ones serve the rates only."""
    floor: float
    """A sample shows a concept from this share of the grid on."""
    absent: float
    """And lacks it below this share: gone, or not there to begin with."""
    ablate: str
    """What ablation sets units to: zero or mean."""
    shift: float | None
    """Standard deviations over samples, for down and up."""
    tests: dict[str, Count]
    """By kind: p-values in the Benjamini-Hochberg family."""
    discoveries: dict[str, Count]
    """By kind: of those, q <= 0.05."""
    ranking: Ranking
    """Which units were measured, and what that missed."""
