"""Every unit's strips: where it is strongest, the same pictures with it off, and others with it on.

Only the network's tail runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.engine import results_of
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.measure.layer import Measurer
from unit59.results.tables import UNIT_STRIPS, picture_name
from unit59.samples.shards import to_uint8
from unit59.store import Kept, key_of

#: Raised when strips are drawn otherwise.
VERSION = 3


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
class DrawUnit:
    """One unit's strips.

    Attributes:
        layer: whose unit.
        unit: its number.
        key: hash of what the layer's strips depend on.
    """

    layer: str
    unit: int
    key: str

    def __str__(self) -> str:
        return f"pictures of unit {self.unit} of {self.layer}"

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        key = key_of(version=VERSION, under=self.key, unit=self.unit)
        return [Kept(f"pictures/{self.layer}/{self.unit:04d}", key)]

    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        yield wanted[0], _draw(bench.sweep(self.layer), bench.measurer, self.unit)


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
    tasks = [DrawUnit(layer, unit, key) for unit in units]
    exemplars = measurer.exemplars(layer)
    drawn = results_of(tasks, sweep.cache.engine, sweep.cache.store, lambda _: advance(1))
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


def _draw(sweep: Sweep, measurer: Measurer, unit: int) -> dict[str, NDArray[Any]]:
    exemplars = measurer.exemplars(sweep.layer)
    strongest, weakest = exemplars.strongest[unit].tolist(), exemplars.weakest[unit].tolist()
    masks = _masks(measurer, sweep.layer, unit, strongest)
    # Those without an edit are kept.
    shown, lacking = (sweep.cache.pictures(np.array(numbers)) for numbers in (strongest, weakest))
    without = to_uint8(sweep.edited(Edit.ablate([unit]), strongest)).cpu().numpy()
    having = to_uint8(sweep.edited(Edit.insert([unit]), weakest)).cpu().numpy()
    edge = tile_edge(*shown.shape[1:3])
    pictures = {
        "exemplars": strip([[tile(p, edge, m) for p, m in zip(shown, masks, strict=True)]]),
        "ablated": _pair(shown, without, edge),
        "inserted": _pair(lacking, having, edge),
    }
    return {
        "ablated_change": _change(shown, without),
        "inserted_change": _change(lacking, having),
        **{kind: np.frombuffer(data, np.uint8) for kind, data in pictures.items()},
    }


def _pair(before: NDArray[np.uint8], after: NDArray[np.uint8], edge: int) -> bytes:
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
