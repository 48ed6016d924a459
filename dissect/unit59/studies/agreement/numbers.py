"""Numbers of agreement against effect: correlations, shared tenths, and what each unit changes most."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import polars as pl

from unit59.results.columns import EDIT_KINDS
from unit59.results.record import Record
from unit59.results.tables import fitted
from unit59.stats.intervals import sign_of, spearman, wilson
from unit59.stats.ranks import shared_top
from unit59.studies.agreement.tables import PAIRS, CorrelationRow
from unit59.studies.facts import Estimate

#: A rank correlation below the first is weak, below the second moderate.
WEAK, MODERATE = 0.3, 0.6

Direction = Literal["with", "against", "open", "unknown"]
Strength = Literal["weak", "moderate", "strong"]


class LossRate(Record):
    """Of some units those whose ablation measurably takes their label away."""

    hits: int
    units: int
    rate: Estimate  # Wilson's interval


class AgreementFacts(Record):
    """What the study keeps beside its tables."""

    units: int  # of all dissected layers
    measured: int  # of those, with effects
    verdict: Direction  # which way IoU and loss go, over all units; open: the interval holds zero
    strength: Strength | None  # None: there is no correlation
    agreeing: LossRate  # units that agree with their label
    others: LossRate


def relate(of: str, name: str, kind: str, rows: pl.DataFrame, seed: int) -> CorrelationRow:
    """IoU beside control of these rows."""
    iou, control = rows["iou"].to_numpy(), rows["control"].to_numpy()
    rho, low, high = (value if math.isfinite(value) else None for value in spearman(iou, control, seed))
    shared = shared_top(iou, control)
    return CorrelationRow(of, name, kind, len(iou), rho, low, high, **vars(shared))


def all_related(pairs: pl.DataFrame, labelled: pl.DataFrame, seed: int) -> Iterator[CorrelationRow]:
    """All units with their labels; the same by layer; all units with each concept."""
    kinds = [kind for kind in EDIT_KINDS if kind in set(pairs["kind"])]
    for kind in kinds:
        yield relate("all", "all units", kind, labelled.filter(kind=kind), seed)
    for kind in kinds:
        for layer in pairs["layer"].unique(maintain_order=True):
            yield relate("layer", layer, kind, labelled.filter(kind=kind, layer=layer), seed)
        for _, rows in pairs.filter(kind=kind).sort("concept").group_by("concept", maintain_order=True):
            yield relate("concept", rows["label"][0], kind, rows, seed)


def verdict_of(related: CorrelationRow) -> tuple[Direction, Strength | None]:
    """Which way a correlation goes, and how strongly; unknown without one."""
    if related.rho is None or related.low is None or related.high is None:
        return "unknown", None
    size = abs(related.rho)
    strength: Strength = "weak" if size < WEAK else "moderate" if size < MODERATE else "strong"
    return _VERDICTS[sign_of(related.low, related.high)], strength


_VERDICTS: dict[int, Direction] = {1: "with", -1: "against", 0: "open"}


def hits_of(labelled: pl.DataFrame, *, agrees: bool) -> LossRate:
    """Of the units that agree with their label, or of the others."""
    rows = labelled.filter(kind="ablate", agrees=agrees)
    hits = len(rows.filter(pl.col("found") & (pl.col("control") > 0)))
    rate, low, high = (float(each) for each in wilson(np.array(hits), np.array(len(rows))))
    return LossRate(hits=hits, units=len(rows), rate=Estimate.of(rate, low, high))


def strongest(known: pl.DataFrame) -> pl.DataFrame:
    """Of every unit the concept that it changes most when off, of those found and beyond other units."""
    found = known.filter((pl.col("kind") == "ablate") & pl.col("found") & pl.col("beyond"))
    size = pl.col("effect").abs()
    return found.sort(size, descending=True, maintain_order=True).unique(
        ["layer", "unit"], keep="first", maintain_order=True
    )


def unit_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that the report keeps."""
    return fitted(rows.with_columns(pl.col("label").alias("concept")), PAIRS)
