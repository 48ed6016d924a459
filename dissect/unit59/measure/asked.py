"""How well a conditional model's pictures show what they were asked for, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from unit59.measure.agreement import poisson_draws
from unit59.samples.cache import SampleCache
from unit59.samples.inputs import Labelled

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """IoU between what was asked for and what is shown, over all pictures; with 95 % intervals.

    Attributes:
        iou: [C]; NaN where a concept was neither asked for nor shown.
        low: [C].
        high: [C].
        mean: over the concepts that have one: value, low, high.
    """

    iou: Numbers
    low: Numbers
    high: Numbers
    mean: tuple[float, float, float]


class AskedLabels:
    """What a run's inputs ask each pixel of the compared grid to show.

    Args:
        cache: of the run's samples.
        inputs: of the run.
        numbers: the segmenter's number of each of the inputs' concepts.
    """

    def __init__(self, cache: SampleCache, inputs: Labelled, numbers: Sequence[int]) -> None:
        self._cache, self._inputs = cache, inputs
        self._places = from_numpy(np.array([0, *numbers], np.int64))
        #: Of the segmenter, that names these concepts.
        self.plane = cache.segmenter.planes.index(cache.segmenter.concepts[numbers[0] - 1].plane)

    @classmethod
    def of(cls, cache: SampleCache) -> Self | None:
        """None where inputs say nothing of the kind, or what the segmenter does not know."""
        inputs = cache.sampler.inputs
        names = [concept.name for concept in cache.segmenter.concepts]
        if not isinstance(inputs, Labelled) or not set(inputs.concepts) <= set(names):
            return None
        return cls(cache, inputs, [1 + names.index(name) for name in inputs.concepts])

    def of_samples(self, numbers: Sequence[int]) -> Tensor:
        """Int64 [N,h,w], 0 or a concept's number; each cell takes what is in its middle."""
        labels = self._inputs.labels(numbers)[:, None].double()
        scaled = F.interpolate(labels, size=self._cache.grid, mode="nearest-exact")
        return self._places[scaled[:, 0].long()]


def count_asked(
    asked: NDArray[np.integer], shown: NDArray[np.integer], concepts: int
) -> tuple[Counts, Counts]:
    """Per picture and concept, the pixels in both label maps and in either.

    Args:
        asked: [N,pixels], 0 or the number of a concept.
        shown: [N,pixels].
        concepts: how many there are.

    Returns:
        [N,concepts] each.
    """
    both, either = np.zeros((2, len(asked), concepts), np.int64)
    for number in range(1, concepts + 1):
        here, there = asked == number, shown == number
        both[:, number - 1] = (here & there).sum(axis=1)
        either[:, number - 1] = (here | there).sum(axis=1)
    return both, either


def agreement_with_asked(both: Counts, either: Counts, seed: int, draws: int) -> Asked:
    """IoU of the summed counts [N,C], with a bootstrap over pictures as for units (Poisson weights)."""
    weights = poisson_draws(seed, len(both), draws)
    score, drawn = _iou(both.sum(axis=0), either.sum(axis=0)), _iou(weights @ both, weights @ either)
    some = ~np.isnan(score)
    low, high = np.full((2, len(score)), np.nan)
    if not some.any():
        return Asked(score, low, high, (np.nan, np.nan, np.nan))
    # A rare concept may be in no picture of a draw.
    low[some], high[some] = np.nanpercentile(drawn[:, some], [2.5, 97.5], axis=0)
    mean_low, mean_high = np.percentile(np.nanmean(drawn[:, some], axis=1), [2.5, 97.5])
    return Asked(score, low, high, (float(score[some].mean()), float(mean_low), float(mean_high)))


def _iou(both: Counts, either: Counts) -> Numbers:
    found: Numbers = np.divide(both, either, out=np.full(both.shape, np.nan), where=either > 0)
    return found
