"""Which samples serve a concept, and what an edit did to it in them. Never imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Numbers
from unit59.stats.intervals import Mean, mean_interval, wilson
from unit59.stats.rates import Floor


@dataclass(frozen=True)
class Cases:
    """Which samples serve a concept; of those that show it the first half is searched on, the other confirms.

    Attributes:
        shown: samples that show the concept.
        absent: samples that lack it.
    """

    shown: list[int]
    absent: list[int]

    @property
    def search(self) -> list[int]:
        """Samples on which units and sets are looked for."""
        return self.shown[: len(self.shown) // 2]

    @property
    def confirm(self) -> list[int]:
        """Samples that were not looked at before what was found is measured on them."""
        return self.shown[len(self.shown) // 2 :]


@dataclass(frozen=True)
class Answer:
    """What one edit did to the concept in n samples.

    Attributes:
        before: [n], pixels.
        after: [n], pixels.
        pixels: of the grid.
        side: [n], mean absolute change outside the concept's region, 0..255.
        hits: samples in which the concept was erased, or for an insertion came.
        cases: samples in which it could be.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    pixels: int
    side: Numbers
    hits: int
    cases: int

    @property
    def rate(self) -> float:
        """Hits over cases; 0 without cases."""
        return self.hits / self.cases if self.cases else 0.0

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate."""
        _, low, high = wilson(np.array([self.hits]), np.array([self.cases]))
        return float(low[0]), float(high[0])

    @property
    def left(self) -> float:
        """The concept's area after the edit over its area before, all samples together."""
        return float(self.after.sum() / max(self.before.sum(), 1))

    @cached_property
    def effect(self) -> Mean:
        """Paired difference of the concept's share."""
        return mean_interval((self.after - self.before) / self.pixels)


def find_cases(counts: NDArray[Any], concept: int, limit: Floor, most: int) -> Cases:
    """The first samples that show a concept, and the first that lack it.

    Args:
        counts: [N,C] pixels of every concept in all samples.
        concept: its number.
        limit: when it is shown and when absent.
        most: at most so many that show it, and half as many that lack it.
    """
    area = counts[:, concept - 1]
    shown, absent = np.flatnonzero(limit.shows(area)), np.flatnonzero(limit.lacks(area))
    return Cases(shown[:most].tolist(), absent[: most // 2].tolist())
