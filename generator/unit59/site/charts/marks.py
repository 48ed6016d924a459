"""The few marks that all charts are drawn with: points, lines, bars, bands, rules, intervals; and axes.

Each is a Plotly trace (or a part of one) as plain data. What a mark looks like is said in Plotly's own words:
`size`, `color`, `symbol`, `opacity` and `line` of a marker, `color`, `dash`, `width` and `shape` of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unit59.results import INTERPRETABLE_IOU

Mark = dict[str, Any]

DASHED = {"color": "@muted", "width": 1, "dash": "dot"}
SOLID = {**DASHED, "dash": "solid"}
#: An axis of names.
NAMES = {"automargin": True, "type": "category"}
#: Told apart without colour.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


def edge(color: str = "@muted", width: float = 1) -> Mark:
    """The outline of a point or bar."""
    return {"color": color, "width": width}


def points(
    x: Sequence[Any], y: Sequence[Any], *, name: str | None = None, hover: str = "", **look: Any
) -> Mark:
    """One point a place; `hover` is Plotly's template, `text` is named by it."""
    return _scatter("markers", x, y, name, hover, look) | {"marker": look}


def lines(
    x: Sequence[Any], y: Sequence[Any], line: Mark, *, name: str | None = None, hover: str = "", **look: Any
) -> Mark:
    """A line from place to place, with a point at each where `look` says how these look."""
    mode = "lines+markers" if look.keys() - {"text"} else "lines"
    mark = _scatter(mode, x, y, name, hover, look) | {"line": line}
    return mark | ({"marker": look} if look else {})


def bars(
    x: Sequence[Any],
    y: Sequence[Any],
    *,
    name: str | None = None,
    hover: str = "",
    lying: bool = False,
    **look: Any,
) -> Mark:
    """Bars up to `y`, or lying ones to `x`; from 0 on, or `base`; `wide` for their width."""
    mark: Mark = {"type": "bar", "x": list(x), "y": list(y)} | _words(name, hover)
    for own, given in (("base", "base"), ("width", "wide"), ("text", "text")):
        if given in look:
            mark[own] = look.pop(given)
    if lying:
        mark["orientation"] = "h"
    return mark | {"marker": look}


def band(
    x: Sequence[Any], low: Sequence[float], high: Sequence[float], fill: str, line: Mark, **more: Any
) -> Mark:
    """The area between two lines."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *x[::-1]],
        "y": [*high, *low[::-1]],
        "fill": "toself",
        "fillcolor": fill,
        "line": line,
        "hoverinfo": "skip",
        **more,
    }


def intervals(
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    *,
    times: float = 1,
    **look: Any,
) -> Mark:
    """Intervals as whiskers, for a mark's `error_x` or `error_y`; `times` 100 turns shares into percent."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [rounded(max(end - value, 0) * times) for value, end in zip(values, high, strict=True)],
        "arrayminus": [rounded(max(value - end, 0) * times) for value, end in zip(values, low, strict=True)],
        **{"color": "@ink", "thickness": 1.5, "width": 0, **look},
    }


def rule(axis: str, at: float, line: Mark = DASHED) -> Mark:
    """A line across the chart at one value of an axis, for the layout's `shapes`."""
    other = "y" if axis == "x" else "x"
    ends = {f"{axis}0": at, f"{axis}1": at, f"{other}ref": "paper", f"{other}0": 0, f"{other}1": 1}
    return {"type": "line", **ends, "line": line}


def cut(axis: str = "x") -> Mark:
    """The rule at the IoU from which on a unit counts as interpretable."""
    return rule(axis, INTERPRETABLE_IOU)


def scale(title: str, *, zero: bool = True, **more: Any) -> Mark:
    """An axis of numbers; from 0 on, unless `zero` is false."""
    return {"title": {"text": title}, **({"rangemode": "tozero"} if zero else {}), **more}


def legend_below(y: float) -> Mark:
    """A legend in a row below the chart."""
    return {"orientation": "h", "y": y}


def rounded(value: float) -> float:
    """Four significant digits: what a chart can show."""
    return float(f"{value:.4g}")


def percent(value: float) -> float:
    """A share as a percentage, to four digits."""
    return rounded(value * 100)


def _scatter(
    mode: str, x: Sequence[Any], y: Sequence[Any], name: str | None, hover: str, look: dict[str, Any]
) -> Mark:
    text = {"text": look.pop("text")} if "text" in look else {}
    return {"type": "scatter", "mode": mode, "x": list(x), "y": list(y), **_words(name, hover), **text}


def _words(name: str | None, hover: str) -> Mark:
    named = {} if name is None else {"name": name}
    return named | ({"hovertemplate": f"{hover}<extra></extra>"} if hover else {})
