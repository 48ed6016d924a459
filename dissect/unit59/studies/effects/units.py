"""What every single unit of a layer does to every concept.

All units are measured on the same fixed samples, with the same noise; an effect is the mean paired difference
over these. Further samples, chosen so that rare concepts are shown often enough, serve the rates only. The
cost is known beforehand: units x kinds x samples x (tail + segmenter).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.edits import Edit
from unit59.edit.outcome import Outcome, Plain
from unit59.edit.workbench import Workbench
from unit59.foundation.arrays import Numbers
from unit59.results.schema import EFFECTS, UNIT_EFFECTS
from unit59.segmenters import Concept
from unit59.stats.first import judged, told_first
from unit59.stats.intervals import Mean, benjamini_hochberg, mean_interval, others_interval
from unit59.stats.rates import Floor, Rates, rate_columns, rates_of

Kind = Literal["ablate", "insert", "neutral", "down", "up"]


@dataclass(frozen=True)
class MeasuredEffects:
    """A layer's measured effects.

    Attributes:
        table: see `unit59.results.schema.EFFECTS`.
        units: see `unit59.results.schema.UNIT_EFFECTS`, with or without the strips' columns.
        tests: by kind, p-values in the Benjamini-Hochberg family.
        discoveries: by kind, of those, q <= 0.05.
    """

    table: pl.DataFrame
    units: pl.DataFrame
    tests: dict[str, int]
    discoveries: dict[str, int]


def edit_of(kind: Kind, unit: int, ablate: Literal["zero", "mean"] = "zero", shift: float = 5.0) -> Edit:
    """The edit of one unit that a kind stands for."""
    if kind == "ablate":
        return Edit.ablate([unit], level=ablate)
    if kind == "insert":
        return Edit.insert([unit])
    if kind == "neutral":
        return Edit.ablate([unit], level="mean")
    return Edit(do="shift", units=(unit,), by=-shift if kind == "down" else shift)


def choose_samples(shown: NDArray[np.bool_], fixed: int, extra: int) -> list[int]:
    """The fixed samples, and others for the rates of concepts that few of these show.

    One after the other, the concept that the fewest chosen samples show gets the first sample that shows it
    and is not chosen yet, until `extra` are chosen, or every concept is shown by half of `fixed` or has no
    sample left.

    Args:
        shown: [N,C], which samples show which concepts.
        fixed: the first samples, always taken.
        extra: at most so many others.
    """
    chosen = np.zeros(len(shown), np.bool_)
    chosen[:fixed] = True
    order = list(range(min(fixed, len(shown))))
    for _ in range(extra):
        counts = shown[chosen].sum(axis=0)
        left = (shown & ~chosen[:, None]).any(axis=0) & (counts < fixed / 2)
        if not left.any():
            break
        rarest = int(np.where(left, counts, len(shown) + 1).argmin())
        number = int((shown[:, rarest] & ~chosen).argmax())
        chosen[number] = True
        order.append(number)
    return order


def measure_effects(
    bench: Workbench,
    layer: str,
    units: dict[Kind, list[int]],
    numbers: Sequence[int],
    fixed: int,
    floor: float,
    edit: Callable[[Kind, int], Edit] = edit_of,
    advance: Callable[[int], None] | None = None,
) -> MeasuredEffects:
    """Measure single units.

    Args:
        bench: of the model.
        layer: whose.
        units: by kind, which are measured.
        numbers: the samples; see `choose_samples`.
        fixed: how many of them, from the front, effects are means over.
        floor: share of the grid from which on a sample shows a concept.
        edit: what a kind does to a unit.
        advance: is told how many (edit, sample) pairs are done.
    """
    sweep = bench.sweep(layer)
    plain = sweep.plain(numbers)
    limit = Floor(floor, plain.pixels)
    concepts = bench.cache.segmenter.concepts
    tables, summaries = [], []
    tests: dict[str, int] = {}
    discoveries: dict[str, int] = {}
    for kind, wanted in units.items():
        if not wanted:
            continue
        edits = [edit(kind, unit) for unit in wanted]
        parts = [
            _Part.of(plain, outcome, fixed, limit) for _, outcome in sweep.areas(edits, numbers, advance)
        ]
        joined = _Part.joined(parts)
        table = _table(kind, wanted, concepts, joined, plain.counts[:fixed].mean(axis=0) / plain.pixels)
        tests[kind], discoveries[kind] = len(table), int(table["found"].sum())
        tables.append(table)
        summaries.append(_summary(table, kind, wanted, joined.change))
    if not tables:  # the budget went to other layers
        return MeasuredEffects(pl.DataFrame(schema=EFFECTS), pl.DataFrame(schema=UNIT_EFFECTS), {}, {})
    return MeasuredEffects(pl.concat(tables), pl.concat(summaries), tests, discoveries)


def _table(
    kind: Kind, wanted: list[int], concepts: Sequence[Concept], joined: _Part, before: NDArray[np.float64]
) -> pl.DataFrame:
    """One row a (unit, concept), see `unit59.results.schema.EFFECTS`."""
    mean = joined.mean
    low, high = others_interval(mean.value)
    measured = pl.DataFrame(
        {
            "unit": np.repeat(wanted, len(concepts)),
            "kind": kind,
            **concept_columns(concepts, len(wanted)),
            "before": np.tile(before, len(wanted)),
            "effect": mean.value.reshape(-1),
            "se": mean.error.reshape(-1),
            "low": mean.low.reshape(-1),
            "high": mean.high.reshape(-1),
            "p": mean.p.reshape(-1),
            "q": benjamini_hochberg(mean.p).reshape(-1),
            "others_low": low.reshape(-1),
            "others_high": high.reshape(-1),
            **rate_columns(joined.rates),
            "side": joined.side.reshape(-1),
        }
    )
    return judged(measured.with_columns(pl.selectors.float().fill_nan(None)))


def concept_columns(concepts: Sequence[Concept], repeats: int) -> dict[str, Any]:
    """Number, name and plane of every concept, `repeats` times over."""
    return {
        "concept": list(range(1, len(concepts) + 1)) * repeats,
        "label": [concept.name for concept in concepts] * repeats,
        "plane": [concept.plane for concept in concepts] * repeats,
    }


@dataclass(frozen=True)
class _Part:
    """A block of edits, summed over samples as far as they can be."""

    mean: Mean  # [E,C], of the differences of shares over the fixed samples
    rates: Rates  # [E,C]
    side: Numbers  # [E,C]
    change: Numbers  # [E]

    @classmethod
    def of(cls, plain: Plain, outcome: Outcome, fixed: int, limit: Floor) -> _Part:
        differences = (outcome.counts - plain.counts)[:, :fixed].transpose(1, 0, 2) / plain.pixels
        return cls(
            mean_interval(differences),
            rates_of(plain.counts[None], outcome.counts, limit, axis=1),
            outcome.side[:, :fixed].mean(axis=1),
            outcome.mean_change[:, :fixed].mean(axis=1),
        )

    @classmethod
    def joined(cls, parts: Iterable[_Part]) -> _Part:
        parts = list(parts)
        names = ("shown", "erased", "absent", "inserted")
        means = [field.name for field in fields(Mean)]
        return cls(
            Mean(**{name: np.concatenate([getattr(part.mean, name) for part in parts]) for name in means}),
            Rates(**{name: np.concatenate([getattr(part.rates, name) for part in parts]) for name in names}),
            np.concatenate([part.side for part in parts]),
            np.concatenate([part.change for part in parts]),
        )


def _summary(table: pl.DataFrame, kind: Kind, wanted: Sequence[int], change: Numbers) -> pl.DataFrame:
    """Per unit the concept on which its effect stands out most, of those found; else the largest."""
    rate = "insertion" if kind in {"insert", "up"} else "erasure"
    first = told_first(table).select(
        "unit",
        "concept",
        "label",
        "plane",
        "effect",
        "low",
        "high",
        "q",
        "beyond_others",
        pl.col(f"{rate}_rate").alias("rate"),
        pl.col(f"{rate}_low").alias("rate_low"),
        pl.col(f"{rate}_high").alias("rate_high"),
        "side",
    )
    counts = table.filter(pl.col("found")).group_by("unit").len("concepts")
    units = pl.DataFrame(
        {"unit": wanted, "kind": kind, "change": change}, schema_overrides={"unit": pl.Int64}
    )
    return (
        units.join(counts, on="unit", how="left")
        .with_columns(pl.col("concepts").fill_null(0))
        .join(first, on="unit", how="left", maintain_order="left")
        .sort("unit")
    )
