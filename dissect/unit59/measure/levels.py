"""A hundred thresholds of every unit at once: exact quantiles of its values on the compared grid.

The shares above them are log-spaced, from 0.1 % to all of the grid. As for a single threshold (see
`unit59.measure.thresholds`), a histogram of keys says in which bin a wanted rank lies, and the next look cuts
that bin. A look counts for all the levels of a unit: those that lie in one range share its bins, so that the
first look, where all lie in one, cuts it a hundred times as finely. Three looks find any levels. No value is
compared with levels: the bin that it lies in says whether one looks for more, and where it counts then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from unit59.measure import kernels
from unit59.measure.grid import Grid, Hits
from unit59.measure.thresholds import from_key, to_key

#: Batches of activations [N,U,h,w]; called anew for every look.
Batches = Callable[[], Iterable[Tensor]]
#: Shares of the grid above each level, 33 to a power of ten: the 34th is 1 %, the 67th 10 %, the last 100 %.
SHARES = tuple(round(10 ** (step / 33 - 3), 6) for step in range(100))
#: Of a level's range, while it has one of its own.
BINS = 512
#: Of which counts are in memory at once; where a layer has more, they take turns, with looks of their own.
UNITS = 128
#: In the place of a level's number: none.
NONE = 255


def find_levels(
    batches: Batches,
    grid: Grid,
    samples: int,
    low: Tensor,
    high: Tensor,
    shares: Sequence[float] = SHARES,
) -> Tensor:
    """Find every unit's value at every share q: the (floor(q n) + 1)-th largest of its n, or the smallest.

    At most q n values are greater. The values of a unit never rise from one share to the next.

    Args:
        batches: gives the activations of all samples; called once a look, thrice for so many `UNITS`.
        grid: the compared grid.
        samples: how many samples the batches hold.
        low: float32 [U], each unit's smallest native value over all samples.
        high: float32 [U], each unit's largest.
        shares: [L], rising.

    Returns:
        float32 [U,L].
    """
    total = samples * grid.pixels
    ranks = torch.tensor([min(int(share * total) + 1, total) for share in shares], device=low.device)
    found = [_find(batches, grid, ranks, low, high, units) for units in turns(len(low), UNITS)]
    return torch.cat(found)


def turns(count: int, most: int) -> list[slice]:
    """So many things, at most so many at once, but one at least."""
    most = max(1, most)
    return [slice(first, min(first + most, count)) for first in range(0, count, most)]


def _find(batches: Batches, grid: Grid, ranks: Tensor, low: Tensor, high: Tensor, units: slice) -> Tensor:
    """The values at some ranks from the top, of some units."""
    low, high = low[units], high[units]
    # Keys (start, stop] that hold each wanted value, and how many values lie above.
    start = to_key(low + 0.0)[:, None].repeat(1, len(ranks)) - 1
    stop = to_key(high + 0.0)[:, None].repeat(1, len(ranks))
    above, looks = torch.zeros_like(start), _Looks(start, stop)
    first, bins = _shared(start)
    nothing = torch.full_like(low, -torch.inf)
    while (stop - start > 1).any():
        width = stop - start
        shift = torch.stack([(width - 1) >> step >= bins for step in range(32)]).sum(0)
        looks.narrow(start, shift)
        for batch in batches():
            for hits in grid.hits(batch[:, units], nothing):
                (_count_compiled if grid.compiled else _count)(hits, looks)
        found, more = _bin_of(looks.counts, first, bins, ranks - above)
        above = above + more
        place = first * BINS + found
        start = start + (found << shift)
        stop = torch.minimum(stop, start + (1 << shift))
        first, bins = _shared(start)
        looks.choose(place, first)
    return from_key(stop)


class _Looks:
    """Where a key counts: in the bins of the bins that the looks before have chosen.

    Args:
        start: int64 [U,L]; keys up to it are none of the unit's.
        stop: nor are those beyond it.

    Attributes:
        ends: [U,2], these two.
        starts: [K,U,L], where each level's range begins in each look.
        shifts: [K,U,L], logarithm of the width of its bins.
        chosen: uint8 [K - 1,U,L x BINS], which bins the next look cuts: the number of the first level there.
        counts: [U,L x BINS], of the last look.
    """

    def __init__(self, start: Tensor, stop: Tensor) -> None:
        self.ends = torch.stack([start[:, 0], stop[:, 0]], dim=1)
        self.starts = self.shifts = start[None][:0]
        self.counts = start.new_zeros((len(start), start.shape[1] * BINS))
        self.chosen = self.counts[None][:0].to(torch.uint8)

    def narrow(self, start: Tensor, shift: Tensor) -> None:
        """Go on with ranges [U,L] and the logarithms of their bins' width."""
        self.starts = torch.cat([self.starts, start[None]])
        self.shifts = torch.cat([self.shifts, shift[None]])
        self.counts.zero_()

    def choose(self, place: Tensor, first: Tensor) -> None:
        """Say in which bin each level [U,L] is, and which is the first level there."""
        chosen = torch.full_like(self.counts, NONE, dtype=torch.uint8)
        self.chosen = torch.cat([self.chosen, chosen.scatter_(1, place, first.to(torch.uint8))[None]])


