"""Numbers as a report says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from unit59.studies.outlines.drawn import Score


def percent(value: float, digits: int = 0) -> str:
    """A share as percent."""
    return f"{_shown(100 * value, digits)} %" if np.isfinite(value) else "none"


def interval(score: Score, digits: int = 0) -> str:
    """The first of some shares, with its 95 % interval, as percent."""
    value, low, high = (100 * float(part[0]) for part in (score.value, score.low, score.high))
    return f"{_shown(value, digits)} % ({_shown(low, digits)} to {_shown(high, digits)} %)"


def range_of(score: Score, digits: int = 1) -> str:
    """The first of some numbers, with its 95 % interval."""
    value, low, high = (float(part[0]) for part in (score.value, score.low, score.high))
    return f"{_shown(value, digits)} ({_shown(low, digits)} to {_shown(high, digits)})"


def listed(names: Sequence[str], word: Literal["and", "or"] = "and") -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _shown(value: float, digits: int) -> str:
    """With a minus sign, and no negative zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
