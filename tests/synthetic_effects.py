"""Plausible effects of one layer's units, for tests of everything that reads results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from unit59.results import ATTRIBUTION, EFFECTS, UNIT_EFFECTS, EffectsRecord
from unit59.results.schema import Ranking, RankingCheck
from unit59.stats.first import judged

#: The fixed samples and others for the rates.
FIXED, EXTRA = 16, 8
#: Units that are measured although they lie beyond the budget.
LOW_RANKED = (30, 36)
#: On every strip.
ON_STRIP = [3, 1, 4, 7]


def effects_of(
    layer: str,
    labels: Sequence[int | None],
    concepts: Sequence[tuple[str, str, str]],
    budget: int,
    handle: str = "channel",
) -> tuple[EffectsRecord, dict[str, pl.DataFrame]]:
    """A layer's record and tables: every third measured unit takes its label away, the others do nothing.

    Args:
        layer: its name.
        labels: every unit's concept, 1-based; None for a silent unit.
        concepts: label, plane and colour of each concept.
        budget: the first so many units are measured, and two others.
        handle: what a unit is; those that are no channels do twice as much, and all are measured.
    """
    draw = np.random.default_rng(59)
    maps = handle == "channel"
    measured = [unit for unit in range(len(labels)) if unit < budget or unit in LOW_RANKED or not maps]
    wanted = dict.fromkeys(("ablate", "insert") if maps else ("neutral", "down", "up"), measured)
    rows, summaries = [], []
    for kind, units in wanted.items():
        tests = len(units) * len(concepts)
        for unit in units:
            causes = labels[unit] if unit % 3 == 0 else None
            sign = 1 if kind in {"insert", "up"} else -1
            size = sign * (0.02 + 0.01 * draw.random()) * (1 if maps else 2)
            found = [
                _row(draw, unit, kind, number, concept, size if number == causes else 0.0, tests)
                for number, concept in enumerate(concepts, 1)
            ]
            rows += found
            summaries.append(_summary(unit, kind, found))
    record = EffectsRecord(
        layer=layer if maps else f"{layer}.{handle}",
        handle=handle,
        beside=None if maps else layer,
        kinds=list(wanted),
        samples=FIXED,
        numbers=list(range(FIXED)) + [40 + number for number in range(EXTRA)],
        floor=0.005,
        absent=0.0005,
        ablate="zero",
        shift=None if maps else 5.0,
        tests={kind: len(units) * len(concepts) for kind, units in wanted.items()},
        discoveries={kind: sum(row["kind"] == kind and row["q"] <= 0.05 for row in rows) for kind in wanted},
        ranking=Ranking(
            by="attribution",
            units=len(labels),
            measured=len(measured),
            low_ranked=[unit for unit in measured if unit >= budget],
            checks=[
                RankingCheck(kind="ablate", spearman=0.62, low=0.31, high=0.82, top=2, missed=[30]),
                RankingCheck(kind="insert", spearman=0.1, low=-0.3, high=0.44, top=2, missed=[]),
            ],
        ),
    )
    attribution = [
        {"unit": unit, "concept": number, "label": label, "ablate": -0.01, "insert": 0.01, "score": 1.0}
        for unit in range(len(labels))
        for number, (label, _, _) in enumerate(concepts, 1)
    ]
    written = {name: kind for name, kind in EFFECTS.items() if name in rows[0]}
    return record, {
        "effects.parquet": judged(pl.DataFrame(rows, schema=written)).select(list(EFFECTS)),
        "unit_effects.parquet": pl.DataFrame(summaries, schema=UNIT_EFFECTS),
        "attribution.parquet": pl.DataFrame(attribution, schema=ATTRIBUTION),
    }


def _row(
    draw: np.random.Generator,
    unit: int,
    kind: str,
    number: int,
    concept: tuple[str, str, str],
    effect: float,
    tests: int,
) -> dict[str, Any]:
    """One effect; without one a little noise, whose interval holds 0."""
    value = effect or float(draw.normal(0, 0.0004))
    reach = abs(effect) * 0.3 or 0.0012
    p = 1e-6 if effect else 0.5
    shown, absent = 12, 10
    erased = 6 if effect < 0 else 0
    inserted = 4 if effect > 0 else 0
    return {
        "unit": unit,
        "kind": kind,
        "concept": number,
        "label": concept[0],
        "plane": concept[1],
        "before": 0.05,
        "effect": value,
        "se": reach / 2,
        "low": value - reach,
        "high": value + reach,
        "p": p,
        "q": min(1.0, p * tests),
        "others_low": -0.004,
        "others_high": 0.004,
        "shown": shown,
        "erased": erased,
        **_wilson("erasure", erased, shown),
        "absent": absent,
        "inserted": inserted,
        **_wilson("insertion", inserted, absent),
        "side": 1.25,
    }


def _wilson(name: str, hits: int, cases: int, z: float = 1.96) -> dict[str, float]:
    rate = hits / cases
    middle = (rate + z**2 / (2 * cases)) / (1 + z**2 / cases)
    half = z / (1 + z**2 / cases) * math.sqrt(rate * (1 - rate) / cases + z**2 / (4 * cases**2))
    return {f"{name}_rate": rate, f"{name}_low": max(middle - half, 0.0), f"{name}_high": middle + half}


def _summary(unit: int, kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = [row for row in rows if row["q"] <= 0.05]
    summary = {"unit": unit, "kind": kind, "change": 2.5, "concepts": len(found)}
    if not found:
        return {name: summary.get(name) for name in UNIT_EFFECTS}
    first = max(found, key=lambda row: abs(row["effect"]))
    rate = "insertion" if kind in {"insert", "up"} else "erasure"
    on_strip = ON_STRIP if kind == "ablate" else None
    return {
        **summary,
        **{name: first[name] for name in ("concept", "label", "plane", "effect", "low", "high", "q", "side")},
        "beyond_others": True,
        "rate": first[f"{rate}_rate"],
        "rate_low": first[f"{rate}_low"],
        "rate_high": first[f"{rate}_high"],
        "samples": on_strip,
        "sample_effects": on_strip and [first["effect"] * (2 - 0.4 * place) for place in range(4)],
    }
