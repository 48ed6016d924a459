"""Charts of reports: points, lines or bars of a study's own table, as the study asks for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from unit59.results.report import Reference, ReportChart
from unit59.site.cells import finite, number, rows_where, words
from unit59.site.charts.base import DASHED, Chart, plain, rounded, short
from unit59.site.views import SPARE_COLOURS

#: A page stays light: of more points, evenly many of each group are drawn.
MOST_POINTS = 3000
#: Rows of the table below a chart; the whole one is a file beside the page.
MOST_ROWS = 200
#: Groups that can be told apart.
MOST_GROUPS = 24
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
DASHES = ("solid", "dash", "dot", "dashdot")
#: An axis by doublings names its own values up to so many.
FEW_TICKS = 10
#: Names of bars that are longer stand beside lying bars.
LONG_NAME = 9


@dataclass(frozen=True)
class _Point:
    """A row as the chart shows it; numbers are percent where the chart says so."""

    x: Any
    y: float
    low: float | None
    high: float | None
    group: str
    hover: list[str]


def report_chart(chart: ReportChart, table: pl.DataFrame, colours: Mapping[str, str]) -> Chart | None:
    """The chart of a table whose columns are there. None where no row has numbers to draw.

    Args:
        chart: what is asked for.
        table: the study's.
        colours: of groups that have one everywhere: concepts, by name.
    """
    points = _points(chart, table)
    drawn = points if chart.kind != "bars" else _first_of_each(points)
    if not points:
        return None
    groups = list(dict.fromkeys(point.group for point in points))
    every = math.ceil(len(points) / MOST_POINTS) if chart.kind == "points" else 1
    names = list(dict.fromkeys(point.x for point in points if isinstance(point.x, str)))
    lying = chart.kind == "bars" and any(len(name) > LONG_NAME for name in names)
    data: list[dict[str, Any]] = []
    for place, group in enumerate(groups[:MOST_GROUPS]):
        shown = [point for point in drawn if point.group == group][::every]
        look = _look(place, len(groups), colours.get(group))
        data += _traces(chart, group, shown, look, lying=lying)
    rows = len(names) if lying else 0
    return Chart(
        label=chart.label,
        caption=chart.caption + _left_out(len(groups), every, points, drawn),
        data=data,
        layout=_layout(chart, len(groups), [point.x for point in points], lying=lying),
        head=_head(chart),
        rows=_rows(chart, points),
        height=max(360, 120 + 24 * rows) + 20 * (min(len(groups), MOST_GROUPS) // 4),
    )


def _points(chart: ReportChart, table: pl.DataFrame) -> list[_Point]:
    """The rows to draw, in the table's order; those without a number are left out."""
    found = []
    for row in rows_where(table, chart.where):
        x, y = row[chart.x], finite(row[chart.y])
        if isinstance(x, int | float) and not isinstance(x, bool):
            x = finite(x)
        elif x is not None:
            x = words(x)
        if x is None or y is None or (chart.x_log and isinstance(x, float) and x <= 0):
            continue
        found.append(
            _Point(
                x=x * 100 if chart.x_percent and isinstance(x, float) else x,
                y=_scaled(y, chart),
                low=_scaled(finite(row[chart.low]), chart) if chart.low else None,
                high=_scaled(finite(row[chart.high]), chart) if chart.high else None,
                group=words(row[chart.group]) if chart.group else "",
                hover=[words(row[name]) for name in chart.hover],
            )
        )
    return found


def _first_of_each(points: list[_Point]) -> list[_Point]:
    """One point for each bar: several would be drawn as their sum."""
    first: dict[tuple[Any, str], _Point] = {}
    for point in points:
        first.setdefault((point.x, point.group), point)
    return list(first.values())


def _scaled(value: float | None, chart: ReportChart) -> Any:
    return value * 100 if value is not None and chart.y_percent else value


# ---- what is drawn


