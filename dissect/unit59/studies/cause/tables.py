"""The tables of a search in one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from unit59.edit.edits import Edit
from unit59.stats.first import is_found
from unit59.stats.intervals import benjamini_hochberg, central, mean_interval
from unit59.studies.cause.answers import Answer
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.cause.staircase import Staircase
from unit59.studies.cause.verdict import Evidence
from unit59.studies.effects.units import concept_columns


def search_tables(
    subject: ConceptAtLayer,
    evidence: Evidence,
    stairs: Sequence[Staircase],
    alone: Mapping[int, Answer],
    singles: Mapping[int, Answer],
    iou: Sequence[float],
) -> dict[str, pl.DataFrame]:
    """All tables of the layer, by file name; see `unit59.results.schema.STUDY_TABLES`.

    Args:
        subject: the concept at the layer.
        evidence: what the verdict is of.
        stairs: the orders that were gone through.
        alone: units off alone, on the searching samples.
        singles: some of them, on the confirming samples.
        iou: of every unit.
    """
    rows = {
        "staircase.parquet": [
            step_row(stair.name, None, "ablate", stair.order[:size], answer)
            for stair in stairs
            for size, answer in sorted(stair.steps.items())
        ],
        "alone.parquet": [
            alone_row(unit, iou[unit], alone[unit], singles.get(unit)) for unit in sorted(alone)
        ],
        "cases.parquet": _case_rows(subject, evidence),
        "random.parquet": random_rows(evidence.chance, evidence.chance_off, evidence.chance_on),
    }
    frames = {name: pl.DataFrame(each, infer_schema_length=None) for name, each in rows.items() if each}
    frames["specificity.parquet"] = _specificity(subject, evidence)
    layer = pl.lit(subject.sweep.layer).alias("layer")
    return {name: frame.with_columns(layer) for name, frame in frames.items()}


def step_row(order: str, draw: int | None, kind: str, units: Sequence[int], answer: Answer) -> dict[str, Any]:
    """One step of a staircase: the first so many units of an order are edited."""
    effect, (low, high) = answer.effect, answer.rate_interval
    return {
        "order": order,
        "draw": draw,
        "kind": kind,
        "count": len(units),
        "unit": units[-1],
        "left": answer.left if kind == "ablate" else None,
        "effect": float(effect.value),
        "low": float(effect.low),
        "high": float(effect.high),
        "hits": answer.hits,
        "cases": answer.cases,
        "rate": answer.rate,
        "rate_low": low,
        "rate_high": high,
        "side": float(answer.side.mean()),
    }


def random_rows(
    sets: Sequence[Sequence[int]], off: Sequence[Answer], on: Sequence[Answer]
) -> list[dict[str, Any]]:
    """Random sets, ablated and (where it was asked) inserted."""
    return [
        {
            "kind": kind,
            "draw": draw,
            "units": list(sets[draw]),
            "left": answer.left if kind == "ablate" else None,
            "hits": answer.hits,
            "cases": answer.cases,
            "rate": answer.rate,
            "side": float(answer.side.mean()),
        }
        for kind, answers in (("ablate", off), ("insert", on))
        for draw, answer in enumerate(answers)
    ]


def alone_row(unit: int, iou: float, answer: Answer, confirmed: Answer | None) -> dict[str, Any]:
    """One unit off alone, on the searching samples and perhaps on the confirming ones."""
    low, high = confirmed.rate_interval if confirmed else (None, None)
    return {
        "unit": unit,
        "iou": float(iou),
        "left": answer.left,
        "erased": answer.hits,
        "shown": answer.cases,
        "confirmed": confirmed is not None,
        "hits": confirmed.hits if confirmed else None,
        "rate": confirmed.rate if confirmed else None,
        "rate_low": low,
        "rate_high": high,
    }


def _case_rows(subject: ConceptAtLayer, evidence: Evidence) -> list[dict[str, Any]]:
    rows, limit = [], subject.limit
    for kind, numbers, answer in (
        ("ablate", subject.cases.confirm, evidence.off),
        ("insert", subject.cases.absent, evidence.on),
    ):
        for row, sample in enumerate(numbers if answer else []):
            assert answer is not None  # noqa: S101  # no rows without
            spared = evidence.all_but.after[row] if evidence.all_but and kind == "ablate" else None
            after = answer.after[row]
            rows.append(
                {
                    "sample": sample,
                    "kind": kind,
                    "before": answer.before[row] / answer.pixels,
                    "after": after / answer.pixels,
                    "hit": bool(limit.lacks(after) if kind == "ablate" else limit.shows(after)),
                    "all_but": None if spared is None else spared / answer.pixels,
                    "all_but_hit": None if spared is None else bool(limit.lacks(spared)),
                    "side": float(answer.side[row]),
                }
            )
    return rows


def _specificity(subject: ConceptAtLayer, evidence: Evidence) -> pl.DataFrame:
    """What the ablation does to every concept, beside the random sets."""
    numbers, bench = subject.cases.confirm, subject.sweep
    plain = bench.plain(numbers)
    outcome = bench.area(Edit.ablate(evidence.tried), numbers)
    mean = mean_interval((outcome.counts[0] - plain.counts) / plain.pixels)
    columns = {
        **concept_columns(bench.cache.segmenter.concepts, 1),
        "before": plain.counts.mean(axis=0) / plain.pixels,
        "effect": mean.value,
        "se": mean.error,
        "low": mean.low,
        "high": mean.high,
        "p": mean.p,
        "q": benjamini_hochberg(mean.p),
    }
    columns["found"] = [is_found(q) for q in columns["q"].tolist()]
    chance = bench.counts([Edit.ablate(units) for units in evidence.chance], numbers)
    effects = (chance - plain.counts).mean(axis=1) / plain.pixels
    columns["random_low"], columns["random_high"] = central(effects)
    return pl.DataFrame(columns)
