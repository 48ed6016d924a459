"""What every segmenter is here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from unit59.foundation.errors import Unit59Error


class SegmenterError(Unit59Error):
    """A segmenter that cannot be loaded or breaks its contract; names it, its file and the place."""


#: Labels are kept in 16 bits.
MOST_CONCEPTS = 32_767
#: Characters of a concept's or plane's name: headings and addresses are made of it.
LONGEST_NAME = 200
#: Score of what never wins: far below any other, and finite so that gradients stay so.
NEVER = -1e4


@dataclass(frozen=True)
class Concept:
    """A class of a segmenter.

    Attributes:
        name: as people say it, e.g. ``mouth interior``.
        plane: the plane it stands in, e.g. ``object``, ``part``, ``colour``.
        colour: ``#rrggbb``, the same on every page.
    """

    name: str
    plane: str
    colour: str


class Segmenter(ABC):
    """Names the pixels of pictures.

    Attributes:
        planes: names of the planes, in the order of the result's second axis.
        concepts: all concepts; concept number v (as it stands in a segmentation) is ``concepts[v - 1]``.
        licence: of its weights, for the model page.
        limits: what it cannot see or gets wrong, for the model page.
    """

    planes: tuple[str, ...]
    concepts: tuple[Concept, ...]
    licence: str = ""
    limits: str = ""
    #: The files it read: results depend on their content.
    files: tuple[Path, ...] = ()
    #: Of a user's own: a hash of its code and of the options it was made with; results depend on it.
    code: str = ""

    @abstractmethod
    def segment(self, images: Tensor) -> Tensor:
        """Segment pictures.

        Args:
            images: float [N,3,H,W] in [-1,1], RGB.

        Returns:
            int64 [N,P,h,w] on the CPU or the images' device: P planes; 0 is nothing, v > 0 is
            ``concepts[v - 1]``, whose plane is the plane it stands in. Picture i's result must not
            depend on the other pictures of the batch.
        """

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """Differentiable scores, where the segmenter has them: cheap attribution and ACE need them.

        Args:
            images: float [N,3,H,W] in [-1,1]; gradients flow back to it.

        Returns:
            One entry a plane: float [N, 1 + concepts of the plane, h, w], channel 0 for nothing and then the
            plane's concepts by number, so that the largest is what `segment` says; or None, without scores.
        """
        return [None] * len(self.planes)
