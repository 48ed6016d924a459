"""Whether units that agree better also do more: rank correlations that pages tell, one table a layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.results.schema import RELATIONS
from unit59.stats.intervals import sign_of, spearman

#: Units that a correlation takes at least.
FEWEST = 10


def effect_relations(iou: NDArray[np.float64], effects: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Agreement beside effect over a layer's measured units, by ablation.

    Three kinds of rows, see `unit59.results.schema.RELATIONS`: IoU with the label and loss of the label
    (`of` is label), IoU with the label and size of the largest effect on any concept (any), and for every
    concept IoU with it and loss of it (concept). A loss is the effect with its sign turned. A unit's label is
    the concept with the largest IoU, where any is above 0.

    Args:
        iou: of every unit of a layer with every concept, [U,C].
        effects: its effects.parquet.
        seed: of the bootstrap over units.
    """
    off = effects.filter(kind="ablate").sort("unit", "concept")
    unit, concept = off["unit"].to_numpy(), off["concept"].to_numpy() - 1
    off = off.with_columns(iou=pl.Series(iou[unit, concept], dtype=pl.Float64))
    own = off.filter(pl.Series((iou.argmax(axis=1)[unit] == concept) & (iou[unit, concept] > 0)))
    largest = off.group_by("unit", maintain_order=True).agg(pl.col("effect").abs().max())
    rows = [
        _row("label", own["iou"], -own["effect"], seed),
        _row("any", pl.Series(iou.max(axis=1)[largest["unit"].to_numpy()]), largest["effect"], seed),
        *_by_concept(off, seed),
    ]
    return pl.DataFrame(rows, schema=RELATIONS)


def _by_concept(rows: pl.DataFrame, seed: int) -> Iterator[dict[str, Any]]:
    for _, found in rows.sort("concept", "unit").group_by("concept", maintain_order=True):
        names = found.select("concept", "label", "plane").row(0, named=True)
        yield {**_row("concept", found["iou"], -found["effect"], seed), **names}


def _row(of: str, iou: pl.Series, does: pl.Series, seed: int) -> dict[str, Any]:
    """One relation; without a correlation where there are few units or one side is all equal."""
    row: dict[str, Any] = {"of": of, "kind": "ablate", "units": len(iou), "sign": 0}
    agreed, done = iou.to_numpy(), does.to_numpy()
    if len(agreed) < FEWEST or not np.ptp(agreed) or not np.ptp(done):
        return row
    found = dict(zip(("rho", "low", "high"), spearman(agreed, done, seed), strict=True))
    known = {name: value for name, value in found.items() if math.isfinite(value)}
    return row | known | {"sign": sign_of(known.get("low"), known.get("high"))}
