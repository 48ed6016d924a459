"""A small planted network and its segmenter, as a recipe names one's own."""

from __future__ import annotations

from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from tests.planted.things import THINGS
from unit59.networks import Network

#: Lamps are made by unit 5 alone, beds only by 2 and 9 together, rugs by 7 or by 11.
DRAWN = THINGS[:3]
UNITS = 12


def network() -> Network:
    """See `tests.planted.network`."""
    return Planted(DRAWN, UNITS)


class Colours(PlantedSegmenter):
    """Never wrong."""

    def __init__(self) -> None:
        super().__init__(DRAWN)
