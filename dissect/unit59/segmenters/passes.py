"""A segmenter whose passes compute as a recipe's `passes` says."""

from __future__ import annotations

from torch import Tensor

from unit59.foundation.passes import USUAL, Passes
from unit59.segmenters.base import Segmenter


class _InPasses(Segmenter):
    def __init__(self, inner: Segmenter, passes: Passes) -> None:
        self._inner, self._passes = inner, passes
        self.planes, self.concepts = inner.planes, inner.concepts
        self.licence, self.limits, self.files, self.code = (
            inner.licence,
            inner.limits,
            inner.files,
            inner.code,
        )

    def segment(self, images: Tensor) -> Tensor:
        with self._passes.computing():
            return self._inner.segment(self._passes.laid_out(images))

    def logits(self, images: Tensor) -> list[Tensor | None]:
        with self._passes.computing():
            return self._inner.logits(self._passes.laid_out(images))


def with_passes(segmenter: Segmenter, passes: Passes) -> Segmenter:
    """The segmenter, computing like this."""
    return segmenter if passes == USUAL else _InPasses(segmenter, passes)
