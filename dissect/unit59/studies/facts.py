"""What studies keep beside their tables: numbers with intervals, as JSON has them. Never imports torch."""

from __future__ import annotations

import math
from typing import Self

from unit59.results.record import Record
from unit59.stats.intervals import sign_of


class Estimate(Record):
    """A number with its 95 % interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Self:
        """From numbers that are NaN where there is none."""
        known = (float(each) if math.isfinite(each) else None for each in (value, low, high))
        return cls(**dict(zip(("value", "low", "high"), known, strict=True)))

    @property
    def numbers(self) -> tuple[float, float, float]:
        """Value, low and high; NaN where there is none."""
        value, low, high = (math.nan if each is None else each for each in (self.value, self.low, self.high))
        return value, low, high

    @property
    def side(self) -> int:
        """1 where the whole interval lies above zero, -1 where below, 0 where neither is known."""
        return sign_of(self.low, self.high)
