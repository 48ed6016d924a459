"""Numbers as a report says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dissect.studies.drawn import Score


def percent(value: float, digits: int = 0) -> str:
    """A share as percent."""
    return f"{100 * value:.{digits}f} %" if np.isfinite(value) else "none"


def interval(score: Score, row: int, digits: int = 0) -> str:
    """A share and its 95 % interval as percent."""
    value, low, high = (100 * float(part[row]) for part in (score.value, score.low, score.high))
    return f"{value:.{digits}f} % ({low:.{digits}f} to {high:.{digits}f} %)"


def listed(names: Sequence[str], word: Literal["and", "or"] = "and") -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
