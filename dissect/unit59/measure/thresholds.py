"""The threshold of every unit: the exact (1-q) quantile of its values on the compared grid.

All samples' upsampled values would not fit into memory, so the quantile is found by counting: float32 values
map to integers of the same order, a histogram over a range of those integers says in which bin the wanted
rank lies, and the next pass looks into that bin alone. Counts are integers, so the result does not depend on
the order of samples. Only the upper tail is ever upsampled (see `unit59.measure.grid`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from unit59.measure import kernels
from unit59.measure.grid import Grid, Hits

BINS = 4096
#: The first look takes this multiple of the tail, so that the bound it gives is almost always low enough.
SLACK = 1.6
#: And, at first, this multiple of the native map's; more where the grid's turns out to be shorter.
NATIVE_SLACK = 4.0
#: So many values are kept from one pass for the next, which then need not upsample again.
KEPT = 1 << 24

#: Given floors [U], all samples' maps [N,U,h,w], batch by batch, of which only what lies above must be right.
Above = Callable[[Tensor], Iterable[Tensor]]


@dataclass(frozen=True)
class Thresholds:
    """What `find_thresholds` finds.

    Attributes:
        value: float32 [U], a grid pixel is in the unit's mask when its value is strictly greater.
        on_share: float64 [U], the share of grid pixels that are; at most q.
    """

    value: Tensor
    on_share: Tensor


def find_thresholds(
    above: Above,
    first: Tensor,
    grid: Grid,
    samples: int,
    low: Tensor,
    high: Tensor,
    q: float,
    kept: Tensor | None = None,
) -> Thresholds:
    """Find every unit's threshold.

    t is the (floor(q n) + 1)-th largest of the n values on the grid, so that at most q n are greater.

    Args:
        above: gives the maps of all samples; called once a pass: mostly once or twice, for many samples up
            to five times.
        first: some maps [n,U,h,w], right above `kept`, for a guess.
        grid: the compared grid.
        samples: how many samples the batches hold.
        low: float32 [U], each unit's smallest native value over all samples.
        high: float32 [U], each unit's largest.
        q: the tail, e.g. 0.01.
        kept: float32 [U], floors below which `above` has much to do; None where it never has.
    """
    rank = int(q * samples * grid.pixels) + 1
    search = _Search(grid, rank, low, high, kept)
    search.start = torch.maximum(_first_guess(first, grid, low, high, q), search.kept_above)
    while search.open.any():
        search.narrow(above)
    return Thresholds(search.value, search.above.double() / (samples * grid.pixels))


class _Search:
    """Per unit a range of keys (start, stop] that holds the wanted value, and how many lie above it."""

    def __init__(self, grid: Grid, rank: int, low: Tensor, high: Tensor, kept: Tensor | None) -> None:
        self.grid, self.rank, self.low = grid, rank, low + 0.0
        self.kept_above = to_key(self.low if kept is None else kept + 0.0)
        self.start = torch.empty(0)
        self.stop = to_key(high + 0.0)
        self.above = torch.zeros_like(self.stop)
        self.open = torch.ones_like(self.stop, dtype=torch.bool)
        self.value = self.low.clone()
        #: Key and unit (int32 each) of every value in the units' ranges, but for those in `unseen`.
        self.kept: list[tuple[Tensor, Tensor]] = []
        self.unseen = self.open.clone()

    def narrow(self, above: Above) -> None:
        """One look at all values in the ranges: at the kept ones, and for the other units at all samples."""
        # No value lies in the range of a unit that is decided.
        ranges = _Ranges.of(self.start, torch.where(self.open, self.stop, self.start))
        kept: list[tuple[Tensor, Tensor]] = []
        count = 0
        parts: Iterator[Part] = chain(self.kept, self._look(above))
        for part in parts:
            key, unit = _count_in(self.grid, part, ranges)
            count += len(key)
            if count <= KEPT:
                kept.append((key, unit))
        self.kept = kept if count <= KEPT else []
        self.unseen = torch.full_like(self.open, count > KEPT)
        self._choose(ranges.counts, ranges.width)

    def _look(self, above: Above) -> Iterator[Hits]:
        """The values that are not kept, from each range's start on."""
        wanted = self.open & self.unseen
        if not wanted.any():
            return
        floor = torch.where(wanted, from_key(self.start), torch.inf)
        for batch in above(floor):
            yield from self.grid.hits(batch, floor)

    def _choose(self, counts: Tensor, width: Tensor) -> None:
        # From the top: how many values lie in this bin or above it.
        reached = self.above[:, None] + counts.flip(1).cumsum(1).flip(1)
        found = reached[:, 0] >= self.rank
        chosen = (reached >= self.rank).sum(1) - 1
        for unit in self.open.nonzero()[:, 0].tolist():
            if not found[unit]:
                self._lower(unit, int(reached[unit, 0]))
                continue
            bin_ = int(chosen[unit])
            self.above[unit] = reached[unit, bin_] - counts[unit, bin_]
            begin = self.start[unit] + bin_ * width[unit]
            self.stop[unit] = torch.minimum(self.stop[unit], begin + width[unit])
            self.start[unit] = begin
            if int(width[unit]) == 1:
                self.value[unit] = from_key(self.stop[unit])
                self.open[unit] = False

    def _lower(self, unit: int, above: int) -> None:
        """Too few values lie above the bound: look below it, or the smallest value is the threshold."""
        self.unseen[unit] = True
        lowest, kept = to_key(self.low[unit]), self.kept_above[unit]
        self.above[unit] = above
        self.stop[unit] = self.start[unit]
        if bool(self.start[unit] <= lowest):
            self.value[unit] = self.low[unit]
            self.open[unit] = False
        self.start[unit] = kept if bool(lowest < kept < self.start[unit]) else lowest


