"""The compared grid: a unit's map, upsampled to the resolution of the masks, but only where it matters.

Upsampling is bilinear with half-pixel centres and clamped borders. It is computed in double precision and
rounded to float32, so that the order of operations does not show. A unit's mask covers about one percent of
the grid, and a bilinear value never exceeds the largest of its four corners: so the native map is cut into
cells (the squares between four neighbouring centres), and only cells with a corner above the threshold are
upsampled at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.measure import kernels

#: Upsampled values in memory at once.
BLOCK = 1 << 22


@dataclass(frozen=True)
class Hits:
    """Grid pixels at which units pass their floor: row by row, where row r is unit r % U of sample r // U.

    Attributes:
        units: U.
        begin: row of the first of `ends`.
        ends: int64 [rows], where each row's hits end.
        pixel: int32 [K], row-major position on the grid; within a row in no particular order.
        value: float32 [K].
    """

    units: int
    begin: int
    ends: Tensor
    pixel: Tensor
    value: Tensor

    @property
    def sizes(self) -> Tensor:
        """int64 [rows], how many hits each has."""
        return torch.diff(self.ends, prepend=self.ends.new_zeros(1))

    @property
    def row(self) -> Tensor:
        """int64 [K]."""
        rows = torch.arange(self.begin, self.begin + len(self.ends), device=self.ends.device)
        return rows.repeat_interleave(self.sizes)

    @property
    def sample(self) -> Tensor:
        """int64 [K], row of the batch."""
        return self.row // self.units

    @property
    def unit(self) -> Tensor:
        """int64 [K]."""
        return self.row % self.units


class Grid:
    """Bilinear upsampling from a native map to the compared grid.

    Args:
        native: height and width of the unit's map.
        size: height and width of the grid.
        device: where the work is done: compiled loops on the processor, torch's operations elsewhere.
        compiled: False uses torch's operations on the processor too.
    """

    def __init__(
        self,
        native: tuple[int, int],
        size: tuple[int, int],
        device: torch.device | str = "cpu",
        *,
        compiled: bool = True,
    ) -> None:
        self.native, self.size = native, size
        self.compiled = compiled and torch.device(device).type == "cpu"
        self._rows = _Axis.of(native[0], size[0], device)
        self._columns = _Axis.of(native[1], size[1], device)

    @property
    def pixels(self) -> int:
        """Pixels of the grid."""
        return self.size[0] * self.size[1]

    def hits(self, activations: Tensor, floors: Tensor) -> Iterator[Hits]:
        """The pixels with a value strictly greater than the unit's floor, block by block.

        Args:
            activations: float32 [N,U,h,w].
            floors: float32 [U].
        """
        if self.compiled:
            yield from self._compiled_hits(activations, floors)
            return
        if self.native == self.size:
            yield self._as_they_are(activations, floors)
            return
        padded = F.pad(activations, (1, 1, 1, 1), mode="replicate")
        corner = padded > floors[:, None, None]
        side = corner[:, :, 1:] | corner[:, :, :-1]
        above = side[..., 1:] | side[..., :-1]
        above &= self._rows.used[:, None] & self._columns.used[None, :]
        cells = above.nonzero()
        step = max(1, BLOCK // (self._rows.most * self._columns.most))
        for block in torch.split(cells, step):
            yield self._upsample(padded, floors, block)

    def _compiled_hits(self, activations: Tensor, floors: Tensor) -> Iterator[Hits]:
        units = activations.shape[1]
        rows = len(activations) * units
        room = min(max(BLOCK, self.pixels), rows * self.pixels)
        maps, limits = activations.contiguous().numpy(), floors.numpy()
        begin = 0
        while begin < rows:
            ends, pixels = np.empty(rows - begin, np.int64), np.empty(room, np.int32)
            values = np.empty(room, np.float32)
            if self.native == self.size:
                stop = kernels.select(maps.reshape(*maps.shape[:2], -1), limits, begin, ends, pixels, values)
            else:
                axes = self._rows.arrays, self._columns.arrays
                stop = kernels.upsample(maps, limits, begin, *axes, self.size[1], ends, pixels, values)
            ends = ends[: stop - begin]
            found = int(ends[-1])
            parts = (torch.from_numpy(part) for part in (ends, pixels[:found], values[:found]))
            yield Hits(units, begin, *parts)
            begin = stop

    def _as_they_are(self, activations: Tensor, floors: Tensor) -> Hits:
        """The hits of maps that have the grid's size: every weight of the upsampling is 0 or 1."""
        above = activations > floors[:, None, None]
        row, column = above.nonzero(as_tuple=True)[2:]
        counts = above.flatten(2).sum(2).reshape(-1)
        pixel = (row * self.size[1] + column).int()
        return Hits(activations.shape[1], 0, counts.cumsum(0), pixel, activations[above] + 0.0)

    def _upsample(self, padded: Tensor, floors: Tensor, cells: Tensor) -> Hits:
        sample, unit, row, column = cells.unbind(1)
        corners = [
            padded[sample, unit, row + down, column + right].double()[:, None, None]
            for down in (0, 1)
            for right in (0, 1)
        ]
        y, x = self._rows.fraction[row][:, :, None], self._columns.fraction[column][:, None, :]
        top = corners[0] * (1 - x) + corners[1] * x
        bottom = corners[2] * (1 - x) + corners[3] * x
        values = (top * (1 - y) + bottom * y).float() + 0.0  # + 0.0: there is one zero
        inside = values > floors[unit][:, None, None]
        inside &= self._rows.valid[row][:, :, None] & self._columns.valid[column][:, None, :]
        cell, down, right = inside.nonzero(as_tuple=True)
        pixel = (
            (self._rows.first[row[cell]] + down) * self.size[1] + self._columns.first[column[cell]] + right
        )
        units = padded.shape[1]
        counts = torch.bincount(sample[cell] * units + unit[cell], minlength=len(padded) * units)
        return Hits(units, 0, counts.cumsum(0), pixel.int(), values[cell, down, right])


