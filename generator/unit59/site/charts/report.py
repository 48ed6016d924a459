"""Charts of reports: points, lines or bars of a study's own table, as the study asks for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from unit59.results.report import Columns, Reference, ReportChart
from unit59.site.cells import number
from unit59.site.charts import marks
from unit59.site.charts.base import Chart, plain, short
from unit59.site.charts.marks import (
    SYMBOLS,
    band,
    bars,
    edge,
    intervals,
    legend_below,
    lines,
    rounded,
    rule,
    scale,
)
from unit59.site.charts.report_points import Point, first_of_each, points_of
from unit59.site.charts.report_words import head_of, hover_words, rows_of
from unit59.site.views import SPARE_COLOURS

#: A page stays light: of more points, evenly many of each group are drawn.
MOST_POINTS = 3000
#: Groups that can be told apart.
MOST_GROUPS = 24
DASHES = ("solid", "dash", "dot", "dashdot")
#: An axis by doublings names its own values up to so many.
FEW_TICKS = 10
#: Names of bars that are longer stand beside lying bars.
LONG_NAME = 9


@dataclass(frozen=True)
class GroupLook:
    """How a group is told apart, also without colour."""

    color: str
    symbol: str
    dash: str


def report_chart(
    asked: ReportChart, table: pl.DataFrame, colours: Mapping[str, str], columns: Columns
) -> Chart | None:
    """The chart of a table whose columns are there. None where no row has numbers to draw.

    Args:
        asked: what the study says of it.
        table: the study's.
        colours: of groups that have one everywhere: concepts, by name.
        columns: what the table's hold.
    """
    chart = asked.drawn(columns)
    points = points_of(chart, table, columns)
    drawn = points if chart.kind != "bars" else first_of_each(points)
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
        data += _traces(chart, columns, group, shown, look, lying=lying)
    rows, head = len(names) if lying else 0, head_of(chart, columns)
    return Chart(
        label=chart.label,
        caption=chart.caption + _left_out(len(groups), every, points, drawn),
        data=data,
        layout=_layout(chart, len(groups), [point.x for point in points], lying=lying),
        head=head,
        rows=rows_of(chart, points, len(head)),
        height=max(360, 120 + 24 * rows) + 20 * (min(len(groups), MOST_GROUPS) // 4),
    )


def _left_out(groups: int, every: int, points: list[Point], drawn: list[Point]) -> str:
    said = ""
    if every > 1:
        said += f" One in {every} of the {len(points):,} points is drawn."
    if len(drawn) < len(points):
        said += f" Further rows for the same bar are not drawn: {len(points) - len(drawn)}."
    if groups > MOST_GROUPS:
        said += f" The first {MOST_GROUPS} of {groups} groups are drawn."
    return said


def _look(place: int, groups: int, colour: str | None) -> GroupLook:
    spare = SPARE_COLOURS[place % len(SPARE_COLOURS)] if groups > 1 else "@accent"
    return GroupLook(colour or spare, SYMBOLS[place % len(SYMBOLS)], DASHES[place % len(DASHES)])


def _traces(
    chart: ReportChart, columns: Columns, group: str, points: list[Point], look: GroupLook, *, lying: bool
) -> list[dict[str, Any]]:
    if chart.kind == "lines":
        points = sorted(points, key=lambda point: _order(point.x))
    x, y = [_drawn(point.x) for point in points], [rounded(point.y) for point in points]
    trace = _mark(chart.kind, (y, x) if lying else (x, y), short(group, 28), look, lying=lying)
    trace |= {
        "text": [hover_words(chart, columns, point) for point in points],
        "hovertemplate": "%{text}<extra></extra>",
        "legendgroup": plain(group),
    }
    bounded = [point for point in points if point.low is not None and point.high is not None]
    if not bounded:
        return [trace]
    if chart.kind == "lines":
        return [_band(bounded, group, look.color), trace]
    return [trace | {"error_x" if lying else "error_y": _whiskers(points)}]


def _mark(
    kind: str, sides: tuple[list[Any], list[Any]], name: str, look: GroupLook, *, lying: bool
) -> dict[str, Any]:
    if kind == "bars":
        mark = bars(*sides, name=name, lying=lying, color=look.color, line=edge())
        return mark | {"textposition": "none", "orientation": "h" if lying else "v"}
    if kind == "lines":
        line = {"color": look.color, "dash": look.dash, "width": 2}
        return lines(*sides, line, name=name, color=look.color, symbol=look.symbol, size=7)
    dots = marks.points(*sides, name=name, color=look.color, symbol=look.symbol, size=8, opacity=0.8)
    dots["marker"]["line"] = edge(width=0.5)
    return dots


def _whiskers(shown: list[Point]) -> dict[str, Any]:
    """Intervals as whiskers; none where a point has no interval."""
    ends = [(p.y, p.y, p.y) if p.low is None or p.high is None else (p.y, p.low, p.high) for p in shown]
    return intervals(*zip(*ends, strict=True), thickness=1.2)


def _band(shown: list[Point], group: str, colour: str) -> dict[str, Any]:
    """Intervals as a band behind a line."""
    red, green, blue = (
        (int(colour[i : i + 2], 16) for i in (1, 3, 5)) if colour.startswith("#") else (128,) * 3
    )
    return band(
        [_drawn(point.x) for point in shown],
        [rounded(point.low or 0.0) for point in shown],
        [rounded(point.high or 0.0) for point in shown],
        f"rgba({red},{green},{blue},0.18)",
        {"width": 0, "color": colour},
        legendgroup=plain(group),
        showlegend=False,
    )


def _layout(chart: ReportChart, groups: int, places: list[Any], *, lying: bool) -> dict[str, Any]:
    x, y = _x_axis(chart, places), scale(plain(chart.y_title), zero=False)
    if chart.y_percent:
        y["ticksuffix"] = "\u202f%"
    shown = [each for each in chart.references if each.axis == "y" or not chart.x_log or each.value > 0]
    drawn = [_reference(chart, each, lying=lying) for each in shown]
    return {
        "xaxis": y if lying else x,
        "yaxis": {**x, "autorange": "reversed"} if lying else y,
        "barmode": "group",
        "shapes": [line for line, _ in drawn],
        "annotations": [note for _, note in drawn],
        "showlegend": groups > 1,
        "legend": {**legend_below(-0.25), "yref": "paper"},
    }


def _x_axis(chart: ReportChart, places: list[Any]) -> dict[str, Any]:
    x = scale(plain(chart.x_title), zero=False)
    if chart.x_log:
        x |= {"type": "log", "dtick": "D2"} | _ticks(places)
    if chart.x_percent:
        x["ticksuffix"] = "\u202f%"
    if names := [each for each in dict.fromkeys(places) if isinstance(each, str)]:
        x |= {"type": "category", "tickvals": [plain(name) for name in names]}
        x["ticktext"] = [short(name) for name in names]
    return x


def _ticks(places: list[Any]) -> dict[str, Any]:
    """Ticks at the values themselves where these are few."""
    values = sorted({rounded(each) for each in places if isinstance(each, float)})
    return (
        {"tickvals": values, "ticktext": [number(each) for each in values]}
        if len(values) <= FEW_TICKS
        else {}
    )


def _reference(
    chart: ReportChart, reference: Reference, *, lying: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A line across the chart, and its name at the line's end."""
    shares = chart.x_percent if reference.axis == "x" else chart.y_percent
    value = reference.value * (100 if shares else 1)
    axis = {"x": "y", "y": "x"}[reference.axis] if lying else reference.axis
    place = math.log10(value) if axis == "x" and chart.x_log else value
    at = (
        {"x": place, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top"}
        if axis == "x"
        else {"y": place, "x": 1, "xref": "paper", "xanchor": "right", "yanchor": "bottom"}
    )
    note = {"text": short(reference.name, 32), "showarrow": False, "font": {"color": "@muted"}, **at}
    return rule(axis, value), note


def _order(x: Any) -> tuple[int, float]:
    """Numbers in order; names stay as the table has them."""
    return (0, x) if isinstance(x, float) else (1, 0.0)


def _drawn(x: Any) -> Any:
    return rounded(x) if isinstance(x, float) else plain(x)
