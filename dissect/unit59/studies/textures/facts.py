"""What the study of textures keeps beside its tables. Never imports torch."""

from __future__ import annotations

from typing import Literal

from unit59.results.record import Record
from unit59.studies.facts import Estimate

#: What a unit changes most, relative to the other.
End = Literal["objects", "textures"]


class StandingOut(Record):
    """A unit that stands out, in the samples in which it changes most."""

    end: End
    layer: str
    unit: int
    picture: str  # file name: without the edit, with the unit off
    samples: list[int]  # left to right
    objects: list[float]  # by sample: share of the pixels whose concept changes
    texture: list[float]  # by sample: change of the others, in levels of 0..255


class TextureFacts(Record):
    """What the study keeps beside its tables."""

    plane: str  # of the segmenter
    window: int  # side in pixels
    samples: int
    layers: int
    units: int  # of all layers
    beyond: int  # of those, beyond noise
    trend: Estimate  # rank correlation of depth with objects per texture
    direction: Literal["falls", "rises", "open", "unknown"]  # of the trend; open: the interval holds zero
    equal_texture: Estimate  # the same with the object effect, the texture effect held
    holds_at_equal_texture: bool  # the trend goes the same way, surely
    shown: list[StandingOut]
