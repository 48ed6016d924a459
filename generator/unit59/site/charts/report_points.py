"""Rows of a study's own table as the points of its chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from unit59.results.report import Columns, ReportChart
from unit59.site.cells import cell_text, finite, rows_where, words


@dataclass(frozen=True)
class Point:
    """A row as the chart shows it; numbers are percent where the chart says so."""

    x: Any
    y: float
    low: float | None
    high: float | None
    group: str
    hover: list[str]


def points_of(chart: ReportChart, table: pl.DataFrame, columns: Columns) -> list[Point]:
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
            Point(
                x=x * 100 if chart.x_percent and isinstance(x, float) else x,
                y=_scaled(y, chart),
                low=_scaled(finite(row[chart.low]), chart) if chart.low else None,
                high=_scaled(finite(row[chart.high]), chart) if chart.high else None,
                group=words(row[chart.group]) if chart.group else "",
                hover=[cell_text(row[name], columns[name].form) for name in chart.hover],
            )
        )
    return found


def first_of_each(points: list[Point]) -> list[Point]:
    """One point for each bar: several would be drawn as their sum."""
    first: dict[tuple[Any, str], Point] = {}
    for point in points:
        first.setdefault((point.x, point.group), point)
    return list(first.values())


def _scaled(value: float | None, chart: ReportChart) -> Any:
    return value * 100 if value is not None and chart.y_percent else value
