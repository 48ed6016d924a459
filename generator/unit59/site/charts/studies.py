"""Charts of studies: a concept's area as more units go off, each unit alone, every case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unit59.site.charts.base import DASHED, Chart, rounded, short

#: How lines are told apart, also without colour.
LINES: Mapping[str, dict[str, Any]] = {
    "iou": {"name": "best agreement first", "color": "@accent", "dash": "solid", "symbol": "circle"},
    "effect": {"name": "largest effect first", "color": "@ink", "dash": "dash", "symbol": "square"},
    "ace": {"name": "optimised (ACE)", "color": "#b0643c", "dash": "dot", "symbol": "diamond"},
}


def staircase_chart(
    concept: str,
    steps: Sequence[dict[str, Any]],
    chance: Sequence[float],
    size: int,
    found: tuple[int, float] | None,
) -> Chart | None:
    """What is left of a concept as the units of an order go off. None without steps.

    Args:
        concept: its name.
        steps: rows of staircase.parquet, one layer, ablations.
        chance: what random sets of `size` units leave.
        size: see there.
        found: how many units the search tried in the end, and what they leave.
    """
    data = [_line(name, rows, "left") for name, rows in _by_order(steps).items() if name != "random"]
    if not data:
        return None
    if chance:
        middle = sum(chance) / len(chance)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{len(chance)} random sets",
                "x": [size],
                "y": [rounded(middle)],
                "marker": {"color": "@muted", "size": 9, "symbol": "line-ew-open"},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rounded(max(chance) - middle)],
                    "arrayminus": [rounded(middle - min(chance))],
                    "color": "@muted",
                    "thickness": 3,
                    "width": 5,
                },
                "hovertemplate": f"{min(chance):.2f} to {max(chance):.2f} left<extra></extra>",
            }
        )
    if found:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "what the search tried",
                "x": [found[0]],
                "y": [rounded(found[1])],
                "marker": {
                    "color": "#b23c17",
                    "size": 14,
                    "symbol": "star",
                    "line": {"color": "@ink", "width": 1},
                },
                "hovertemplate": "%{x} units: %{y:.2f} left<extra></extra>",
            }
        )
    return Chart(
        label=f"Staircase: what is left of {concept} against the number of units switched off.",
        caption=(
            f"What is left of {concept}’s area (1: all of it) as units go off one after the other. A single "
            "cause shows as one step down; many small causes as a slope. "
            + (f"The grey bar spans {len(chance)} random sets of {_units(size)}." if chance else "")
        ).strip(),
        data=data,
        layout={
            "xaxis": _counts(steps),
            "yaxis": {"title": {"text": "area left"}, "rangemode": "tozero"},
            "legend": {"orientation": "h", "y": -0.3},
        },
        head=("order", "units off", "last of them", "area left", "gone in", "95 % interval", "side effect"),
        rows=[
            (
                LINES.get(row["order"], {"name": row["order"]})["name"],
                row["count"],
                row["unit"],
                f"{row['left']:.3f}",
                f"{row['hits']} of {row['cases']}",
                f"{row['rate_low']:.2f} – {row['rate_high']:.2f}",
                f"{row['side']:.2f}",
            )
            for row in steps
            if row["left"] is not None
        ],
        height=380,
    )


def sets_chart(concept: str, kind: str, steps: Sequence[dict[str, Any]]) -> Chart | None:
    """A concept under sets of growing size, in each order, with the range of random orders. None without."""
    off = kind == "ablate"
    what = "left" if off else "rate"
    orders = _by_order(steps)
    chance: dict[int, list[float]] = {}
    for row in orders.pop("random", []):
        chance.setdefault(row["count"], []).append(row[what])
    if not orders:
        return None
    draws = max(map(len, chance.values()), default=0)
    data = [_band(chance, draws)] if chance else []
    data += [_line(name, rows, what) for name, rows in orders.items()]
    return Chart(
        label=f"{concept} against the number of units switched {'off' if off else 'on'}, by order.",
        caption=(
            f"What is left of {concept}’s area as more units go off."
            if off
            else f"In how many of the samples that lack {concept} it appears as more units go on."
        )
        + (f" The band spans {draws} random orders." if draws else ""),
        data=data,
        layout={
            "xaxis": _counts(steps),
            "yaxis": {"title": {"text": "area left" if off else "insertion rate"}, "rangemode": "tozero"},
            "legend": {"orientation": "h", "y": -0.3},
        },
        head=(
            "order",
            "units",
            "area left" if off else "came in",
            "95 % interval of the rate",
            "side effect",
        ),
        rows=[
            (
                LINES.get(row["order"], {"name": row["order"]})["name"],
                row["count"],
                f"{row['left']:.3f}" if off else f"{row['hits']} of {row['cases']}",
                f"{row['rate_low']:.2f} – {row['rate_high']:.2f}",
                f"{row['side']:.2f}",
            )
            for rows in orders.values()
            for row in rows
        ]
        + [
            (f"{draws} random orders", count, f"{min(values):.3f} – {max(values):.3f}", "", "")
            for count, values in sorted(chance.items())
        ],
        height=380,
    )


def alone_chart(concept: str, rows: Sequence[dict[str, Any]], tried: Sequence[int]) -> Chart | None:
    """Each unit off alone: its IoU with the concept against what it leaves. None where none was tested."""
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: row["left"])
    return Chart(
        label=f"Each unit off alone: IoU with {concept} against what is left of it.",
        caption=(
            f"Every unit switched off alone, by its IoU with {concept}. A sole cause would lie at the "
            "bottom, apart from all others. Stars: the units that the search tried."
        ),
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "x": [rounded(row["iou"]) for row in ordered],
                "y": [rounded(row["left"]) for row in ordered],
                "text": [f"unit {row['unit']}" for row in ordered],
                "marker": {
                    "size": [13 if row["unit"] in tried else 8 for row in ordered],
                    "symbol": ["star" if row["unit"] in tried else "circle" for row in ordered],
                    "color": ["#b23c17" if row["unit"] in tried else "@accent" for row in ordered],
                    "opacity": 0.85,
                    "line": {"color": "@muted", "width": 1},
                },
                "hovertemplate": "%{text}: IoU %{x:.3f}, %{y:.2f} left<extra></extra>",
            }
        ],
        layout={
            "xaxis": {"title": {"text": f"IoU with {short(concept)}"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "area left"}, "rangemode": "tozero"},
            "showlegend": False,
        },
        head=("unit", "IoU", "area left", "gone in"),
        rows=[
            (row["unit"], f"{row['iou']:.4f}", f"{row['left']:.3f}", f"{row['erased']} of {row['shown']}")
            for row in ordered
        ],
    )


def cases_chart(concept: str, kind: str, rows: Sequence[dict[str, Any]], floor: float) -> Chart | None:
    """Every case: the concept's share before and after. None of no case."""
    if not rows:
        return None
    off = kind == "ablate"
    ordered = sorted(rows, key=lambda row: (row["after"], row["before"]))
    places = list(range(1, len(ordered) + 1))
    symbols = {"before": "circle-open", "after": "circle", "all_but": "x-thin-open"}
    names = {"before": "before", "after": "units off" if off else "units on", "all_but": "all but them off"}
    return Chart(
        label=f"{concept} in each of {len(ordered)} samples, before and after.",
        caption=(
            f"Share of the picture that {concept} takes in each sample, ordered by what is left: "
            f"failures stand at the {'right' if off else 'left'}. The dotted rule is the floor from which a "
            "sample counts as showing it."
        ),
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": names[column],
                "x": places,
                "y": [None if row[column] is None else rounded(row[column] * 100) for row in ordered],
                "text": [f"sample {row['sample']}" for row in ordered],
                "marker": {
                    "symbol": symbol,
                    "size": 9,
                    "color": "@accent" if column == "after" else "@ink",
                    "line": {"color": "@ink", "width": 1.5},
                },
                "hovertemplate": f"%{{text}}, {names[column]}: %{{y:.2f}} %<extra></extra>",
            }
            for column, symbol in symbols.items()
            if any(row[column] is not None for row in ordered)
        ],
        layout={
            "xaxis": {"title": {"text": "sample, in order"}, "showticklabels": False},
            "yaxis": {"title": {"text": f"{short(concept)}, % of the picture"}, "rangemode": "tozero"},
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": rounded(floor * 100),
                    "y1": rounded(floor * 100),
                    "line": DASHED,
                }
            ],
            "legend": {"orientation": "h", "y": -0.25},
        },
        head=("sample", "before", "after", "all but them off", "change elsewhere, of 255"),
        rows=[
            (
                row["sample"],
                f"{row['before'] * 100:.2f} %",
                f"{row['after'] * 100:.2f} %",
                "–" if row["all_but"] is None else f"{row['all_but'] * 100:.2f} %",
                f"{row['side']:.2f}",
            )
            for row in ordered[:: -1 if off else 1]
        ],
    )


