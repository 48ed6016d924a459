"""Label maps made by a segmenter: pix2pix on pictures that nobody labelled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from unit59.foundation.files import sha256_of
from unit59.segmenters import Segmenter


class Given(Protocol):
    """Numbered pictures; see `unit59.samples.inputs.Inputs`."""

    def __len__(self) -> int: ...

    def load(self, numbers: Sequence[int]) -> Tensor: ...  # noqa: D102

    def fingerprint(self, numbers: Sequence[int]) -> str: ...  # noqa: D102


class SegmentedPictures:
    """What a segmenter says of pictures, as label maps in its concepts' colours; black is nothing.

    Args:
        pictures: to be segmented.
        segmenter: says what is where.
        spec: how a recipe names the segmenter.
        plane: whose concepts are drawn; by default the segmenter's first.
    """

    def __init__(self, pictures: Given, segmenter: Segmenter, spec: str, plane: str | None = None) -> None:
        self.wanted, self._segmenter, self._spec = pictures, segmenter, spec
        #: Whose concepts are asked for.
        self.plane = plane or segmenter.planes[0]
        numbers = [n for n, each in enumerate(segmenter.concepts, start=1) if each.plane == self.plane]
        asked = [segmenter.concepts[number - 1] for number in numbers]
        self.concepts = [concept.name for concept in asked]
        #: From the segmenter's numbers to places in `concepts`, counted from 1.
        self._places = torch.zeros(len(segmenter.concepts) + 1, dtype=torch.int64)
        self._places[numbers] = torch.arange(1, len(numbers) + 1)
        codes = [[int(concept.colour[i : i + 2], 16) for i in (1, 3, 5)] for concept in asked]
        self._palette = torch.tensor([[0, 0, 0], *codes], dtype=torch.float32) / 127.5 - 1

    def __len__(self) -> int:
        return len(self.wanted)

    def labels(self, numbers: Sequence[int]) -> Tensor:
        """What each pixel shows, int64 [N,H,W]; v > 0 is ``concepts[v - 1]``."""
        pictures = self.wanted.load(numbers)
        with torch.no_grad():
            plane = self._segmenter.planes.index(self.plane)
            found = self._segmenter.segment(pictures)[:, plane : plane + 1].cpu()
        size = (pictures.shape[2], pictures.shape[3])
        if found.shape[2:] != size:
            found = F.interpolate(found.double(), size=size, mode="nearest-exact").long()
        return self._places[found[:, 0].long()]

    def load(self, numbers: Sequence[int]) -> Tensor:
        """The label maps, float32 [N,3,H,W] in [-1,1]."""
        return self._palette[self.labels(numbers)].permute(0, 3, 1, 2).contiguous()

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """A hash of the pictures' bytes, of how they are prepared, and of what segments them."""
        plane = str(self._segmenter.planes.index(self.plane))
        said = [self._spec, plane, self._segmenter.code]
        said += [sha256_of(path) for path in self._segmenter.files]
        return hashlib.sha256("\n".join([self.wanted.fingerprint(numbers), *said]).encode()).hexdigest()
