"""Per unit the samples in which switching it off changes its first concept most: before, and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from torch import Tensor

from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.edit.unit_pictures import pair
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.results import picture_name
from unit59.samples.shards import to_uint8
from unit59.store import Kept, key_of

#: Raised when strips are drawn otherwise.
VERSION = 1


def add_strips(
    bench: Sweep,
    units: pl.DataFrame,
    edits: Mapping[int, Edit],
    numbers: Sequence[int],
    count: int,
    advance: Callable[[int], None],
) -> tuple[pl.DataFrame, dict[str, bytes]]:
    """Draw the strips, and say in the table which samples are on them.

    Args:
        bench: of the layer.
        units: see `unit59.results.schema.UNIT_EFFECTS`; only rows of the kind ablate get a strip.
        edits: the ablation of every measured unit.
        numbers: the measured samples.
        count: pictures on a strip.
        advance: is told how many measured units are done.

    Returns:
        The table with the columns samples and sample_effects, and the strips by file name.
    """
    if units.is_empty():
        return units, {}
    plain = bench.plain(numbers)
    found = units.filter(pl.col("kind") == "ablate", pl.col("concept").is_not_null())
    first: dict[int, int] = dict(found.select("unit", "concept").rows())
    shown: list[tuple[int, list[int], list[float]]] = []
    pictures: dict[str, bytes] = {}
    measured = list(edits)
    for block, outcome in bench.areas(list(edits.values()), numbers):
        chosen: dict[int, list[int]] = {}
        for row, unit in enumerate(measured[block]):
            if unit in first:
                concept = first[unit] - 1
                change = (outcome.counts[row, :, concept] - plain.counts[:, concept]) / plain.pixels
                order = np.argsort(-np.abs(change), kind="stable")[:count]
                chosen[unit] = [int(numbers[i]) for i in order]
                shown.append((unit, chosen[unit], [float(change[i]) for i in order]))
        pictures |= _drawn(bench, {unit: (edits[unit], samples) for unit, samples in chosen.items()})
        advance(len(measured[block]))
    columns: dict[str, Any] = {
        "unit": pl.Int64,
        "samples": pl.List(pl.Int32),
        "sample_effects": pl.List(pl.Float64),
    }
    table = pl.DataFrame(shown, schema=columns, orient="row").with_columns(pl.lit("ablate").alias("kind"))
    return units.join(table, on=["unit", "kind"], how="left", maintain_order="left"), pictures


def picture_rows(rows: Sequence[Tensor]) -> bytes:
    """Pictures [n,3,H,W] in [-1,1], row below row, as one WebP."""
    edge = tile_edge(int(rows[0].shape[2]), int(rows[0].shape[3]))
    return strip([[tile(picture, edge) for picture in to_uint8(row).cpu().numpy()] for row in rows])


def _drawn(bench: Sweep, asked: Mapping[int, tuple[Edit, list[int]]]) -> dict[str, bytes]:
    """The strips by file name, each drawn once: those that are not kept share passes."""
    store = bench.cache.store
    kept = {
        unit: Kept(
            f"pictures/{bench.layer}/effect",
            key_of(version=VERSION, under=bench.key, edit=edit.depends_on, samples=samples),
        )
        for unit, (edit, samples) in asked.items()
    }
    missing = [unit for unit in asked if not store.has(kept[unit])]
    after = dict(zip(missing, bench.edited_each([asked[unit] for unit in missing]), strict=True))

    def draw(unit: int) -> bytes:
        edit, samples = asked[unit]
        image = after[unit] if unit in after else bench.edited(edit, samples)
        return pair(bench.cache.pictures(np.array(samples)), to_uint8(image).cpu().numpy())

    return {picture_name(unit, "effect"): store.bytes_of(kept[unit], partial(draw, unit)) for unit in asked}
