"""What the study of outlines hands from measuring to telling, beside its tables. Never imports torch."""

from __future__ import annotations

from typing import Literal

from unit59.results.record import Record
from unit59.stats.scores import Interval

Level = Literal["zero", "mean"]
Half = Literal["encoder", "decoder"]

#: Outlines stay when surely at least so much of them is left, and are gone when surely at most so much is.
STAY, GONE = 0.9, 0.1


class OutlineFacts(Record):
    """`facts.json` of the study."""

    level: Level  # what units that are off are set to
    samples: list[int]
    shown: list[int]  # samples on the strips
    halves: dict[str, Half]  # by layer, in forward order
    lines: Interval  # F-score of the boundaries with nothing off
    agreement: Interval  # mean IoU with nothing off
    chance: float  # F-score against what another sample was asked for
    half_off: Interval | None  # outlines left with half of one layer's units off at random, mean over layers
    stay: list[str]  # layers without which the outlines stay
    gone: list[str]  # layers without which they are gone
