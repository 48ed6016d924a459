"""The workbench: a model's samples and measurements, and sweeps of edits at any of its layers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.edit.edits import Levels
from unit59.edit.questions import VERSION as SWEEP
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail, groups
from unit59.engine import Here
from unit59.handles import CHANNEL, Units, units_of
from unit59.measure.agreement import iou
from unit59.measure.layer import Measurer
from unit59.samples.cache import SampleCache
from unit59.samples.checks import checked_pass
from unit59.samples.shards import SHARD
from unit59.store import key_of

#: Samples over which the mean and spread of values without maps are taken.
USUAL_SAMPLES = 256


class Workbench:
    """What effects and studies are measured with; tasks get it too, in whatever process they run.

    Args:
        cache: of the samples.
        measurer: of the same samples.
        labels_key: hash of what samples and segmentations depend on.
        units: all that can be edited, those without maps too; by default those whose maps are measured.

    Attributes:
        named: these units by name, in order.
    """

    def __init__(
        self, cache: SampleCache, measurer: Measurer, labels_key: str, units: Iterable[Units] | None = None
    ) -> None:
        self.cache, self.measurer, self.labels_key = cache, measurer, labels_key
        self.named = {each.name: each for each in (cache.units.values() if units is None else units)}
        cache.engine = Here(cache.store, self)
        self.sweep = lru_cache(maxsize=None)(self._sweep)
        self.agreement = lru_cache(maxsize=None)(self._agreement)
        self.levels = lru_cache(maxsize=None)(self._levels)

    def units(self, name: str) -> Units:
        """Units by their name; of another layer of the network its channels.

        Raises:
            NetworkError: there is no such layer.
        """
        network = self.cache.sampler.network
        return self.named.get(name) or units_of(network, network.layer(name), CHANNEL, name)

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

    def _sweep(self, layer: str) -> Sweep:
        """Edits of a layer's units; see `units`."""
        units = self.units(layer)
        keys = self.sweep_key(layer), self.insert_key(layer)
        return Sweep(self.cache, Tail(self.cache, units), self.levels(layer), *keys)

    def bare_sweep(self, layer: str, levels: Levels) -> Sweep:
        """Edits of any layer's channels to other than their usual levels: nothing has to be measured.

        It runs here, whatever engine the samples have.
        """
        units = self.units(layer)
        key = key_of(labels=self.labels_key, units=units.key)
        return Sweep.here(self.cache, Tail(self.cache, units), levels, key)

    def sweep_key(self, layer: str) -> str:
        """Hash of what edits of a layer's units depend on, but for their insertion levels."""
        return key_of(
            version=SWEEP,
            labels=self.labels_key,
            levels=self.levels_key(layer),
            units=self.units(layer).key,
        )

    def levels_key(self, layer: str) -> str:
        """Hash of what the levels of a layer's units depend on, but for insertion levels."""
        units = self.units(layer)
        if units.handle.maps:
            return self.measurer.task("activity", layer).key
        return key_of(samples=self.cache.samples, usual=USUAL_SAMPLES, units=units.key)

    def insert_key(self, layer: str) -> str:
        """Hash of what the insertion levels of a layer's units depend on; empty where they have none."""
        if not self.units(layer).handle.maps:
            return ""
        return self.measurer.task("quantile", layer, self.measurer.recipe.insert_quantile).key

    def _levels(self, layer: str) -> Levels:
        """What a layer's units can be set to."""
        units = self.units(layer)
        if not units.handle.maps:
            return self._usual(units)
        mean = torch.from_numpy(self.measurer.activity(layer).mean)[:, None, None].to(
            self.cache.sampler.device
        )

        def quantile(q: float) -> torch.Tensor:
            return torch.from_numpy(self.measurer.quantile(layer, q)).to(mean.device)[:, None, None]

        insert = quantile(self.measurer.recipe.insert_quantile)
        return Levels(units.silent(mean), mean, insert, quantile=quantile)

    def _usual(self, units: Units) -> Levels:
        """Mean and spread over the first samples, of values without maps."""
        tail, rows = Tail(self.cache, units), []
        for group, count in groups(range(min(self.cache.samples, USUAL_SAMPLES)), self.cache.group):
            with checked_pass("the handle", group):
                rows.append(tail.read(tail.state(group))[:count].double())
        values = torch.cat(rows)
        mean, spread = values.mean(dim=0).float(), values.std(dim=0, unbiased=False).float()
        return Levels(units.silent(mean), mean, spread=units.shifted(spread))

    def _agreement(self, layer: str) -> NDArray[np.float64]:
        """IoU of every unit with every concept, [U,C]."""
        counts = self.measurer.agreement(layer)
        return iou(counts.both, counts.mask, counts.area)
