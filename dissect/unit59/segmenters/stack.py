"""Several segmenters as one: their planes side by side, their concepts numbered on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from unit59.segmenters.base import Concept, Segmenter


class Stack(Segmenter):
    """Segmenters whose planes stand side by side.

    Concept v of the k-th part becomes v plus the number of all concepts before that part. A plane name
    that several parts use gets the part's name behind it: ``object (ade20k)``. Segmentations of
    different sizes are brought to the one with the most pixels, by nearest neighbour: repeating a
    label invents nothing, and dropping pixels would lose thin parts.

    Args:
        parts: (name, segmenter) in order.
    """

    def __init__(self, parts: Sequence[tuple[str, Segmenter]]) -> None:
        self.parts = [segmenter for _, segmenter in parts]
        used = Counter(plane for segmenter in self.parts for plane in segmenter.planes)
        planes: list[str] = []
        concepts: list[Concept] = []
        self._offsets: list[int] = []
        for name, segmenter in parts:
            renamed: dict[str, str] = {}
            for plane in segmenter.planes:
                renamed[plane] = _unused(plane if used[plane] == 1 else f"{plane} ({name})", planes)
                planes.append(renamed[plane])
            self._offsets.append(len(concepts))
            concepts += [replace(concept, plane=renamed[concept.plane]) for concept in segmenter.concepts]
        self.planes, self.concepts = tuple(planes), tuple(concepts)
        self.files = tuple(file for segmenter in self.parts for file in segmenter.files)
        self.code = " ".join(segmenter.code for segmenter in self.parts if segmenter.code)
        self.licence = _joined((name, segmenter.licence) for name, segmenter in parts)
        self.limits = _joined((name, segmenter.limits) for name, segmenter in parts)

    def segment(self, images: Tensor) -> Tensor:
        """int64 [N, all planes, h, w], h x w the largest of the parts' sizes."""
        found = [segmenter.segment(images) for segmenter in self.parts]
        size = max((tuple(part.shape[2:]) for part in found), key=lambda hw: (hw[0] * hw[1], hw))
        device = found[0].device
        return torch.cat(
            [
                torch.where(part > 0, part + offset, part)
                for part, offset in zip(
                    (_resize(part.to(device), size) for part in found), self._offsets, strict=True
                )
            ],
            dim=1,
        )

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """The parts' scores, plane by plane, each of its own size."""
        return [scores for part in self.parts for scores in part.logits(images)]


def _resize(labels: Tensor, size: tuple[int, ...]) -> Tensor:
    if tuple(labels.shape[2:]) == size:
        return labels
    # float64 holds every concept number exactly, and "nearest-exact" is the one with half-pixel centres.
    return F.interpolate(labels.double(), size=list(size), mode="nearest-exact").long()


def _unused(name: str, taken: Sequence[str]) -> str:
    numbered = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)


def _joined(texts: Iterable[tuple[str, str]]) -> str:
    return " · ".join(f"{name}: {text}" for name, text in dict.fromkeys(texts) if text)
