"""How much of what a picture-to-picture model was asked to draw is there after changes inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.tail import Tail, groups
from unit59.measure.agreement import poisson_draws
from unit59.measure.asked import AskedLabels, count_asked
from unit59.measure.boundaries import count_boundaries, f_score
from unit59.networks import State
from unit59.samples.cache import SampleCache, to_uint8
from unit59.samples.inputs import Pairs

#: Pictures [n,3,H,W] of a changed network, from the state right after a layer and the samples' numbers.
Change = Callable[[State, Sequence[int]], Tensor]
Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

#: What a study says that needs to know what was asked for.
NEEDS_LABELS = (
    "needs inputs of which it is known what each pixel is to show: `inputs: {bedrooms: N}` (with `segmenter: "
    "bedrooms`), `segmented:` (by the recipe's segmenter), or pairs of a label map and a real picture "
    "(`pairs:`, or `labels:` with `images:`), of which the real picture is segmented."
)


class Asked(Protocol):
    """What the inputs ask each pixel of the compared grid to show."""

    plane: int

    def of_samples(self, numbers: Sequence[int]) -> Tensor:
        """Int64 [n,h,w], 0 or a concept's number."""


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
        real = self._pairs.targets(numbers).to(self._cache.sampler.device)
        return self._cache.segment(real)[:, self.plane].cpu().long()


def what_is_asked(cache: SampleCache) -> Asked | None:
    """Known labels, or those of the real pictures of pairs; None where the inputs say nothing."""
    known: Asked | None = AskedLabels.of(cache)
    if known is None and isinstance(cache.sampler.inputs, Pairs):
        known = RealPictures(cache, cache.sampler.inputs)
    return known


@torch.no_grad()
def draw(
    cache: SampleCache,
    layer: str,
    changes: Sequence[Change],
    numbers: Sequence[int],
    advance: Callable[[int], None],
) -> dict[str, NDArray[Any]]:
    """Change the network behind a layer, and count in its pictures what was asked for.

    Args:
        cache: filled; what its inputs ask for is known.
        layer: whose state the changes get.
        changes: E of them.
        numbers: the samples, n of them.
        advance: is told how many pictures are done.

    Returns:
        ``both`` and ``either``, int64 [E,n,C]: pixels of a concept asked for and shown, asked for or shown;
        ``lines``, int64 [E,n,4]: see `count_boundaries`; ``change``, int64 [E,n]: sum over pixels and colours
        of the absolute difference from the unchanged picture, in levels of 0..255.
    """
    asked, tail = what_is_asked(cache), Tail(cache, layer)
    assert asked is not None  # noqa: S101  # the study's check
    rows: list[list[dict[str, NDArray[Any]]]] = [[] for _ in changes]
    for group, count in groups(numbers):
        state, wanted = tail.state(group), asked.of_samples(group)
        plain = to_uint8(tail.image(state)).to(torch.int16)
        for row, change in zip(rows, changes, strict=True):
            image = change(state, group)
            shown = cache.segment(image)[:, asked.plane].cpu().long()
            difference = (to_uint8(image).to(torch.int16) - plain).abs().sum(dim=(1, 2, 3)).long()
            found = counted(wanted, shown, len(cache.segmenter.concepts)) | {"change": difference.numpy()}
            row.append({name: values[:count] for name, values in found.items()})
        advance(len(changes) * count)
    joined = [{k: np.concatenate([part[k] for part in row]) for k in row[0]} for row in rows]
    return {name: np.stack([each[name] for each in joined]) for name in joined[0]}


def counted(asked: Tensor, shown: Tensor, concepts: int) -> dict[str, NDArray[Any]]:
    """Counts of label maps [n,h,w]; see `draw`."""
    both, either = count_asked(asked.flatten(1).numpy(), shown.flatten(1).numpy(), concepts)
    return {"both": both, "either": either, "lines": count_boundaries(asked, shown)}


def by_chance(cache: SampleCache, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
    """The same counts when each unchanged picture is held against what the next sample was asked for."""
    asked = what_is_asked(cache)
    assert asked is not None  # noqa: S101  # the study's check
    height, width = cache.grid
    shown = cache.labels(np.array(numbers))[:, asked.plane].view(-1, height, width)
    others = asked.of_samples([*numbers[1:], numbers[0]])
    return counted(others, shown, len(cache.segmenter.concepts))


def asked_area(cache: SampleCache, numbers: Sequence[int]) -> Counts:
    """Pixels asked for of every concept, in all the samples: int64 [C]."""
    asked = what_is_asked(cache)
    assert asked is not None  # noqa: S101  # the study's check
    labels = asked.of_samples(numbers).flatten().numpy()
    return np.bincount(labels, minlength=len(cache.segmenter.concepts) + 1)[1:].astype(np.int64)


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
        return _percentile(self.drawn, 2.5)

    @property
    def high(self) -> Numbers:
        """Of the 95 % interval, [E]."""
        return _percentile(self.drawn, 97.5)

    @property
    def first(self) -> tuple[float, float, float]:
        """Of the first change: its value, low and high."""
        return float(self.value[0]), float(self.low[0]), float(self.high[0])

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

    def mean(self) -> Score:
        """Over the changes; E is 1."""
        return Score(self.value.mean(keepdims=True), self.drawn.mean(axis=1, keepdims=True))

    def __getitem__(self, which: slice | list[int]) -> Score:
        return Score(self.value[which], self.drawn[:, which])


class Scorer:
    """Scores from counts of the same n samples, all with the same bootstrap draws (Poisson weights).

    Args:
        seed: of the recipe.
        asked: int64 [C], pixels asked for of every concept; scores average over those that there are.
        samples: n.
        draws: B.
    """

    def __init__(self, seed: int, asked: Counts, samples: int, draws: int) -> None:
        self._weights = poisson_draws(seed, samples, draws)
        self._some = asked > 0

    def concepts(self, counts: dict[str, NDArray[Any]]) -> Score:
        """IoU of every concept that is asked for (others: NaN), [E,C] and [B,E,C]."""
        both, either = (np.atleast_3d(counts[name]) for name in ("both", "either"))
        return Score(
            self._iou(both.sum(axis=1), either.sum(axis=1)),
            self._iou(
                np.einsum("bn,enc->bec", self._weights, both), np.einsum("bn,enc->bec", self._weights, either)
            ),
        )

    def agreement(self, counts: dict[str, NDArray[Any]]) -> Score:
        """Mean IoU over the concepts that are asked for."""
        each = self.concepts(counts)
        return Score(_mean(each.value), _mean(each.drawn))

    def lines(self, counts: dict[str, NDArray[Any]]) -> Score:
        """F-score of the boundaries."""
        found = counts["lines"]
        return Score(f_score(found.sum(axis=1)), f_score(np.einsum("bn,enk->bek", self._weights, found)))

    def _iou(self, both: NDArray[Any], either: NDArray[Any]) -> Numbers:
        found: Numbers = np.divide(both, either, out=np.full(both.shape, np.nan), where=either > 0)
        found[..., ~self._some] = np.nan
        return found


def score_columns(name: str, score: Score, row: int) -> dict[str, float]:
    """A score and its interval as columns of a table."""
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


def _percentile(drawn: Numbers, q: float) -> Numbers:
    """Over the draws; NaN where no draw has a value."""
    flat = drawn.reshape(len(drawn), -1)
    some = ~np.isnan(flat).all(axis=0)
    found = np.full(flat.shape[1], np.nan)
    if some.any():
        found[some] = np.nanpercentile(flat[:, some], q, axis=0)
    return found.reshape(drawn.shape[1:])
