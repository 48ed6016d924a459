"""How well label maps agree with the true ones, concept by concept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Confusion:
    """Counts of pixels by true and said number, and the IoU that follows.

    Args:
        names: of the concepts, by number from 1.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names, classes = list(names), len(names) + 1
        self._counts = np.zeros((classes, classes), np.int64)

    def add(self, true: NDArray[Any], said: NDArray[Any]) -> None:
        """Count label maps of equal shape."""
        classes = len(self._counts)
        pairs = true.astype(np.int64) * classes + said
        self._counts += np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)

    def iou(self) -> dict[str, float]:
        """Intersection over union per concept over all that was counted, and their ``mean``."""
        both = self._counts.diagonal()
        union = self._counts.sum(0) + self._counts.sum(1) - both
        score = both[1:] / np.maximum(union[1:], 1)
        found = {name: round(float(value), 4) for name, value in zip(self._names, score, strict=True)}
        return found | {"mean": round(float(score.mean()), 4)}
