"""Below which values nothing is kept of thin maps: from a first look at few samples, lowered where it misled.

A floor lies well below the threshold that the first look gives. Where all samples together turn out to have
fewer values above it than a measurement looks at, the second floor is one that has enough, by the histogram
of all of the unit's values; the tails of such units' layers are then made again, in one second pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.arrays import Singles
from unit59.measure.grid import Grid
from unit59.measure.layer import Measurer
from unit59.measure.thresholds import find_thresholds
from unit59.samples.cache import SampleCache
from unit59.samples.summary import BINS, Summary
from unit59.samples.thin import LOOK
from unit59.store import Kept

#: Floors leave room for so many times the values that are looked at.
ROOM = 2.5
#: And second floors, which are read off bins, for so many times.
MORE_ROOM = 4.0


def fill(measurer: Measurer, advance: Callable[[int], None], batch: int) -> None:
    """Make every sample that is not kept yet; see `SampleCache.fill`.

    Where tails are kept, a first look at few samples gives their floors, and a second pass makes those tails
    again whose floors turn out to be too high.
    """
    cache = measurer.cache
    cache.engine.make(
        [MakeFloors(units, cache.floors_at(units, second=False)) for units in cache.thin_units],
        lambda _: None,
    )
    for kept in cache.look(LOOK).products:
        cache.store.forget(kept)
    cache.fill(advance, batch)
    if lowered_units := lower_floors(measurer):
        cache.store.say(
            f"{len(lowered_units)} layers have units whose first samples misled about where they are strong: "
            "a second pass."
        )
        cache.fill(lambda _: None, batch)


@dataclass(frozen=True)
class MakeFloors:
    """The first floors of one layer's units.

    Attributes:
        units: their name.
        kept: where they are kept.
    """

    units: str
    kept: Kept

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        return [self.kept]

    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        measurer: Measurer = bench.measurer
        cache, grid = measurer.cache, measurer.grid(self.units)
        maps = cache.first_whole(self.units, LOOK)
        on_grid, on_maps = cache.thin.shares
        floors = np.minimum(
            _exceeded(maps, grid, ROOM * on_grid),
            _exceeded(maps, Grid(grid.native, grid.native), ROOM * on_maps),
        )
        yield self.kept, {"x": floors}


def _exceeded(maps: Tensor, grid: Grid, share: float) -> Singles:
    """What each unit's values exceed in about such a share of all."""
    if share >= 1:
        lowest: Singles = maps.amin((0, 2, 3)).cpu().numpy()
        return lowest
    low, high = maps.amin((0, 2, 3)), maps.amax((0, 2, 3))
    value: Singles = (
        find_thresholds(lambda _: [maps], maps, grid, len(maps), low, high, share).value.cpu().numpy()
    )
    return value


def too_high(measurer: Measurer, units: str) -> NDArray[np.bool_]:
    """[U], whether fewer values lie above the floor than a measurement looks at, and some lie below."""
    cache, grid = measurer.cache, measurer.grid(units)
    floors = cache.kept_above(units)
    if floors is None:
        return np.zeros(cache.units[units].count, np.bool_)
    low = measurer.activity(units).low
    short = np.zeros(len(low), np.bool_)
    for each, share in zip((grid, Grid(grid.native, grid.native)), cache.thin.shares, strict=True):
        rank = int(share * cache.samples * each.pixels) + 1
        short |= _above(cache, units, each, floors) < rank
    return short & (floors.numpy() > low)


def _above(cache: SampleCache, units: str, grid: Grid, floors: Tensor) -> NDArray[np.int64]:
    """Values of each unit above its floor, over all samples."""
    found = torch.zeros(len(floors), dtype=torch.int64)
    for _, x in cache.steps(units, floors=floors):
        for hits in grid.hits(x, floors.to(x.device)):
            rows = torch.zeros(len(x) * len(floors), dtype=torch.int64)
            rows[hits.begin : hits.begin + len(hits.ends)] = hits.sizes.cpu()
            found += rows.view(len(x), -1).sum(0)
    counts: NDArray[np.int64] = found.numpy()
    return counts


def lowered(floors: Singles, short: NDArray[np.bool_], summary: Summary, share: float) -> Singles:
    """Second floors: of units whose first are too high, an edge of a bin with enough values above it."""
    start, width = summary.edges
    above = summary.counts[:, ::-1].cumsum(1)[:, ::-1]
    enough = (above >= MORE_ROOM * share * summary.size).sum(1) - 1
    edge = start + width * np.clip(enough, 0, BINS - 1)
    below = np.nextafter(edge.astype(np.float32), np.float32(-np.inf))  # what lies on the edge counts as well
    return np.where(short, np.minimum(floors, below), floors)


def _looked(measurer: Measurer, units: str) -> dict[str, Any]:
    return {"short": too_high(measurer, units)}


def lower_floors(measurer: Measurer) -> list[str]:
    """Look at all thin tails, and keep second floors where the first were too high; of which units."""
    cache, found = measurer.cache, []
    for units in cache.thin_units:
        second = cache.floors_at(units, second=True)
        floors = cache.kept_above(units)
        if floors is None or cache.store.has(second):
            continue
        known = measurer.remember(
            f"{units}/floors", cache.floors_at(units, second=False).key, partial(_looked, measurer, units)
        )
        if known["short"].any():
            share = max(cache.thin.shares)
            lower = lowered(floors.numpy(), known["short"], measurer.activity(units), share)
            for task in cache.tasks():
                cache.store.forget(task.tail(task.of(units)))
            cache.store.keep_arrays(second, {"x": lower})
            found.append(units)
    return found
