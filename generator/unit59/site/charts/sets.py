"""The chart of unit sets: a concept as more and more units go off, or on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from unit59.results.rows import StaircaseRow
from unit59.site.charts.base import Chart
from unit59.site.charts.marks import band, edge, legend_below, rounded, scale
from unit59.site.charts.orders import by_order, counts_axis, look_of, order_line, value_of
from unit59.site.heads import head


def sets_chart(concept: str, kind: str, steps: Sequence[StaircaseRow]) -> Chart | None:
    """A concept under sets of growing size, in each order, with the range of random orders. None without."""
    off = kind == "ablate"
    what: Literal["left", "rate"] = "left" if off else "rate"
    orders = by_order(steps)
    chance: dict[int, list[float]] = {}
    for row in orders.pop("random", []):
        chance.setdefault(row.count, []).append(value_of(row, what) or 0.0)
    if not orders:
        return None
    draws = max(map(len, chance.values()), default=0)
    return Chart(
        label=f"{concept} against the number of units switched {'off' if off else 'on'}, by order.",
        caption=(
            f"What is left of {concept}’s area as more units go off."
            if off
            else f"In how many of the samples that lack {concept} it appears as more units go on."
        )
        + (f" The band spans {draws} random orders." if draws else ""),
        data=[
            *([_spanned(chance, draws)] if chance else []),
            *(order_line(order, rows, what) for order, rows in orders.items()),
        ],
        layout={
            "xaxis": counts_axis(steps),
            "yaxis": scale("area left" if off else "insertion rate"),
            "legend": legend_below(-0.3),
        },
        head=[
            head("staircase.order"),
            head("staircase.count", "units"),
            head("staircase.left") if off else head("staircase.rate", "came in"),
            head("staircase.rate_low", "95 % interval of the rate"),
            head("staircase.side"),
        ],
        rows=[_step_row(row, off=off) for rows in orders.values() for row in rows]
        + [
            (f"{draws} random orders", count, f"{min(values):.3f} – {max(values):.3f}", "", "")
            for count, values in sorted(chance.items())
        ],
        height=380,
    )


def _step_row(row: StaircaseRow, *, off: bool) -> tuple[Any, ...]:
    return (
        look_of(row.order).name,
        row.count,
        f"{row.left:.3f}" if off else f"{row.hits} of {row.cases}",
        f"{row.rate_low:.2f} – {row.rate_high:.2f}",
        f"{row.side:.2f}",
    )


def _spanned(chance: Mapping[int, Sequence[float]], draws: int) -> dict[str, Any]:
    """What all random orders span, by how many units are edited."""
    counts = sorted(chance)
    low, high = ([rounded(end(chance[each])) for each in counts] for end in (min, max))
    return band(counts, low, high, "@grid", edge(), name=f"{draws} random orders")
