"""Numbers of agreement against effect: correlations, shared tenths, and what each unit changes most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from unit59.stats.intervals import spearman

#: The strongest units: a tenth of those measured.
TENTH = 10
KINDS = ("ablate", "insert")


@dataclass(frozen=True)
class Related:
    """IoU beside control over a set of units.

    Attributes:
        of: all, a layer or a concept.
        name: which.
        kind: of edit.
        units: how many.
        rho: Spearman's rank correlation; None where it has none.
        low: of its 95 % bootstrap interval over units.
        high: of the same.
        top: how many units are the strongest tenth.
        both: of the tenth with the largest IoU, those in the tenth with the most control.
        chance: what `both` is on average when the two have nothing to do with each other.
        chance_high: 97.5 % of such draws have no more than so many.
    """

    of: str
    name: str
    kind: str
    units: int
    rho: float | None
    low: float | None
    high: float | None
    top: int
    both: int
    chance: float
    chance_high: int


def relate(of: str, name: str, kind: str, rows: pl.DataFrame, seed: int) -> Related:
    """IoU beside control of these rows."""
    from scipy.stats import hypergeom

    iou, control = rows["iou"].to_numpy(), rows["control"].to_numpy()
    rho, low, high = (value if math.isfinite(value) else None for value in spearman(iou, control, seed))
    count, top = len(iou), max(1, len(iou) // TENTH) if len(iou) else 0
    # Stable: among equals the unit that comes first.
    first = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (iou, control)]
    chance = hypergeom(count, top, top) if count else None
    return Related(
        of=of,
        name=name,
        kind=kind,
        units=count,
        rho=rho,
        low=low,
        high=high,
        top=top,
        both=len(first[0] & first[1]),
        chance=top * top / count if count else 0.0,
        chance_high=int(chance.ppf(0.975)) if chance else 0,
    )


def all_related(pairs: pl.DataFrame, labelled: pl.DataFrame, seed: int) -> Iterator[Related]:
    """All units with their labels; the same by layer; all units with each concept."""
    kinds = [kind for kind in KINDS if kind in set(pairs["kind"])]
    for kind in kinds:
        yield relate("all", "all units", kind, labelled.filter(kind=kind), seed)
    for kind in kinds:
        for layer in pairs["layer"].unique(maintain_order=True):
            yield relate("layer", layer, kind, labelled.filter(kind=kind, layer=layer), seed)
        for _, rows in pairs.filter(kind=kind).sort("concept").group_by("concept", maintain_order=True):
            yield relate("concept", rows["label"][0], kind, rows, seed)


def strongest(known: pl.DataFrame) -> pl.DataFrame:
    """Of every unit the concept that it changes most when off, of those found and beyond other units."""
    found = known.filter((pl.col("kind") == "ablate") & pl.col("found") & pl.col("beyond"))
    size = pl.col("effect").abs()
    return found.sort(size, descending=True, maintain_order=True).unique(
        ["layer", "unit"], keep="first", maintain_order=True
    )


def unit_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that the report keeps."""
    return rows.select(
        "layer",
        "unit",
        "kind",
        pl.col("label").alias("concept"),
        "plane",
        "iou",
        "agrees",
        "own_label",
        "control",
        "effect",
        "low",
        "high",
        "q",
        "found",
        "before",
        "shown",
    )
