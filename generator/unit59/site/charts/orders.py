"""What charts of studies share: orders of units as lines, and an axis of how many units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from unit59.results.rows import StaircaseRow
from unit59.site.charts.marks import lines, rounded


@dataclass(frozen=True)
class OrderLook:
    """How an order is told apart, also without colour."""

    name: str
    color: str = "@muted"
    dash: str = "dot"
    symbol: str = "cross"


ORDERS: Mapping[str, OrderLook] = {
    "iou": OrderLook("best agreement first", "@accent", "solid", "circle"),
    "effect": OrderLook("largest effect first", "@ink", "dash", "square"),
    "ace": OrderLook("optimised (ACE)", "#b0643c", "dot", "diamond"),
}


def look_of(order: str) -> OrderLook:
    """The look of an order; one that is not known has its own name."""
    return ORDERS.get(order, OrderLook(order))


def by_order(steps: Sequence[StaircaseRow]) -> dict[str, list[StaircaseRow]]:
    """Rows of staircase.parquet by order, each by how many units are edited."""
    orders: dict[str, list[StaircaseRow]] = {}
    for row in sorted(steps, key=lambda row: row.count):
        orders.setdefault(row.order, []).append(row)
    return orders


def value_of(row: StaircaseRow, what: Literal["left", "rate"]) -> float | None:
    """What a chart of orders shows: the area left, or how often it goes or comes."""
    return row.left if what == "left" else row.rate


def order_line(order: str, steps: Sequence[StaircaseRow], what: Literal["left", "rate"]) -> dict[str, Any]:
    """One order's line of a column of staircase.parquet."""
    look = look_of(order)
    known = [(row, value) for row in steps if (value := value_of(row, what)) is not None]
    return lines(
        [row.count for row, _ in known],
        [rounded(value) for _, value in known],
        {"color": look.color, "dash": look.dash, "width": 2},
        name=look.name,
        hover="%{x} units, the last %{text}: %{y:.2f}",
        text=[f"unit {row.unit}" for row, _ in known],
        color=look.color,
        symbol=look.symbol,
        size=7,
    )


def counts_axis(steps: Sequence[StaircaseRow]) -> dict[str, Any]:
    """An axis of numbers of units; by doublings, as the first few matter most."""
    most = max((row.count for row in steps), default=1)
    ticks = [2**power for power in range(most.bit_length())]
    return {
        "title": {"text": "units"},
        "type": "log",
        "tickvals": ticks,
        "ticktext": [str(each) for each in ticks],
    }
