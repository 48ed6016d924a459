"""Numbers and names as a report says them. Never imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal


def number(value: float, digits: int) -> str:
    """With a minus sign, and no negative zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float, digits: int) -> str:
    """A change, with its sign: ``+1.2`` or ``−0.3``."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float, digits: int = 0) -> str:
    """A share as percent."""
    return f"{number(100 * value, digits)} %" if math.isfinite(value) else "none"


def interval(value: float, low: float, high: float, digits: int = 0) -> str:
    """A share with its 95 % interval, as percent."""
    said, below, above = (number(100 * each, digits) for each in (value, low, high))
    return f"{said} % ({below} to {above} %)"


def range_of(value: float, low: float, high: float, digits: int = 1) -> str:
    """A number with its 95 % interval."""
    said, below, above = (number(each, digits) for each in (value, low, high))
    return f"{said} ({below} to {above})"


def listed(names: Sequence[str], word: Literal["and", "or"] = "and") -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
