"""The thin tail of maps: the cells from which a value above a floor can come, upsampled or not.

A bilinear value lies between its four corners, which are neighbours: so a cell matters where it or one of its
eight neighbours passes the unit's floor. All others read as the floor itself, and every value above it is
what the whole maps give, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Singles
from unit59.foundation.compiled import compiled

#: Samples that the first floors are taken from.
LOOK = 32
#: Cells of a map whose position fits into two bytes.
_SMALL = 1 << 16


@dataclass(frozen=True)
class Thin:
    """Where maps are kept thin.

    Attributes:
        layers: the network's; by default none.
        shares: of the values on the compared grid, and of those of the maps themselves, the largest that
            measurements look at.
        states: of how many samples, from the first, whole activations of these layers are kept once they
            are asked for, as interventions do again and again.
    """

    layers: frozenset[str] = frozenset()
    shares: tuple[float, float] = (0.0, 0.0)
    states: int = 0


@dataclass(frozen=True)
class ThinMaps:
    """Of n samples' maps of U units.

    Attributes:
        size: height and width of a map.
        floors: float32 [U].
        counts: int32 [n,U], cells kept of each map.
        cells: uint16 or int32 [K], row-major positions, map by map.
        values: float32 [K].
    """

    size: tuple[int, int]
    floors: Singles
    counts: NDArray[np.int32]
    cells: NDArray[np.integer]
    values: Singles

    @classmethod
    def of(cls, maps: Singles, floors: Singles) -> Self:
        """Of finite maps [n,U,h,w], all that may pass floors [U]."""
        samples, units, height, width = maps.shape
        counts = np.zeros((samples, units), np.int32)
        cells: NDArray[Any] = np.empty(maps.size, np.uint16 if height * width <= _SMALL else np.int32)
        values = np.empty(maps.size, np.float32)
        near = np.zeros((height + 2, width + 2), np.bool_)
        found = _thin(np.ascontiguousarray(maps), floors, near, counts, cells, values)
        return cls((height, width), floors, counts, cells[:found].copy(), values[:found].copy())

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Of all samples of the parts, in their order; they have the same floors."""
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("counts", "cells", "values")
        }
        return cls(parts[0].size, parts[0].floors, **joined)

    def maps(self, first: int = 0, stop: int | None = None) -> Singles:
        """Float32 [n,U,h,w] of some of the samples: whole above the floors, which stand elsewhere."""
        counts = self.counts[first:stop]
        begin = int(self.counts[:first].sum(dtype=np.int64))
        found = np.empty((*counts.shape, self.size[0] * self.size[1]), np.float32)
        found[:] = self.floors[:, None]
        _fill(counts, self.cells[begin:], self.values[begin:], found)
        return found.reshape(*counts.shape, *self.size)

    def arrays(self) -> dict[str, Any]:
        """By name, for storing."""
        return {**vars(self), "size": np.array(self.size)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """What `arrays` gave."""
        return cls(**dict(arrays, size=tuple(arrays["size"].tolist())))


@compiled
def _thin(
    maps: Singles,
    floors: Singles,
    near: NDArray[np.bool_],
    counts: NDArray[np.int32],
    cells: NDArray[Any],
    values: Singles,
) -> int:
    """Fill in the cells at or beside those that pass their floor; how many there are.

    Args:
        maps: [n,U,h,w].
        floors: [U].
        near: [h + 2,w + 2], false everywhere, before and after.
        counts: filled: cells of each map.
        cells: filled.
        values: filled.
    """
    samples, units, height, width = maps.shape
    found = 0
    for sample in range(samples):
        for unit in range(units):
            floor, some, before = floors[unit], False, found
            for row in range(height):
                for column in range(width):
                    if maps[sample, unit, row, column] > floor:
                        near[row : row + 3, column : column + 3] = True
                        some = True
            if not some:
                continue
            for row in range(height):
                for column in range(width):
                    if near[row + 1, column + 1]:
                        cells[found] = row * width + column
                        values[found] = maps[sample, unit, row, column]
                        found += 1
            near[:] = False
            counts[sample, unit] = found - before
    return found


@compiled
def _fill(counts: NDArray[np.int32], cells: NDArray[Any], values: Singles, maps: Singles) -> None:
    """Write kept cells into maps [n,U,pixels]."""
    samples, units = counts.shape
    place = 0
    for sample in range(samples):
        for unit in range(units):
            for _ in range(counts[sample, unit]):
                maps[sample, unit, np.int64(cells[place])] = values[place]
                place += 1