def _look(place: int, groups: int, colour: str | None) -> dict[str, str]:
    """How a group is told apart, also without colour."""
    spare = SPARE_COLOURS[place % len(SPARE_COLOURS)] if groups > 1 else "@accent"
    return {
        "color": colour or spare,
        "symbol": SYMBOLS[place % len(SYMBOLS)],
        "dash": DASHES[place % len(DASHES)],
    }


def _traces(
    chart: ReportChart, group: str, points: list[_Point], look: dict[str, str], *, lying: bool
) -> list[dict[str, Any]]:
    if chart.kind == "lines":
        points = sorted(points, key=lambda point: _order(point.x))
    sides = {"x": [_drawn(point.x) for point in points], "y": [rounded(point.y) for point in points]}
    if lying:
        sides = {"x": sides["y"], "y": sides["x"]}
    trace: dict[str, Any] = {
        "type": "bar" if chart.kind == "bars" else "scatter",
        "name": short(group, 28),
        "legendgroup": plain(group),
        **sides,
        "text": [_hover(chart, point) for point in points],
        "hovertemplate": "%{text}<extra></extra>",
    }
    if chart.kind == "bars":
        trace |= {
            "marker": {"color": look["color"], "line": {"color": "@muted", "width": 1}},
            "textposition": "none",
            "orientation": "h" if lying else "v",
        }
    elif chart.kind == "lines":
        trace |= {
            "mode": "lines+markers",
            "line": {"color": look["color"], "dash": look["dash"], "width": 2},
            "marker": {"color": look["color"], "symbol": look["symbol"], "size": 7},
        }
    else:
        edge = {"color": "@muted", "width": 0.5}
        trace |= {
            "mode": "markers",
            "marker": {
                "color": look["color"],
                "symbol": look["symbol"],
                "size": 8,
                "opacity": 0.8,
                "line": edge,
            },
        }
    bounded = [point for point in points if point.low is not None and point.high is not None]
    if not bounded:
        return [trace]
    if chart.kind == "lines":
        return [_band(bounded, group, look["color"]), trace]
    return [trace | {"error_x" if lying else "error_y": _bars(points)}]


