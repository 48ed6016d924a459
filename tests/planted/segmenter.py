"""The segmenter of networks built by hand (`tests.planted.network`), which is never wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from tests.planted.things import BACKGROUND, THINGS, Thing
from unit59.segmenters.base import Concept, Segmenter


class PlantedSegmenter(Segmenter):
    """Names the pixels of a planted network's pictures: the nearest colour, or nothing.

    Args:
        things: the network's.
    """

    planes = ("object",)
    licence = "none needed (no weights)"
    limits = "None: the pictures hold these colours only."

    def __init__(self, things: Sequence[Thing] = THINGS) -> None:
        self.concepts = tuple(Concept(each.name, "object", _hex(each.colour)) for each in things)
        self._colours = torch.tensor([BACKGROUND, *(each.colour for each in things)])

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`; the result has the pictures' own size."""
        return self.logits(images)[0].argmax(dim=1, keepdim=True)  # type: ignore[union-attr]  # never None here

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`: minus the squared distance to each colour."""
        apart = images[:, None] - self._colours.to(images)[None, :, :, None, None]
        return [-2 * apart.square().sum(dim=2)]


def _hex(colour: Iterable[float]) -> str:
    return "#" + "".join(f"{round((value + 1) * 127.5):02x}" for value in colour)
