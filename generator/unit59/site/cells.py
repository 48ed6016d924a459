"""Cells of a stranger's table: read whatever they hold, and said in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from unit59.results.report import Measured


def rows_where(table: pl.DataFrame, where: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Rows whose columns have these words."""
    for row in table.iter_rows(named=True):
        if all(words(row[column]) == text for column, text in where.items()):
            yield row


def words(value: Any) -> str:
    """A cell as text.

    >>> words("layer4"), words(12), words(0.25), words(True), words(None), words(float("nan")), words([1, 2])
    ('layer4', '12', '0.25', 'yes', '–', '–', '1, 2')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value) if math.isfinite(value) else "–"
    if isinstance(value, list):
        return ", ".join(words(each) for each in value)
    return str(value)


def finite(value: Any) -> float | None:
    """The number, or None where there is none: null, NaN, infinite, no number at all."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def number(value: float) -> str:
    """Four significant digits; whole numbers as they are."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def cell_text(value: Any, form: str) -> str:
    r"""A cell as its column's form has it; what is no number stays as it is.

    >>> cell_text(0.256, "percent"), cell_text(3.0, "integer"), cell_text(1e-9, "p"), cell_text("x", "number")
    ('25.6\u202f%', '3', '< 0.001', 'x')
    """
    found = finite(value) if form != "text" and not isinstance(value, bool | str) else None
    if found is None:
        return words(value)
    if form == "percent":
        return f"{number(round(found * 100, 3))}\u202f%".replace("-", "−")
    if form == "p":
        return "< 0.001" if found < 0.001 else f"{found:.2g}"
    if form == "integer":
        return f"{found:.0f}"
    return f"{found:.3g}".replace("-", "−") if abs(found) < 1000 else number(found)


def measured_words(measured: Measured) -> tuple[str, str]:
    r"""A report's number and its interval, to as many digits as its size can carry.

    >>> measured_words(Measured(words="rho", value=0.3214, low=-0.1, high=0.51))
    ('0.32', '[−0.10, 0.51]')
    >>> measured_words(Measured(words="gone", value=0.5, form="percent"))
    ('50.0\u202f%', '')
    """
    times, unit = (100, "\u202f%") if measured.form == "percent" else (1, "")
    ends = [end for end in (measured.value, measured.low, measured.high) if end is not None]
    size = max(abs(end * times) for end in ends)
    digits = min(6, max(0, 1 - math.floor(math.log10(size)) if 0 < size < 0.1 else 2 - int(size >= 10)))

    def text(value: float) -> str:
        return f"{value * times:.{0 if size >= 100 else digits}f}".replace("-", "−")

    if measured.low is None or measured.high is None:
        return f"{text(measured.value)}{unit}", ""
    return f"{text(measured.value)}{unit}", f"[{text(measured.low)}{unit}, {text(measured.high)}{unit}]"