@dataclass(frozen=True)
class _Axis:
    """One axis cut into cells: native + 1 of them, the outer two beyond the border centres.

    Attributes:
        most: grid positions in the fullest cell.
        first: int64 [cells], the first grid position of each.
        valid: bool [cells, most], which of the `most` slots hold a position.
        fraction: float64 [cells, most], how far a position lies from the cell's first corner to its second.
        used: bool [cells], whether any position lies in the cell.
    """

    most: int
    first: Tensor
    valid: Tensor
    fraction: Tensor
    used: Tensor

    @cached_property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """`first`, how many positions each cell holds, and `fraction`, for compiled loops."""
        return self.first.numpy(), self.valid.sum(1).numpy(), self.fraction.numpy()

    @classmethod
    def of(cls, native: int, size: int, device: torch.device | str) -> _Axis:
        # Position p of the grid has its centre at (p + 1/2) native/size - 1/2 on the native map: the
        # integer and the rest are taken with integers, so that no rounding moves a pixel between cells.
        numerator = (2 * torch.arange(size) + 1) * native - size
        cell = torch.div(numerator, 2 * size, rounding_mode="floor") + 1
        rest = (numerator - (cell - 1) * 2 * size).double() / (2 * size)
        rest[(cell == 0) | (cell == native)] = 0  # beyond the border centres the border's value holds
        counts = torch.bincount(cell, minlength=native + 1)
        most = int(counts.max())
        first = torch.cumsum(counts, 0) - counts
        slots = torch.arange(most)[None, :]
        valid = slots < counts[:, None]
        fraction = rest[(first[:, None] + slots).clamp(max=size - 1)]
        return cls(most, first.to(device), valid.to(device), fraction.to(device), (counts > 0).to(device))
