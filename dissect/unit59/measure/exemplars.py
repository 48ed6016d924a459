"""The samples in which a unit is strongest and weakest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from unit59.foundation.arrays import Counts, Singles


@dataclass(frozen=True)
class Exemplars:
    """The samples in which U units are strongest and weakest.

    A sample's peak is the unit's largest value in it; among equal peaks the smaller sample number comes
    first, so that the choice does not depend on batches.

    Attributes:
        strongest: [U,K], samples with the largest peaks, strongest first.
        strongest_peaks: [U,K].
        weakest: [U,K], samples with the smallest peaks, weakest first.
    """

    strongest: Counts
    strongest_peaks: Singles
    weakest: Counts


def find_exemplars(peaks: Iterable[Singles], count: int) -> Exemplars:
    """Look at all samples' peaks once, in order.

    Args:
        peaks: [n,U] of some samples, again and again.
        count: K, how many samples to name at either end (fewer where there are fewer samples).
    """
    strongest, weakest, first = _Best(count), _Best(count), 0
    for part in peaks:
        strongest.add(first, part)
        weakest.add(first, -part)
        first += len(part)
    return Exemplars(strongest.numbers, strongest.values, weakest.numbers)


class _Best:
    """The `count` largest values of every unit so far, and of which samples they are."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.values, self.numbers = np.empty((0, 0), np.float32), np.empty((0, 0), np.int64)

    def add(self, first: int, values: Singles) -> None:
        """Of samples from the first on, [n,U]."""
        numbers = np.broadcast_to(np.arange(first, first + len(values)), values.T.shape)
        if len(self.values):
            values, numbers = np.hstack([self.values, values.T]), np.hstack([self.numbers, numbers])
        else:
            values = values.T
        # Stable, and earlier samples stand first: ties go to the smaller number.
        order = np.argsort(-values, axis=1, kind="stable")[:, : self.count]
        self.values = np.take_along_axis(values, order, 1)
        self.numbers = np.take_along_axis(numbers, order, 1)
