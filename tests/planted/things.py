"""What networks built by hand draw and segmenters built by hand name: flat bars in colours of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BACKGROUND = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Thing:
    """Something that the network may draw.

    Attributes:
        name: its concept.
        colour: RGB in [-1,1]; well apart from other things' and from the mid-grey background.
        rule: when it is drawn. "any", "all": where any or all of its units are on (above one half);
            "mean": where they are on average; "remote": where it is meant to be, if its units are on
            anywhere (they fire in a corner, so they cause without agreeing); "free": whatever the units do
            (they agree and cause nothing).
        units: of ``layer1``, that fire for it.
        chance: the share of samples that show it.
    """

    name: str
    colour: tuple[float, float, float]
    rule: Literal["any", "all", "mean", "remote", "free"]
    units: tuple[int, ...]
    chance: float = 0.5


#: A sole cause, a pair that only works together, a pair of which either suffices, eleven that share the
#: work, a cause that does not agree with what it causes, and one that no unit causes.
THINGS = (
    Thing("lamp", (0.9, 0.9, -0.7), "any", (5,)),
    Thing("bed", (-0.8, 0.7, -0.8), "all", (2, 9)),
    Thing("rug", (0.9, -0.8, -0.8), "any", (7, 11)),
    Thing("wall", (-0.8, -0.6, 0.9), "mean", tuple(range(16, 27))),
    Thing("clock", (0.8, -0.7, 0.9), "remote", (13,)),
    Thing("window", (-0.7, 0.8, 0.9), "free", (3,)),
)