def _bars(points: list[_Point]) -> dict[str, Any]:
    """Intervals as whiskers."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [_length(point.y, point.high) for point in points],
        "arrayminus": [_length(point.low, point.y) for point in points],
        "color": "@ink",
        "thickness": 1.2,
        "width": 0,
    }


def _length(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else rounded(max(high - low, 0.0))


def _band(points: list[_Point], group: str, colour: str) -> dict[str, Any]:
    """Intervals as a band behind a line."""
    x = [_drawn(point.x) for point in points]
    low, high = [point.low or 0.0 for point in points], [point.high or 0.0 for point in points]
    red, green, blue = (
        (int(colour[i : i + 2], 16) for i in (1, 3, 5)) if colour.startswith("#") else (128,) * 3
    )
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x + x[::-1],
        "y": [rounded(value) for value in high + low[::-1]],
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.18)",
        "line": {"width": 0, "color": colour},
        "legendgroup": plain(group),
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _layout(chart: ReportChart, groups: int, places: list[Any], *, lying: bool) -> dict[str, Any]:
    x: dict[str, Any] = {"title": {"text": plain(chart.x_title)}}
    y: dict[str, Any] = {"title": {"text": plain(chart.y_title)}}
    if chart.x_log:
        x |= {"type": "log", "dtick": "D2"} | _ticks(places)
    if chart.x_percent:
        x["ticksuffix"] = "\u202f%"
    if chart.y_percent:
        y["ticksuffix"] = "\u202f%"
    shapes, notes = [], []
    for reference in chart.references:
        value = reference.value * (100 if _percent(chart, reference.axis) else 1)
        if reference.axis == "x" and chart.x_log and value <= 0:
            continue
        on = reference.axis if not lying else {"x": "y", "y": "x"}[reference.axis]
        shapes.append(_rule(on, value))
        notes.append(_note(reference, on, math.log10(value) if on == "x" and chart.x_log else value))
    if names := [each for each in dict.fromkeys(places) if isinstance(each, str)]:
        x |= {"type": "category", "tickvals": [plain(name) for name in names]}
        x["ticktext"] = [short(name) for name in names]
    return {
        "xaxis": y if lying else x,
        "yaxis": {**x, "autorange": "reversed"} if lying else y,
        "barmode": "group",
        "shapes": shapes,
        "annotations": notes,
        "showlegend": groups > 1,
        "legend": {"orientation": "h", "y": -0.25, "yref": "paper"},
    }


def _ticks(places: list[Any]) -> dict[str, Any]:
    """Ticks at the values themselves where these are few."""
    values = sorted({rounded(each) for each in places if isinstance(each, float)})
    return (
        {"tickvals": values, "ticktext": [number(each) for each in values]}
        if len(values) <= FEW_TICKS
        else {}
    )


def _rule(axis: str, value: float) -> dict[str, Any]:
    other = "y" if axis == "x" else "x"
    return {
        "type": "line",
        f"{axis}0": value,
        f"{axis}1": value,
        f"{other}ref": "paper",
        f"{other}0": 0,
        f"{other}1": 1,
        "line": DASHED,
    }


def _note(reference: Reference, axis: str, place: float) -> dict[str, Any]:
    """The name of a reference line, at its end."""
    at = (
        {"x": place, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top"}
        if axis == "x"
        else {"y": place, "x": 1, "xref": "paper", "xanchor": "right", "yanchor": "bottom"}
    )
    return {"text": short(reference.name, 32), "showarrow": False, "font": {"color": "@muted"}, **at}


# ---- in words


def _percent(chart: ReportChart, axis: str) -> bool:
    return chart.x_percent if axis == "x" else chart.y_percent


def _hover(chart: ReportChart, point: _Point) -> str:
    named = [f"{name} {text}" for name, text in zip(chart.hover, point.hover, strict=True)]
    parts = [*named, f"{chart.x_title}: {_said(point.x, percent=chart.x_percent)}"]
    parts.append(f"{chart.y_title}: {_said(point.y, percent=chart.y_percent)}{_between(chart, point)}")
    first = [point.group] if chart.group and chart.group not in chart.hover else []
    return "<br>".join(plain(part) for part in [*first, *parts])


def _said(value: Any, *, percent: bool) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{number(value)}\u202f%" if percent else number(value)


def _between(chart: ReportChart, point: _Point) -> str:
    if point.low is None or point.high is None:
        return ""
    return f" [{number(point.low)}, {number(point.high)}]"


def _head(chart: ReportChart) -> list[str]:
    group = [chart.group] if chart.group and chart.group not in chart.hover else []
    interval = ["95 % interval"] if chart.low and chart.high else []
    return [*chart.hover, *group, chart.x_title, chart.y_title, *interval]


def _rows(chart: ReportChart, points: list[_Point]) -> list[list[str]]:
    rows = []
    group = chart.group and chart.group not in chart.hover
    for point in points[:MOST_ROWS]:
        row = [*point.hover, *([point.group] if group else [])]
        row += [_said(point.x, percent=chart.x_percent), _said(point.y, percent=chart.y_percent)]
        if chart.low and chart.high:
            row.append(_between(chart, point).strip(" []").replace(", ", " – ") or "–")
        rows.append(row)
    if len(points) > MOST_ROWS:
        more = f"{len(points) - MOST_ROWS} more rows are in {chart.table}"
        rows.append([more, *[""] * (len(_head(chart)) - 1)])
    return rows


def _left_out(groups: int, every: int, points: list[_Point], drawn: list[_Point]) -> str:
    said = ""
    if every > 1:
        said += f" One in {every} of the {len(points):,} points is drawn."
    if len(drawn) < len(points):
        said += f" Further rows for the same bar are not drawn: {len(points) - len(drawn)}."
    if groups > MOST_GROUPS:
        said += f" The first {MOST_GROUPS} of {groups} groups are drawn."
    return said


def _order(x: Any) -> tuple[int, float]:
    """Numbers in order; names stay as the table has them."""
    return (0, x) if isinstance(x, float) else (1, 0.0)


def _drawn(x: Any) -> Any:
    return rounded(x) if isinstance(x, float) else plain(x)
