"""Every unit's strips: where it is strongest, the same pictures with it off, and others with it on.

Only the network's tail runs again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import set_units
from unit59.edit.tail import Tail
from unit59.foundation.files import write_atomically
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.measure.grid import Grid
from unit59.measure.layer import Activities
from unit59.results import picture_name
from unit59.samples.cache import SampleCache, to_uint8


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


@torch.no_grad()
def draw_strips(
    cache: SampleCache,
    layer: str,
    grid: Grid,
    found: Activities,
    folder: Path,
    advance: Callable[[int], None],
) -> dict[int, UnitStrips]:
    """Draw all units' strips into `folder`; a unit that is drawn already is left as it is.

    Args:
        cache: filled.
        layer: whose units.
        grid: the compared grid.
        found: the layer's thresholds, exemplars and insertion levels.
        folder: for `0059-exemplars.webp`, `-ablated.webp`, `-inserted.webp` and `0059.json`.
        advance: is told how many units are done.
    """
    tail = Tail(cache, layer)
    strips = {}
    for unit in range(len(found.insert_level)):
        note = folder / f"{unit:04d}.json"
        known = _read_note(note)
        if known is None:
            known, pictures = _draw(tail, grid, found, unit)
            for kind, data in pictures.items():
                write_atomically(folder / picture_name(unit, kind), data)
            write_atomically(note, json.dumps(vars(known)).encode())
        strips[unit] = known
        advance(1)
    return strips


def _read_note(path: Path) -> UnitStrips | None:
    try:
        return UnitStrips(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _draw(tail: Tail, grid: Grid, found: Activities, unit: int) -> tuple[UnitStrips, dict[str, bytes]]:
    strongest = found.activity.strongest[unit].tolist()
    weakest = found.activity.weakest[unit].tolist()
    level = float(found.insert_level[unit])
    masks = _masks(tail.cache, tail.layer, grid, found, unit, strongest)
    shown = tail.cache.pictures(np.array(strongest))
    without = _edited(tail, strongest, lambda x: set_units(x, [unit], 0.0))
    lacking = tail.cache.pictures(np.array(weakest))
    having = _edited(tail, weakest, lambda x: set_units(x, [unit], level))
    edge = tile_edge(*shown.shape[1:3])
    pictures = {
        "exemplars": strip([[tile(p, edge, m) for p, m in zip(shown, masks, strict=True)]]),
        "ablated": _pair(shown, without, edge),
        "inserted": _pair(lacking, having, edge),
    }
    return UnitStrips(strongest, _change(shown, without), weakest, _change(lacking, having)), pictures


def _edited(tail: Tail, numbers: list[int], edit: Callable[[Tensor], Tensor]) -> NDArray[np.uint8]:
    """Pictures [n,H,W,3] of the samples with an edit; those without it are in the cache."""
    images = [tail.image({**state, "x": edit(state["x"])})[:count] for state, count in tail.states(numbers)]
    return to_uint8(torch.cat(images)).numpy()


def _pair(before: NDArray[np.uint8], after: NDArray[np.uint8], edge: int) -> bytes:
    return strip([[tile(picture, edge) for picture in row] for row in (before, after)])


def _change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> list[float]:
    """Mean absolute difference of each picture, in levels of 0..255."""
    difference = np.abs(after.astype(np.int16) - before).mean(axis=(1, 2, 3))
    return [round(float(value), 4) for value in difference]


def _masks(
    cache: SampleCache, layer: str, grid: Grid, found: Activities, unit: int, numbers: list[int]
) -> NDArray[np.bool_]:
    masks = np.zeros((len(numbers), grid.pixels), np.bool_)
    x = cache.inside(layer, cache.rows(layer, np.array(numbers)))[:, unit : unit + 1]
    for hits in grid.hits(x, found.thresholds.value[unit : unit + 1]):
        masks[hits.sample.cpu().numpy(), hits.pixel.cpu().numpy()] = True
    return masks.reshape(len(numbers), *grid.size)
