"""When a concept is there and when it is not, and how often an edit makes it go or come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Counts
from unit59.stats.intervals import wilson

#: A concept is absent below this part of the floor that it counts as shown from: the gap between the two
#: keeps a few stray pixels from deciding a rate.
ABSENT = 0.1


@dataclass(frozen=True)
class Floor:
    """When a picture shows a concept, and when it lacks it.

    Attributes:
        share: shows it from this share of the grid on.
        pixels: of the grid.
    """

    share: float
    pixels: int

    def shows(self, counts: NDArray[Any]) -> NDArray[np.bool_]:
        """Where there are pixels enough."""
        shown: NDArray[np.bool_] = counts >= self.share * self.pixels
        return shown

    def lacks(self, counts: NDArray[Any]) -> NDArray[np.bool_]:
        """Where there are hardly any (fewer than a tenth of what showing takes, or none)."""
        lacking: NDArray[np.bool_] = (counts < ABSENT * self.share * self.pixels) | (counts == 0)
        return lacking


@dataclass(frozen=True)
class Rates:
    """Erasures and insertions by [...,C].

    Attributes:
        shown: samples that show the concept before.
        erased: of those, samples that lack it after.
        absent: samples that lack it before.
        inserted: of those, samples that show it after.
    """

    shown: Counts
    erased: Counts
    absent: Counts
    inserted: Counts


def rates_of(before: NDArray[Any], after: NDArray[Any], limit: Floor, axis: int) -> Rates:
    """Count erasures and insertions over the samples' axis.

    Args:
        before: pixels, broadcast against `after`.
        after: pixels.
        limit: when a concept is shown and when absent.
        axis: of the samples.
    """
    shown, absent = limit.shows(before), limit.lacks(before)
    return Rates(
        shown=np.broadcast_to(shown, after.shape).sum(axis=axis),
        erased=(shown & limit.lacks(after)).sum(axis=axis),
        absent=np.broadcast_to(absent, after.shape).sum(axis=axis),
        inserted=(absent & limit.shows(after)).sum(axis=axis),
    )


def rate_columns(rates: Rates) -> dict[str, Any]:
    """The counts, and the rates with Wilson's interval, as columns of a table."""
    erasure = wilson(rates.erased, rates.shown)
    insertion = wilson(rates.inserted, rates.absent)
    columns = {
        "shown": rates.shown,
        "erased": rates.erased,
        "erasure_rate": erasure[0],
        "erasure_low": erasure[1],
        "erasure_high": erasure[2],
        "absent": rates.absent,
        "inserted": rates.inserted,
        "insertion_rate": insertion[0],
        "insertion_low": insertion[1],
        "insertion_high": insertion[2],
    }
    return {name: np.asarray(values).reshape(-1) for name, values in columns.items()}
