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

import torch
import torch.nn.functional as F
from torch import Tensor

#: Upsampled values in memory at once.
BLOCK = 1 << 22


@dataclass(frozen=True)
class Hits:
    """Grid pixels at which units pass their threshold, in no particular order.

    Attributes:
        sample: int64 [K], row of the batch.
        unit: int64 [K].
        pixel: int64 [K], row-major position on the grid.
        value: float32 [K].
    """

    sample: Tensor
    unit: Tensor
    pixel: Tensor
    value: Tensor


class Grid:
    """Bilinear upsampling from a native map to the compared grid.

    Args:
        native: height and width of the unit's map.
        size: height and width of the grid.
        device: where the work is done.
    """

    def __init__(
        self, native: tuple[int, int], size: tuple[int, int], device: torch.device | str = "cpu"
    ) -> None:
        self.native, self.size = native, size
        self._rows = _Axis.of(native[0], size[0], device)
        self._columns = _Axis.of(native[1], size[1], device)

    @property
    def pixels(self) -> int:
        """Pixels of the grid."""
        return self.size[0] * self.size[1]

    def hits(self, activations: Tensor, thresholds: Tensor) -> Iterator[Hits]:
        """The pixels with a value strictly greater than the unit's threshold, block by block.

        Args:
            activations: float32 [N,U,h,w].
            thresholds: float32 [U].
        """
        if self.native == self.size:
            yield self._as_they_are(activations, thresholds)
            return
        padded = F.pad(activations, (1, 1, 1, 1), mode="replicate")
        corner = padded > thresholds[:, None, None]
        side = corner[:, :, 1:] | corner[:, :, :-1]
        above = side[..., 1:] | side[..., :-1]
        above &= self._rows.used[:, None] & self._columns.used[None, :]
        cells = above.nonzero()
        step = max(1, BLOCK // (self._rows.most * self._columns.most))
        for block in torch.split(cells, step):
            yield self._upsample(padded, thresholds, block)

    def _as_they_are(self, activations: Tensor, thresholds: Tensor) -> Hits:
        """The hits of maps that have the grid's size: every weight of the upsampling is 0 or 1."""
        above = activations > thresholds[:, None, None]
        sample, unit, row, column = above.nonzero(as_tuple=True)
        return Hits(sample, unit, row * self.size[1] + column, activations[above] + 0.0)

    def _upsample(self, padded: Tensor, thresholds: Tensor, cells: Tensor) -> Hits:
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
        inside = values > thresholds[unit][:, None, None]
        inside &= self._rows.valid[row][:, :, None] & self._columns.valid[column][:, None, :]
        cell, down, right = inside.nonzero(as_tuple=True)
        pixel = (
            (self._rows.first[row[cell]] + down) * self.size[1] + self._columns.first[column[cell]] + right
        )
        return Hits(sample[cell], unit[cell], pixel, values[cell, down, right])


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