def _by_order(steps: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    orders: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(steps, key=lambda row: row["count"]):
        orders.setdefault(row["order"], []).append(row)
    return orders


def _line(order: str, rows: Sequence[dict[str, Any]], what: str) -> dict[str, Any]:
    look = LINES.get(order, {"name": order, "color": "@muted", "dash": "dot", "symbol": "cross"})
    known = [row for row in rows if row[what] is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": look["name"],
        "x": [row["count"] for row in known],
        "y": [rounded(row[what]) for row in known],
        "text": [f"unit {row['unit']}" for row in known],
        "line": {"color": look["color"], "dash": look["dash"], "width": 2},
        "marker": {"color": look["color"], "symbol": look["symbol"], "size": 7},
        "hovertemplate": "%{x} units, the last %{text}: %{y:.2f}<extra></extra>",
    }


def _band(chance: Mapping[int, Sequence[float]], draws: int) -> dict[str, Any]:
    counts = sorted(chance)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{draws} random orders",
        "x": [*counts, *counts[::-1]],
        "y": [rounded(max(chance[each])) for each in counts]
        + [rounded(min(chance[each])) for each in counts[::-1]],
        "fill": "toself",
        "line": {"color": "@muted", "width": 1},
        "fillcolor": "@grid",
        "hoverinfo": "skip",
    }


def _counts(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An axis of numbers of units; by doublings, as the first few matter most."""
    most = max((row["count"] for row in steps), default=1)
    ticks = [2**power for power in range(most.bit_length())]
    return {
        "title": {"text": "units"},
        "type": "log",
        "tickvals": ticks,
        "ticktext": [str(each) for each in ticks],
    }


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"
