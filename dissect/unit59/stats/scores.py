"""Scores of edits against what was asked for, with intervals from a bootstrap over samples. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Counts, Numbers
from unit59.stats.intervals import central


class Interval(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def f_score(counts: NDArray[Any]) -> Numbers:
    """Harmonic mean of the found share of what was asked for and the asked-for share of what is shown.

    Args:
        counts: [...,4], summed as wanted; see `unit59.measure.boundaries.count_boundaries`.

    Returns:
        [...], 0 where nothing is found.
    """
    asked, found, shown, wanted = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    recall, precision = found / np.maximum(asked, 1), wanted / np.maximum(shown, 1)
    total = recall + precision
    some = total > 0
    score: Numbers = np.where(some, 2 * recall * precision / np.where(some, total, 1), 0)
    return score


@dataclass(frozen=True)
class Score:
    """A score of E changes, and the same over bootstrap draws of the samples.

    Attributes:
        value: [E].
        drawn: [B,E].
    """

    value: Numbers
    drawn: Numbers

    @property
    def low(self) -> Numbers:
        """Of the 95 % interval, [E]."""
        return self._ends[0]

    @property
    def high(self) -> Numbers:
        """Of the 95 % interval, [E]."""
        return self._ends[1]

    @cached_property
    def _ends(self) -> tuple[Numbers, Numbers]:
        return central(self.drawn)

    @property
    def first(self) -> Interval:
        """Of the first change."""
        return Interval(float(self.value[0]), float(self.low[0]), float(self.high[0]))

    def kept(self, plain: Score, chance: Score) -> Score:
        """What is left of the way from chance (0) to the unchanged network (1); both have one entry."""

        def share(value: Numbers, top: Numbers, bottom: Numbers) -> Numbers:
            way = top - bottom
            some = np.abs(way) > 1e-12
            found: Numbers = np.where(some, (value - bottom) / np.where(some, way, 1), np.nan)
            return found

        return Score(
            share(self.value, plain.value, chance.value), share(self.drawn, plain.drawn, chance.drawn)
        )

    def __getitem__(self, which: slice | list[int]) -> Score:
        return Score(self.value[which], self.drawn[:, which])


class Scorer:
    """Scores from counts of the same n samples, all with the same bootstrap draws.

    Counts are by name: ``both`` and ``either``, int64 [E,n,C], pixels of a concept asked for and shown, asked
    for or shown; ``lines``, int64 [E,n,4], see `unit59.measure.boundaries.count_boundaries`.

    Args:
        weights: int64 [B,n], of the draws (Poisson).
        asked: int64 [C], pixels asked for of every concept; scores average over those that there are.
    """

    def __init__(self, weights: Counts, asked: Counts) -> None:
        self._weights, self._some = weights, asked > 0

    def concepts(self, counts: Mapping[str, NDArray[Any]]) -> Score:
        """IoU of every concept that is asked for (others: NaN), [E,C] and [B,E,C]."""
        both, either = (np.atleast_3d(counts[name]) for name in ("both", "either"))
        return Score(
            self._iou(both.sum(axis=1), either.sum(axis=1)),
            self._iou(
                np.einsum("bn,enc->bec", self._weights, both), np.einsum("bn,enc->bec", self._weights, either)
            ),
        )

    def agreement(self, counts: Mapping[str, NDArray[Any]]) -> Score:
        """Mean IoU over the concepts that are asked for."""
        each = self.concepts(counts)
        return Score(_mean(each.value), _mean(each.drawn))

    def lines(self, counts: Mapping[str, NDArray[Any]]) -> Score:
        """F-score of the boundaries."""
        found = counts["lines"]
        return Score(f_score(found.sum(axis=1)), f_score(np.einsum("bn,enk->bek", self._weights, found)))

    def _iou(self, both: NDArray[Any], either: NDArray[Any]) -> Numbers:
        found: Numbers = np.divide(both, either, out=np.full(both.shape, np.nan), where=either > 0)
        found[..., ~self._some] = np.nan
        return found


def score_columns(name: str, score: Score, row: int) -> dict[str, float]:
    """One change's score and its interval as columns of a table."""
    return {
        name: float(score.value[row]),
        f"{name}_low": float(score.low[row]),
        f"{name}_high": float(score.high[row]),
    }


def _mean(values: Numbers) -> Numbers:
    """Over the last axis, of what there is (a rare concept may be in no sample of a draw)."""
    some = ~np.isnan(values)
    mean: Numbers = np.where(some, values, 0).sum(axis=-1) / np.maximum(some.sum(axis=-1), 1)
    return mean
