"""Areas of concepts without and with edits, as counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Plain:
    """Unedited samples: n of them, C concepts.

    Attributes:
        numbers: the samples.
        counts: int64 [n,C], pixels of each concept on the compared grid.
        pixels: of the grid.
    """

    numbers: list[int]
    counts: NDArray[np.int64]
    pixels: int


@dataclass(frozen=True)
class Outcome:
    """What E edits did to n samples, C concepts; see `unit59.edit.probes.Areas`.

    Attributes:
        counts: int64 [E,n,C], pixels of each concept after the edit.
        change: int64 [E,n], sum over the picture's pixels and colours of the absolute difference in levels
            of 0..255.
        inside: int64 [E,n,C], the part of `change` in the region where the concept was or came.
        region: int64 [E,n,C], pixels of that region, on the picture.
        picture: pixels of a picture.
    """

    counts: NDArray[np.int64]
    change: NDArray[np.int64]
    inside: NDArray[np.int64]
    region: NDArray[np.int64]
    picture: int

    @property
    def side(self) -> NDArray[np.float64]:
        """Side effect [E,n,C]: mean absolute change, 0..255, outside the concept's region."""
        outside = self.picture - self.region
        return np.where(
            outside > 0, (self.change[:, :, None] - self.inside) / (3 * np.maximum(outside, 1)), 0.0
        )

    @property
    def mean_change(self) -> NDArray[np.float64]:
        """Mean absolute change of each whole picture, [E,n], 0..255."""
        return self.change / (3 * self.picture)
