"""Unit sets: what more and more units of a layer do to a concept, in several orders and at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from unit59.edit.edits import Edit
from unit59.results.schema import Rate, Smallest
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.cause.staircase import Staircase
from unit59.studies.cause.tables import alone_row, step_row
from unit59.studies.cause.verdict import rate_of
from unit59.studies.sets.ace import Optimised
from unit59.studies.unit_sets import RANDOM_SETS, ladder, random_orders


@dataclass(frozen=True)
class SetCurves:
    """What more and more units of a layer do, in several orders.

    Attributes:
        orders: by name, all units of the layer, first to last.
        smallest: the smallest erasing set along each.
        steps: see `unit59.results.schema.STAIRCASE`.
        alone: see `unit59.results.schema.ALONE`.
    """

    orders: dict[str, list[int]]
    smallest: list[Smallest]
    steps: pl.DataFrame
    alone: pl.DataFrame


def measure_curves(
    subject: ConceptAtLayer,
    iou: Sequence[float],
    optimised: Optimised | None,
    largest: int,
    seed: int,
    advance: Callable[[int], None] | None = None,
) -> SetCurves:
    """Measure sets of 1 to `largest` units.

    Orders are made on the searching samples; every point of the curves is measured on the confirming ones
    (ablations) or on samples that lack the concept (insertions).

    Args:
        subject: the concept at the layer.
        iou: of every unit with the concept.
        optimised: what ACE found, if it could run.
        largest: set.
        seed: of the random orders.
        advance: is told how many (edit, sample) pairs are done; see `cost`.
    """
    units, cases = range(subject.sweep.units), subject.cases
    tick = advance or (lambda _: None)
    alone = subject.ask_many([Edit.ablate([unit]) for unit in units], cases.search, tick)
    orders = {
        "iou": sorted(units, key=lambda unit: (-iou[unit], unit)),
        "effect": sorted(units, key=lambda unit: (alone[unit].left, -iou[unit], unit)),
    }
    if optimised is not None:
        orders["ace"] = optimised.order
    lines: list[tuple[str, int | None, list[int]]] = [(name, None, order) for name, order in orders.items()]
    lines += [
        ("random", draw, order) for draw, order in enumerate(random_orders(len(units), RANDOM_SETS, seed))
    ]
    rows: list[dict[str, Any]] = []
    kinds: list[tuple[Literal["ablate", "insert"], list[int]]] = [
        ("ablate", cases.confirm),
        ("insert", cases.absent),
    ]
    for kind, numbers in kinds:
        for name, draw, order in lines if numbers else []:
            sets = [order[:size] for size in ladder(largest)]
            edits = [Edit(do=kind, units=tuple(each)) for each in sets]
            answers = subject.ask_many(edits, numbers, tick)
            rows += [step_row(name, draw, kind, each, a) for each, a in zip(sets, answers, strict=True)]
    smallest = [_smallest(subject, name, order) for name, order in orders.items()]
    layer = pl.lit(subject.sweep.layer).alias("layer")
    return SetCurves(
        orders,
        smallest,
        pl.DataFrame(rows, infer_schema_length=None).with_columns(layer),
        pl.DataFrame(
            [alone_row(unit, iou[unit], answer, None) for unit, answer in enumerate(alone)],
            infer_schema_length=None,
        ).with_columns(layer),
    )


def cost(subject: ConceptAtLayer, largest: int, orders: int) -> int:
    """How many (edit, sample) pairs `measure_curves` carries out before it looks for the smallest sets."""
    cases, lines = subject.cases, orders + RANDOM_SETS
    points = lines * len(ladder(largest)) * (len(cases.confirm) + len(cases.absent))
    return subject.sweep.units * len(cases.search) + points


def _smallest(subject: ConceptAtLayer, name: str, order: list[int]) -> Smallest:
    stair = Staircase(subject, name, order)
    units, minimised = stair.minimal()
    if not units:
        return Smallest(order=name, prefix=None, units=[], minimised=True, erasure=None, left=None, side=None)
    answer = subject.off(units, subject.cases.confirm)
    return Smallest(
        order=name,
        prefix=stair.shortest,
        units=sorted(units),
        minimised=minimised,
        erasure=Rate(**rate_of(answer)),
        left=answer.left,
        side=float(answer.side.mean()),
    )
