"""What the study of noise tries: units off in some order, and parts of the network taken away. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unit59.results.record import Record
from unit59.studies.facts import Estimate

#: What is taken away from the network: nothing; the noise inputs of all layers behind the edited one; that of
#: the edited layer; or, behind it, normalisation's answer to the edit.
Removed = Literal["nothing", "noise behind", "noise inside", "rescaling"]

#: The share of a layer's units off that the answer is about.
HALF = 0.5
#: Deviation, in levels, from which on a pixel of a noise map is white.
WHITE = 64.0
#: How tables name orders and what is removed.
ORDERS = {"random": "random", "agreement": "highest IoU first", "activation": "highest activation first"}
REMOVED: dict[Removed, str] = {
    "nothing": "as it is",
    "noise behind": "no noise behind",
    "noise inside": "no noise in the layer",
    "rescaling": "no rescaling behind",
}


@dataclass(frozen=True)
class Case:
    """A number of units off.

    Attributes:
        removed: from the network.
        order: in which units go off.
        share: of the layer's units.
        off: how many these are.
    """

    removed: Removed
    order: str
    share: float
    off: int


def state_name(share: float) -> str:
    """How tables name a share of units off."""
    return {0.0: "none", HALF: "half", 1.0: "all"}.get(share, f"{100 * share:.3g} %")


class Reason(Record):
    """What the extra variance goes with, at the smallest share of units off with which there is some."""

    share: float
    growth: Estimate  # in levels, mean over layers
    part: Removed  # the part of the network that is asked about
    without: Estimate  # growth without it
    explains: Literal["most", "little", "open"]  # of the extra variance; by the interval


class MapsFacts(Record):
    """What the strips of pictures and noise maps show."""

    layer: str
    samples: list[int]  # left to right
    off: list[int]  # by row: how many units are off
    draws: int
    spread: list[list[float]]  # by row and sample: root mean square of the map, in levels


class NoiseFacts(Record):
    """What the study keeps beside its tables; variation is in levels of 255, mean over layers."""

    family: str
    layers: list[str]
    samples: int
    draws: int
    removed: list[Removed]
    before: float  # variation with no unit off
    after: float  # with half of the units off
    growth: Estimate  # by half of the units off
    reason: Reason | None  # None: variation never grows from half of the units on
    noisier_half: int  # layers that grow noisier with half of the units off
    noisier_all: int  # with all
    shown_share: float | None  # that of the chart layer by layer; None: no layer grows noisier
    maps: MapsFacts
