"""Numbers of agreement against effect: correlations, shared tenths, and what each unit changes most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from unit59.results.columns import EDIT_KINDS
from unit59.results.record import Record
from unit59.stats.intervals import sign_of, spearman, wilson
from unit59.stats.ranks import SharedTop, shared_top
from unit59.studies.facts import Estimate

#: A rank correlation below the first is weak, below the second moderate.
WEAK, MODERATE = 0.3, 0.6

Verdict = Literal["with", "against", "open", "unknown"]
Strength = Literal["weak", "moderate", "strong"]


@dataclass(frozen=True)
class Related(SharedTop):
    """IoU beside control over a set of units; the top is the strongest tenth.

    Attributes:
        of: all, a layer or a concept.
        name: which.
        kind: of edit.
        units: how many.
        rho: Spearman's rank correlation; None where it has none.
        low: of its 95 % bootstrap interval over units.
        high: of the same.
    """

    of: str
    name: str
    kind: str
    units: int
    rho: float | None
    low: float | None
    high: float | None


#: Columns of correlations.parquet, in order.
RELATED = ("of", "name", "kind", "units", "rho", "low", "high", "top", "both", "chance", "chance_high")


class Hits(Record):
    """Of some units those whose ablation measurably takes their label away."""

    hits: int
    units: int
    rate: Estimate  # Wilson's interval


class AgreementFacts(Record):
    """What the study keeps beside its tables."""

    units: int  # of all dissected layers
    measured: int  # of those, with effects
    verdict: Verdict  # which way IoU and loss go, over all units; open: the interval holds zero
    strength: Strength | None  # None: there is no correlation
    agreeing: Hits  # units that agree with their label
    others: Hits


def relate(of: str, name: str, kind: str, rows: pl.DataFrame, seed: int) -> Related:
    """IoU beside control of these rows."""
    iou, control = rows["iou"].to_numpy(), rows["control"].to_numpy()
    rho, low, high = (value if math.isfinite(value) else None for value in spearman(iou, control, seed))
    shared = shared_top(iou, control)
    return Related(**vars(shared), of=of, name=name, kind=kind, units=len(iou), rho=rho, low=low, high=high)


def all_related(pairs: pl.DataFrame, labelled: pl.DataFrame, seed: int) -> Iterator[Related]:
    """All units with their labels; the same by layer; all units with each concept."""
    kinds = [kind for kind in EDIT_KINDS if kind in set(pairs["kind"])]
    for kind in kinds:
        yield relate("all", "all units", kind, labelled.filter(kind=kind), seed)
    for kind in kinds:
        for layer in pairs["layer"].unique(maintain_order=True):
            yield relate("layer", layer, kind, labelled.filter(kind=kind, layer=layer), seed)
        for _, rows in pairs.filter(kind=kind).sort("concept").group_by("concept", maintain_order=True):
            yield relate("concept", rows["label"][0], kind, rows, seed)


def verdict_of(related: Related) -> tuple[Verdict, Strength | None]:
    """Which way a correlation goes, and how strongly; unknown without one."""
    if related.rho is None or related.low is None or related.high is None:
        return "unknown", None
    size = abs(related.rho)
    strength: Strength = "weak" if size < WEAK else "moderate" if size < MODERATE else "strong"
    return _VERDICTS[sign_of(related.low, related.high)], strength


_VERDICTS: dict[int, Verdict] = {1: "with", -1: "against", 0: "open"}


def hits_of(labelled: pl.DataFrame, *, agrees: bool) -> Hits:
    """Of the units that agree with their label, or of the others."""
    rows = labelled.filter(kind="ablate", agrees=agrees)
    hits = len(rows.filter(pl.col("found") & (pl.col("control") > 0)))
    rate, low, high = (float(each) for each in wilson(np.array(hits), np.array(len(rows))))
    return Hits(hits=hits, units=len(rows), rate=Estimate.of(rate, low, high))


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
