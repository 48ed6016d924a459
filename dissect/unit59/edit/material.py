"""What effects and studies are measured from: benches, levels, agreement, and which sample shows what."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.edit.edits import Levels
from unit59.edit.sweep import Bench
from unit59.measure.agreement import iou
from unit59.measure.layer import Measurer
from unit59.samples.cache import SHARD, SampleCache, key_of


class Material:
    """A dissected model's samples and measurements.

    Args:
        cache: filled.
        measurer: of the same cache.
        labels_key: hash of what samples and segmentations depend on.

    Attributes:
        cache: of the samples.
        measurer: of the layers.
        labels_key: see there.
    """

    def __init__(self, cache: SampleCache, measurer: Measurer, labels_key: str) -> None:
        self.cache, self.measurer, self.labels_key = cache, measurer, labels_key
        self.bench = lru_cache(maxsize=None)(self._bench)
        self.agreement = lru_cache(maxsize=None)(self._agreement)

    def levels(self, layer: str) -> Levels:
        """What the layer's units can be set to."""
        found = self.measurer.activities(layer)
        return Levels(
            mean=found.activity.mean,
            insert=torch.from_numpy(found.insert_level).to(found.activity.mean.device),
            quantile=lambda q: torch.from_numpy(self.measurer.quantile(layer, q)).to(
                found.activity.mean.device
            ),
        )

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Pixels of every concept in every sample, [N,C]."""
        concepts = len(self.cache.segmenter.concepts)
        rows = []
        for first in range(0, self.cache.samples, SHARD):
            numbers = np.arange(first, min(first + SHARD, self.cache.samples))
            for labels in self.cache.labels(numbers):
                rows.append(torch.bincount(labels.reshape(-1), minlength=concepts + 1)[1:].numpy())
        return np.stack(rows).astype(np.int64)

    def _bench(self, layer: str) -> Bench:
        key = key_of(labels=self.labels_key, levels=self.measurer.activities(layer).key)
        return Bench(self.cache, layer, self.levels(layer), key)

    def _agreement(self, layer: str) -> NDArray[np.float64]:
        """IoU of every unit with every concept, [U,C]."""
        counts = self.measurer.agreement(layer, self.measurer.activities(layer))
        return iou(counts.both, counts.mask, counts.area)
