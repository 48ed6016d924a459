"""A report's chart in words: what a point says, the table of its numbers, what was left out."""

from __future__ import annotations

from typing import Any

from unit59.results.report import Columns, ReportChart
from unit59.site.cells import number
from unit59.site.charts.base import plain
from unit59.site.charts.report_points import Point
from unit59.site.heads import Head

#: Rows of the table below a chart; the whole one is a file beside the page.
MOST_ROWS = 200


def hover_words(chart: ReportChart, columns: Columns, point: Point) -> str:
    """What stands beside a point when it is pointed at, as text that Plotly takes as such."""
    names = [columns[name].heading for name in chart.hover]
    named = [f"{name} {text}" for name, text in zip(names, point.hover, strict=True)]
    parts = [*named, f"{chart.x_title}: {_said(point.x, percent=chart.x_percent)}"]
    parts.append(f"{chart.y_title}: {_said(point.y, percent=chart.y_percent)}{_between(chart, point)}")
    first = [point.group] if chart.group and chart.group not in chart.hover else []
    return "<br>".join(plain(part) for part in [*first, *parts])


def _said(value: Any, *, percent: bool) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{number(value)}\u202f%" if percent else number(value)


def _between(chart: ReportChart, point: Point) -> str:
    if point.low is None or point.high is None:
        return ""
    return f" [{number(point.low)}, {number(point.high)}]"


def head_of(chart: ReportChart, columns: Columns) -> list[Head]:
    """The columns of the table of a chart's numbers."""
    group = [chart.group] if chart.group and chart.group not in chart.hover else []
    found = [Head(columns[name].heading, columns[name].meaning) for name in [*chart.hover, *group]]
    found += [Head(chart.x_title, columns[chart.x].meaning), Head(chart.y_title, columns[chart.y].meaning)]
    if chart.low and chart.high:
        found.append(Head("95 % interval", columns[chart.low].meaning.removeprefix("lower end of ")))
    return found


def rows_of(chart: ReportChart, points: list[Point], width: int) -> list[list[str]]:
    """Its rows of so many cells, the first ones of many."""
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
        rows.append([more, *[""] * (width - 1)])
    return rows
