"""Charts of a search for a cause: the concept's area as more units go off, each unit alone, every case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unit59.results.rows import AloneRow, CaseRow, StaircaseRow
from unit59.results.schema import LayerSearch
from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import edge, intervals, legend_below, percent, points, rounded, rule, scale
from unit59.site.charts.orders import by_order, counts_axis, look_of, order_line
from unit59.site.heads import heads

#: Of the units that a search tried.
FOUND_COLOUR = "#b23c17"
#: The symbol of each state of a case.
CASES = {"before": "circle-open", "after": "circle", "all_but": "x-thin-open"}


def staircase_chart(
    concept: str,
    steps: Sequence[StaircaseRow],
    chance: Sequence[float],
    search: LayerSearch,
) -> Chart | None:
    """What is left of a concept as the units of an order go off. None without steps.

    Args:
        concept: its name.
        steps: rows of staircase.parquet, one layer, ablations.
        chance: what random sets of as many units leave as the search tried in the end.
        search: what it found.
    """
    orders = {order: rows for order, rows in by_order(steps).items() if order != "random"}
    if not orders:
        return None
    bar = f" The grey bar spans {len(chance)} random sets of {_units(len(search.tried))}." if chance else ""
    return Chart(
        label=f"Staircase: what is left of {concept} against the number of units switched off.",
        caption=(
            f"What is left of {concept}’s area (1: all of it) as units go off one after the other. A single "
            f"cause shows as one step down; many small causes as a slope.{bar}"
        ),
        data=[
            *(order_line(order, rows, "left") for order, rows in orders.items()),
            *([_chance(chance, search)] if chance else []),
            _tried(search),
        ],
        layout={
            "xaxis": counts_axis(steps),
            "yaxis": scale("area left"),
            "legend": legend_below(-0.3),
        },
        head=heads(
            "staircase", order="", count="", unit="", left="", rate="", rate_low="95 % interval", side=""
        ),
        rows=[
            (
                look_of(row.order).name,
                row.count,
                row.unit,
                f"{row.left:.3f}",
                f"{row.hits} of {row.cases}",
                f"{row.rate_low:.2f} – {row.rate_high:.2f}",
                f"{row.side:.2f}",
            )
            for row in steps
            if row.left is not None
        ],
        height=380,
    )


def _chance(left: Sequence[float], search: LayerSearch) -> dict[str, Any]:
    """The range of what random sets leave, with its mean."""
    dots = points(
        [len(search.tried)],
        [rounded(search.random_left)],
        name=f"{len(left)} random sets",
        hover=f"{min(left):.2f} to {max(left):.2f} left",
        color="@muted",
        size=9,
        symbol="line-ew-open",
    )
    span = intervals([search.random_left], [min(left)], [max(left)], color="@muted", thickness=3, width=5)
    return dots | {"error_y": span}


def _tried(search: LayerSearch) -> dict[str, Any]:
    return points(
        [len(search.tried)],
        [rounded(search.left)],
        name="what the search tried",
        hover="%{x} units: %{y:.2f} left",
        color=FOUND_COLOUR,
        size=14,
        symbol="star",
        line=edge("@ink"),
    )


def alone_chart(concept: str, rows: Sequence[AloneRow], tried: Sequence[int]) -> Chart | None:
    """Each unit off alone: its IoU with the concept against what it leaves. None where none was tested."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: row.left)
    return Chart(
        label=f"Each unit off alone: IoU with {concept} against what is left of it.",
        caption=(
            f"Every unit switched off alone, by its IoU with {concept}. A sole cause would lie at the "
            "bottom, apart from all others. Stars: the units that the search tried."
        ),
        data=[
            points(
                [rounded(row.iou) for row in ordered],
                [rounded(row.left) for row in ordered],
                hover="%{text}: IoU %{x:.3f}, %{y:.2f} left",
                text=[f"unit {row.unit}" for row in ordered],
                size=[13 if row.unit in tried else 8 for row in ordered],
                symbol=["star" if row.unit in tried else "circle" for row in ordered],
                color=[FOUND_COLOUR if row.unit in tried else "@accent" for row in ordered],
                opacity=0.85,
                line=edge(),
            )
        ],
        layout={
            "xaxis": scale(f"IoU with {short(concept)}"),
            "yaxis": scale("area left"),
            "showlegend": False,
        },
        head=heads("alone", unit="", iou="", left="", erased="gone in"),
        rows=[
            (row.unit, f"{row.iou:.4f}", f"{row.left:.3f}", f"{row.erased} of {row.shown}") for row in ordered
        ],
    )


def cases_chart(concept: str, kind: str, rows: Sequence[CaseRow], floor: float) -> Chart | None:
    """Every case: the concept's share before and after. None of no case."""
    if not rows:
        return None
    off = kind == "ablate"
    ordered = sorted(rows, key=lambda row: (row.after, row.before))
    names = {"before": "before", "after": "units off" if off else "units on", "all_but": "all but them off"}
    return Chart(
        label=f"{concept} in each of {len(ordered)} samples, before and after.",
        caption=(
            f"Share of the picture that {concept} takes in each sample, ordered by what is left: "
            f"failures stand at the {'right' if off else 'left'}. The dotted rule is the floor from which a "
            "sample counts as showing it."
        ),
        data=[
            _shares(ordered, column, name)
            for column, name in names.items()
            if any(_share(row, column) is not None for row in ordered)
        ],
        layout={
            "xaxis": scale("sample, in order", zero=False, showticklabels=False),
            "yaxis": scale(f"{short(concept)}, % of the picture"),
            "shapes": [rule("y", percent(floor))],
            "legend": legend_below(-0.25),
        },
        head=heads("cases", sample="", before="", after="", all_but="", side="change elsewhere, of 255"),
        rows=[
            (
                row.sample,
                f"{row.before * 100:.2f} %",
                f"{row.after * 100:.2f} %",
                "–" if row.all_but is None else f"{row.all_but * 100:.2f} %",
                f"{row.side:.2f}",
            )
            for row in ordered[:: -1 if off else 1]
        ],
    )


def _share(row: CaseRow, column: str) -> float | None:
    return {"before": row.before, "after": row.after, "all_but": row.all_but}[column]


def _shares(ordered: Sequence[CaseRow], column: str, name: str) -> dict[str, Any]:
    shares = [_share(row, column) for row in ordered]
    return points(
        range(1, len(ordered) + 1),
        [None if share is None else percent(share) for share in shares],
        name=name,
        hover=f"%{{text}}, {name}: %{{y:.2f}} %",
        text=[f"sample {row.sample}" for row in ordered],
        symbol=CASES[column],
        size=9,
        color="@accent" if column == "after" else "@ink",
        line=edge("@ink", 1.5),
    )


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"
