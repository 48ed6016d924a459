"""Which units mark bad regions: their masks held against what is bad, and against the same by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from torch import Tensor

from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure.agreement import count_agreement, interval, iou, null_scores
from unit59.samples.cache import SampleCache
from unit59.samples.shards import SHARD
from unit59.studies.dissected import Dissected


@dataclass(frozen=True)
class BadSamples:
    """A model's samples, and what is bad in them.

    Attributes:
        model: that is studied.
        bad: bool [samples,h,w].
        labels: whether known labels say what is bad.
    """

    model: Dissected
    bad: Tensor
    labels: bool

    @property
    def any(self) -> list[bool]:
        """By sample, whether anything is bad."""
        found: list[bool] = self.bad.flatten(1).any(dim=1).tolist()
        return found


def marks(samples: BadSamples, layer: str, half: Sequence[int]) -> pl.DataFrame:
    """How well each unit's mask agrees with what is bad, and what chance gives: a row a unit."""
    measurer = samples.model.bench.measurer
    recipe, count = measurer.recipe, len(half)
    bad = samples.bad[list(half)].flatten(1).long()[:, None]
    thresholds = measurer.thresholds(layer).value
    with samples.model.step(f"{layer}: marks", count, "samples") as tick:
        agreement = count_agreement(
            _activations(samples.model.bench.cache, layer, half, thresholds, tick),
            lambda places: bad[places],
            measurer.grid(layer),
            thresholds,
            1,
            count,
            Bootstrap(recipe.seed, recipe.bootstrap),
            null_shifts(recipe.seed, count, recipe.shuffles),
        )
    score, null = iou(agreement.both, agreement.mask, agreement.area)[:, 0], null_scores(agreement)
    low, high = interval(agreement)
    return pl.DataFrame(
        {
            "layer": [layer] * len(score),
            "unit": np.arange(len(score)),
            "iou": score,
            "iou_low": low[:, 0],
            "iou_high": high[:, 0],
            "null": null.mean[:, 0],
            "null_99": null.bound[:, 0],
            "bad_share": agreement.both[:, 0] / np.maximum(agreement.mask, 1),
            "beyond": score > null.bound[:, 0],
        }
    )


def candidates(units: pl.DataFrame, most: int) -> dict[str, list[int]]:
    """By layer, at most so many units that are beyond chance, best first; of the sorted table of marks."""
    found: dict[str, list[int]] = {}
    for layer, unit in units.filter("beyond").select("layer", "unit").iter_rows():
        found.setdefault(layer, []).append(unit)
    return {layer: each[:most] for layer, each in found.items()}


def _activations(
    cache: SampleCache, layer: str, half: Sequence[int], floors: Tensor, tick: Callable[[int], None]
) -> Iterator[tuple[int, Tensor]]:
    """Activations of a half's samples, by their place in it."""
    first = 0
    for shard in range(len(cache.shards)):
        rows = [number % SHARD for number in half if number // SHARD == shard]
        if rows:
            yield first, cache.activations(layer, shard, floors)[rows]
            first += len(rows)
            tick(len(rows))
