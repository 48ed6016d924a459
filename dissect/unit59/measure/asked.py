"""What a conditional model's inputs ask for, pixel by pixel, and how well its pictures show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.arrays import Counts, Numbers
from unit59.foundation.random import poisson_draws
from unit59.samples.cache import SampleCache
from unit59.samples.inputs import LabelledInputs, Pairs
from unit59.samples.label_maps import SegmentedPictures
from unit59.stats.intervals import central

#: What a study says that needs to know what was asked for.
NEEDS_LABELS = (
    "needs inputs of which it is known what each pixel is to show: `inputs: {bedrooms: N}` (with `segmenter: "
    "bedrooms`), `segmented:` (by the recipe's segmenter), or pairs of a label map and a real picture "
    "(`pairs:`, or `labels:` with `images:`), of which the real picture is segmented."
)


@dataclass(frozen=True)
class AskedAgreement:
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


class Request(Protocol):
    """What the inputs ask each pixel of the compared grid to show.

    Attributes:
        plane: of the segmenter, by number, that names what is asked for.
    """

    plane: int

    def of_samples(self, numbers: Sequence[int]) -> Tensor:
        """Int64 [n,h,w], 0 or a concept's number."""


class AskedLabels:
    """Inputs that say it themselves, in labels.

    Args:
        cache: of the run's samples.
        inputs: of the run.
        plane: of the segmenter, that has all of the inputs' concepts.
    """

    def __init__(self, cache: SampleCache, inputs: LabelledInputs, plane: str) -> None:
        self._cache, self._inputs = cache, inputs
        numbers = _numbers(cache, plane)
        places = [0, *(numbers[name] for name in inputs.concepts)]
        self._places = torch.from_numpy(np.array(places, np.int64))
        self.plane = cache.segmenter.planes.index(plane)

    @classmethod
    def of(cls, cache: SampleCache) -> Self | None:
        """None where inputs say nothing of the kind, or what no plane of the segmenter knows."""
        inputs = cache.sampler.inputs
        if not isinstance(inputs, LabelledInputs):
            return None
        # A name may stand in two planes: that of the label maps' own plane is meant.
        own = [inputs.plane] if isinstance(inputs, SegmentedPictures) else []
        for plane in [name for name in own if name in cache.segmenter.planes] + [*cache.segmenter.planes]:
            if set(inputs.concepts) <= set(_numbers(cache, plane)):
                return cls(cache, inputs, plane)
        return None

    def of_samples(self, numbers: Sequence[int]) -> Tensor:
        """Int64 [N,h,w], 0 or a concept's number; each cell takes what is in its middle."""
        labels = self._inputs.labels(numbers)[:, None].double()
        scaled = F.interpolate(labels, size=self._cache.grid, mode="nearest-exact")
        return self._places[scaled[:, 0].long()]


class RealPictures:
    """Of pairs: what the segmenter sees in the real picture that goes with an input, on its first plane.

    Args:
        cache: of the samples.
        pairs: its inputs.
    """

    plane = 0

    def __init__(self, cache: SampleCache, pairs: Pairs) -> None:
        self._cache, self._pairs = cache, pairs

    @torch.no_grad()
    def of_samples(self, numbers: Sequence[int]) -> Tensor:
        """Int64 [n,h,w], 0 or a concept's number."""
        real = self._pairs.wanted.load(numbers).to(self._cache.sampler.device)
        return self._cache.segment(real)[:, self.plane].cpu().long()


def what_is_asked(cache: SampleCache) -> Request | None:
    """Known labels, or those of the real pictures of pairs; None where the inputs say nothing."""
    known: Request | None = AskedLabels.of(cache)
    if known is None and isinstance(cache.sampler.inputs, Pairs):
        known = RealPictures(cache, cache.sampler.inputs)
    return known


def request_of(cache: SampleCache) -> Request:
    """What is asked for, of samples of which a study has checked that it is known."""
    known = what_is_asked(cache)
    assert known is not None  # noqa: S101  # the study's check
    return known


def asked_area(cache: SampleCache, numbers: Sequence[int]) -> Counts:
    """Pixels asked for of every concept, in all the samples: int64 [C]."""
    labels = request_of(cache).of_samples(numbers).flatten().numpy()
    return np.bincount(labels, minlength=len(cache.segmenter.concepts) + 1)[1:].astype(np.int64)


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


def agreement_with_asked(both: Counts, either: Counts, seed: int, draws: int) -> AskedAgreement:
    """IoU of the summed counts [N,C], with a bootstrap over pictures as for units (Poisson weights)."""
    weights = poisson_draws(seed, len(both), draws)
    score, drawn = _iou(both.sum(axis=0), either.sum(axis=0)), _iou(weights @ both, weights @ either)
    some = ~np.isnan(score)
    low, high = central(drawn)  # a rare concept may be in no picture of a draw
    if not some.any():
        return AskedAgreement(score, low, high, (np.nan, np.nan, np.nan))
    mean_low, mean_high = central(np.nanmean(drawn[:, some], axis=1))
    return AskedAgreement(score, low, high, (float(score[some].mean()), float(mean_low), float(mean_high)))


def _iou(both: Counts, either: Counts) -> Numbers:
    found: Numbers = np.divide(both, either, out=np.full(both.shape, np.nan), where=either > 0)
    return found


def _numbers(cache: SampleCache, plane: str) -> dict[str, int]:
    """The segmenter's concepts of one plane: their numbers by name."""
    concepts = enumerate(cache.segmenter.concepts, start=1)
    return {concept.name: number for number, concept in concepts if concept.plane == plane}