def _shared(start: Tensor) -> tuple[Tensor, Tensor]:
    """Of levels [U,L] with equal starts, which lie side by side: the first's number, and all their bins."""
    same = start[:, :, None] == start[:, None, :]
    return same.int().argmax(2), same.sum(2) * BINS


def _bin_of(counts: Tensor, first: Tensor, bins: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor]:
    """In which bin of its range, from the bottom, each level's rank from the top lies; how many lie above.

    Args:
        counts: [U,L x BINS].
        first: [U,L], number of the level at whose place the range's bins begin.
        bins: [U,L], how many.
        ranks: [U,L], from 1 on.
    """
    below = torch.nn.functional.pad(counts.cumsum(1), (1, 0))  # [U, 1 + L x BINS], counts before each bin
    begin = first * BINS
    inside = below.gather(1, begin + bins) - below.gather(1, begin)
    # The value is the (inside - rank)-th from the bottom, from 0 on.
    wanted = below.gather(1, begin) + inside - ranks
    place = torch.searchsorted(below, wanted, right=True) - 1
    return place - begin, below.gather(1, begin + bins) - below.gather(1, place + 1)


def _count_compiled(hits: Hits, looks: _Looks) -> None:
    """In one compiled loop."""
    ends, values = hits.ends.numpy(), hits.value.numpy()
    counts, limits = looks.counts.numpy(), looks.ends.numpy()
    chosen = looks.starts.numpy(), looks.shifts.numpy(), looks.chosen.numpy()
    kernels.bin_levels(hits.begin, ends, values, limits, *chosen, counts)


def _count(hits: Hits, looks: _Looks) -> None:
    """By torch's operations."""
    key, unit = to_key(hits.value), hits.unit
    level = torch.zeros_like(unit)
    inside = (key > looks.ends[unit, 0]) & (key <= looks.ends[unit, 1])
    for look, (starts, shifts) in enumerate(zip(looks.starts, looks.shifts, strict=True)):
        key, unit, level = key[inside], unit[inside], level[inside]
        place = level * BINS + ((key - starts[unit, level] - 1) >> shifts[unit, level])
        if look < len(looks.chosen):
            level = looks.chosen[look][unit, place].long()
            inside = level < NONE
    looks.counts.view(-1).index_add_(0, unit * looks.counts.shape[1] + place, torch.ones_like(place))


def padded(levels: Tensor) -> Tensor:
    """Levels [U,L] with the least number behind them, up to a power of two: a search needs no bound then."""
    least = -torch.inf if levels.is_floating_point() else torch.iinfo(levels.dtype).min
    more = (1 << levels.shape[1].bit_length()) - levels.shape[1]
    return torch.cat([levels, levels.new_full((len(levels), more), least)], dim=1)


def level_of(values: Tensor, levels: Tensor, unit: Tensor) -> Tensor:
    """How many of its unit's levels each value does not exceed: the number of the first that it does.

    Args:
        values: [K].
        levels: [U,L], falling, and padded.
        unit: [K].
    """
    found, step = torch.zeros_like(unit), levels.shape[1] // 2
    while step:
        found += step * (values <= levels[unit, found + step - 1])
        step //= 2
    return found
