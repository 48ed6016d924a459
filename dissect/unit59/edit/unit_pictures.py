"""Every unit's strips: where it is strongest, the same pictures with it off, and others with it on.

Only the network's tail runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.edit.tail import in_groups, rows_apart
from unit59.engine import results_of
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.handles import Units
from unit59.measure.layer import Measurer
from unit59.networks import Network
from unit59.results.tables import UNIT_STRIPS, picture_name
from unit59.samples.shards import to_uint8
from unit59.store import Kept, key_of

#: Raised when strips are drawn otherwise.
VERSION = 3
#: Units whose pictures share passes.
AT_ONCE = 8


@dataclass(frozen=True)
class UnitStrips:
    """What one unit's strips show.

    Attributes:
        exemplars: sample numbers, strongest first.
        ablated_change: mean absolute change of each exemplar when the unit is off, in levels of 0..255.
        inserted: sample numbers in which the unit is weakest.
        inserted_change: mean absolute change of each when the unit is on.
    """

    exemplars: list[int]
    ablated_change: list[float]
    inserted: list[int]
    inserted_change: list[float]


@dataclass(frozen=True)
class DrawUnits:
    """The strips of some units; their edited pictures share passes of the network's tail.

    Attributes:
        layer: whose units.
        units: their numbers.
        key: hash of what the layer's strips depend on.
    """

    layer: str
    units: tuple[int, ...]
    key: str

    def __str__(self) -> str:
        return f"pictures of units {self.units[0]} to {self.units[-1]} of {self.layer}"

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`; of each unit, one."""
        keys = [key_of(version=VERSION, under=self.key, unit=unit) for unit in self.units]
        return [
            Kept(f"pictures/{self.layer}/{unit:04d}", key) for unit, key in zip(self.units, keys, strict=True)
        ]

    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        of = dict(zip(self.products, self.units, strict=True))
        drawn = _drawn(bench.sweep(self.layer), bench.measurer, [of[kept] for kept in wanted])
        yield from zip(wanted, drawn, strict=True)


def draw_strips(
    sweep: Sweep, measurer: Measurer, advance: Callable[[int], None]
) -> tuple[dict[int, UnitStrips], dict[str, bytes]]:
    """All units' strips, and their pictures by file name.

    Args:
        sweep: of the layer.
        measurer: of the same samples.
        advance: is told how many units are done.
    """
    units, layer = range(sweep.units), sweep.layer
    shown = [measurer.task("exemplars", layer).key, measurer.task("threshold", layer).key]
    key = key_of(sweep=sweep.key, insert=sweep.insert_key, shown=shown)
    blocks = _blocks(units)
    tasks = [DrawUnits(layer, block, key) for block in blocks]
    exemplars = measurer.exemplars(layer)
    drawn = results_of(tasks, sweep.cache.engine, sweep.cache.store, lambda at: advance(len(blocks[at])))
    strips: dict[int, UnitStrips] = {}
    pictures: dict[str, bytes] = {}
    for unit, arrays in zip(units, drawn, strict=True):
        strips[unit] = UnitStrips(
            exemplars.strongest[unit].tolist(),
            arrays["ablated_change"].tolist(),
            exemplars.weakest[unit].tolist(),
            arrays["inserted_change"].tolist(),
        )
        pictures |= {picture_name(unit, kind): arrays[kind].tobytes() for kind in UNIT_STRIPS}
    return strips, pictures


def tails_of_strips(units: Units, network: Network, count: int) -> int:
    """How many pictures of so many a strip go through the tail for all units; full groups are counted."""
    if not rows_apart(network, units):
        return 2 * units.count * in_groups(count)
    return 2 * sum(in_groups(len(block) * count) for block in _blocks(range(units.count)))


def _blocks(units: range) -> list[tuple[int, ...]]:
    return [tuple(units[first : first + AT_ONCE]) for first in range(0, len(units), AT_ONCE)]


def _drawn(sweep: Sweep, measurer: Measurer, units: Sequence[int]) -> Iterator[dict[str, NDArray[Any]]]:
    exemplars = measurer.exemplars(sweep.layer)
    strongest, weakest = (
        [rows[unit].tolist() for unit in units] for rows in (exemplars.strongest, exemplars.weakest)
    )
    off = sweep.edited_each([(Edit.ablate([u]), rows) for u, rows in zip(units, strongest, strict=True)])
    on = sweep.edited_each([(Edit.insert([u]), rows) for u, rows in zip(units, weakest, strict=True)])
    for number, unit in enumerate(units):
        # Those without an edit are kept.
        shown, lacking = (sweep.cache.pictures(np.array(rows[number])) for rows in (strongest, weakest))
        without, having = (to_uint8(images[number]).cpu().numpy() for images in (off, on))
        masks = _masks(measurer, sweep.layer, unit, strongest[number])
        edge = tile_edge(*shown.shape[1:3])
        pictures = {
            "exemplars": strip([[tile(p, edge, m) for p, m in zip(shown, masks, strict=True)]]),
            "ablated": pair(shown, without),
            "inserted": pair(lacking, having),
        }
        yield {
            "ablated_change": _change(shown, without),
            "inserted_change": _change(lacking, having),
            **{kind: np.frombuffer(data, np.uint8) for kind, data in pictures.items()},
        }


def pair(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bytes:
    """Pictures uint8 [n,H,W,3] above what became of them, as one WebP."""
    edge = tile_edge(*before.shape[1:3])
    return strip([[tile(picture, edge) for picture in row] for row in (before, after)])


def _change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean absolute difference of each picture, in levels of 0..255."""
    difference = np.abs(after.astype(np.int16) - before).mean(axis=(1, 2, 3))
    return np.array([round(float(value), 4) for value in difference])


def _masks(measurer: Measurer, layer: str, unit: int, numbers: list[int]) -> NDArray[np.bool_]:
    grid = measurer.grid(layer)
    masks = np.zeros((len(numbers), grid.pixels), np.bool_)
    thresholds = measurer.thresholds(layer).value
    x = measurer.cache.maps(layer, numbers, thresholds)[:, unit : unit + 1]
    for hits in grid.hits(x, thresholds[unit : unit + 1]):
        masks[hits.sample.cpu().numpy(), hits.pixel.cpu().numpy()] = True
    return masks.reshape(len(numbers), *grid.size)