@dataclass(frozen=True)
class _Ranges:
    """Per unit the keys (start, stop] that are looked at, cut into bins of a width, and counts [U,bins]."""

    start: Tensor
    stop: Tensor
    width: Tensor
    counts: Tensor

    @classmethod
    def of(cls, start: Tensor, stop: Tensor) -> _Ranges:
        width = ((stop - start + BINS - 1) // BINS).clamp(min=1)
        return cls(start, stop, width, torch.zeros(len(start), BINS, dtype=torch.int64, device=start.device))


#: Hits, or the keys and units (int32 each) that an earlier look kept.
Part = Hits | tuple[Tensor, Tensor]


def _count_in(grid: Grid, part: Part, ranges: _Ranges) -> tuple[Tensor, Tensor]:
    """Count the values that lie in their unit's range; their keys and units."""
    return _count_compiled(part, ranges) if grid.compiled else _count(part, ranges)


def _count(part: Part, ranges: _Ranges) -> tuple[Tensor, Tensor]:
    """By torch's operations."""
    key, unit = (
        (to_key(part.value), part.unit) if isinstance(part, Hits) else (part[0].long(), part[1].long())
    )
    inside = (key > ranges.start[unit]) & (key <= ranges.stop[unit])
    key, unit = key[inside], unit[inside]
    counts = ranges.counts
    place = unit * counts.shape[1] + (key - ranges.start[unit] - 1) // ranges.width[unit]
    counts += torch.bincount(place, minlength=counts.numel()).view_as(counts)
    return key.int(), unit.int()


def _count_compiled(part: Part, ranges: _Ranges) -> tuple[Tensor, Tensor]:
    """In one compiled loop."""
    size = len(part.value) if isinstance(part, Hits) else len(part[0])
    starts, stops, widths = ranges.start.numpy(), ranges.stop.numpy(), ranges.width.numpy()
    key, unit, counts = np.empty(size, np.int32), np.empty(size, np.int32), ranges.counts.numpy()
    if isinstance(part, Hits):
        ends, values = part.ends.numpy(), part.value.numpy()
        found = kernels.narrow(part.begin, ends, values, starts, stops, widths, counts, key, unit)
    else:
        keys, of = part[0].numpy(), part[1].numpy()
        found = kernels.narrow_kept(keys, of, starts, stops, widths, counts, key, unit)
    return torch.from_numpy(key[:found].copy()), torch.from_numpy(unit[:found].copy())


def _first_guess(first: Tensor, grid: Grid, low: Tensor, high: Tensor, q: float) -> Tensor:
    """A key below most units' thresholds, from some maps: saves upsampling what cannot matter.

    Above the native map's tail the first samples are upsampled, and their own tail gives the bound.
    """
    native = first.transpose(0, 1).flatten(1)
    tail = int(SLACK * q * len(first) * grid.pixels) + 1
    lowest = torch.maximum(native.amin(1), low) + 0.0
    guess, slack = to_key(lowest), SLACK if grid.native == grid.size else NATIVE_SLACK
    missing = torch.ones_like(guess, dtype=torch.bool)
    while missing.any() and slack * q < 1:
        count = int(slack * q * native.shape[1]) + 1
        floor = torch.maximum(native.topk(count, dim=1).values[:, -1], lowest) + 0.0
        ranges = _Ranges.of(to_key(floor), to_key(high + 0.0))
        for hits in grid.hits(first, torch.where(missing, floor, torch.inf)):
            _count_in(grid, hits, ranges)
        reached = ranges.counts.flip(1).cumsum(1).flip(1)
        found = missing & (reached[:, 0] >= tail)
        bins = (reached >= tail).sum(1) - 1
        guess = torch.where(found, ranges.start + bins * ranges.width, guess)
        missing &= ~found & (floor > lowest)
        slack *= NATIVE_SLACK
    return guess


def to_key(values: Tensor) -> Tensor:
    """Float32 to int64 of the same order (no NaN; -0.0 must have become 0.0)."""
    bits = values.float().view(torch.int32).long()
    return torch.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def from_key(keys: Tensor) -> Tensor:
    """The inverse of `to_key`."""
    bits = torch.where(keys >= 0, keys, (-keys) | 0x80000000)
    return torch.where(bits > 0x7FFFFFFF, bits - (1 << 32), bits).to(torch.int32).view(torch.float32)
