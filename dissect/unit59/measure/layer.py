"""All measurements of one layer, each kept under the hash of what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.engine import Here, results_of
from unit59.foundation.progress import Reporter
from unit59.foundation.random import null_shifts, poisson_draws
from unit59.handles import CHANNEL, Units
from unit59.measure.activity import Activity, histogram, measure_activity
from unit59.measure.agreement import Agreement, count_agreement
from unit59.measure.grid import Grid
from unit59.measure.overlap import Overlap, measure_overlap
from unit59.measure.thresholds import Thresholds, find_thresholds
from unit59.recipe.sections import Recipe
from unit59.samples.cache import SampleCache
from unit59.samples.shards import SHARD
from unit59.store import Kept, key_of

#: Raised when a measurement's meaning changes, so that no old value is taken for a new one.
VERSION = 1
#: Mask overlaps are counted over the first samples only: they rank neighbours, they are no finding.
OVERLAP_SAMPLES = 4 * SHARD


@dataclass(frozen=True)
class Activities:
    """A layer's values without regard to concepts.

    Attributes:
        activity: see `Activity`.
        histogram: int64 [U,bins].
        insert_level: float32 [U].
        thresholds: see `Thresholds`.
        key: of what all this depends on.
    """

    activity: Activity
    histogram: NDArray[np.int64]
    insert_level: NDArray[np.float32]
    thresholds: Thresholds
    key: str


@dataclass(frozen=True)
class MeasureLayer:
    """One measurement over all samples.

    Attributes:
        what: which.
        layers: of which layers' units: all of them for ``overlap``, else one, or none.
        q: of ``threshold`` and ``quantile``: the tail above the wanted value.
        key: hash of what it depends on.
    """

    what: Literal["activity", "threshold", "quantile", "agreement", "overlap", "concepts"]
    layers: tuple[str, ...]
    q: float
    key: str

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        return [Kept(f"measures/{'-'.join(self.layers[:1])}/{self.what}", self.key)]

    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        measurer: Measurer = bench.measurer
        yield wanted[0], measurer.measure(self)


@dataclass(frozen=True)
class _Bench:
    """What tasks of samples and layers need."""

    cache: SampleCache
    measurer: Measurer


class Measurer:
    """Measures layers from what is kept of the samples.

    Args:
        cache: of the samples.
        recipe: what to measure.
        samples_key: hash of what the samples depend on.
        labels_key: hash of what their segmentations depend on.
        report: is told the progress.
    """

    def __init__(
        self, cache: SampleCache, recipe: Recipe, samples_key: str, labels_key: str, report: Reporter
    ) -> None:
        self.cache, self.recipe, self.report = cache, recipe, report
        self._samples_key, self._labels_key = samples_key, labels_key
        cache.engine = Here(cache.store, _Bench(cache, self))

    def grid(self, layer: str) -> Grid:
        """The compared grid for a layer's maps."""
        height, width = self.cache.activations(layer, 0).shape[2:]
        return Grid((height, width), self.cache.grid, self.cache.sampler.device)

    # ---- keys

    def units_key(self, units: Units) -> str:
        """Hash of what units are: of which layer, under which handle."""
        handle = units.handle
        if handle == CHANNEL:
            return key_of(layer=units.layer.name)
        return key_of(
            layer=units.layer.name,
            handle=f"{type(handle).__module__}.{type(handle).__qualname__}",
            version=handle.version,
            code=handle.own.fingerprint if handle.own else "",
            settings=handle.model_dump(mode="json", exclude={"layers"}),
        )

    def activities_key(self, layer: str) -> str:
        """Hash of what `activities` depends on; needs no measuring."""
        return key_of(
            level=self._quantile_task(layer, self.recipe.insert_quantile).key,
            threshold=self._task("threshold", layer, self.recipe.quantile, grid=self.cache.grid).key,
            exemplars=self.recipe.exemplars,
        )

    def _task(
        self,
        what: Literal["activity", "threshold", "quantile", "agreement", "overlap", "concepts"],
        layer: str,
        q: float = 0.0,
        **more: Any,
    ) -> MeasureLayer:
        units = self.units_key(self.cache.units[layer])
        key = key_of(
            version=VERSION,
            what=what,
            samples=self._samples_key,
            count=self.cache.samples,
            units=units,
            q=q,
            **more,
        )
        return MeasureLayer(what, (layer,), q, key)

    def _quantile_task(self, layer: str, q: float) -> MeasureLayer:
        return self._task("quantile", layer, 1 - q, grid="native")

    # ---- what is measured

    def activities(self, layer: str) -> Activities:
        """Range, distribution, exemplars, insertion level and threshold of every unit."""
        first = self._found(self._task("activity", layer, exemplars=self.recipe.exemplars))
        activity = Activity(**{k: self._tensor(v) for k, v in first.items() if k != "histogram"})
        found = self._found(self._task("threshold", layer, self.recipe.quantile, grid=self.cache.grid))
        thresholds = Thresholds(self._tensor(found["value"]), self._tensor(found["on_share"]))
        level = self.quantile(layer, self.recipe.insert_quantile)
        return Activities(activity, first["histogram"], level, thresholds, self.activities_key(layer))

    def quantile(self, layer: str, q: float) -> NDArray[np.float32]:
        """A quantile of every unit's native values, [U]."""
        found: NDArray[np.float32] = self._found(self._quantile_task(layer, q))["value"]
        return found

    def agreement(self, layer: str, activities: Activities) -> Agreement:
        """Counts against every concept, with bootstrap and null."""
        counts = self._found(self._agreement_task(layer, activities.key))
        return Agreement(pixels=int(counts.pop("pixels")), **counts)

    def _agreement_task(self, layer: str, threshold: str) -> MeasureLayer:
        recipe = self.recipe
        return self._task(
            "agreement",
            layer,
            threshold=threshold,
            labels=self._labels_key,
            seed=recipe.seed,
            shuffles=recipe.shuffles,
            draws=recipe.bootstrap,
        )

    def concepts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Per concept: pixels and samples that show it; and the pixels of all samples."""
        key = key_of(what="concepts", version=VERSION, labels=self._labels_key, count=self.cache.samples)
        found = self._found(MeasureLayer("concepts", (), 0.0, key))
        height, width = self.cache.grid
        return found["area"], found["presence"], self.cache.samples * height * width

    def overlap(self) -> Overlap:
        """Mask overlap of all units of all layers."""
        layers = {layer: self.activities_key(layer) for layer in self.cache.layers}
        key = key_of(what="overlap", version=VERSION, layers=layers, samples=OVERLAP_SAMPLES)
        found = self._found(MeasureLayer("overlap", tuple(layers), 0.0, key))
        names = [(name, unit) for name, units in self.cache.units.items() for unit in range(units.count)]
        return Overlap(names, found["iou"])

    def remember(self, name: str, key: str, compute: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What `compute` gave when it last ran under this key, else what it gives now."""
        return self.cache.store.arrays_of(Kept(f"measures/{name}", key), compute)

    # ---- measuring

    def measure(self, task: MeasureLayer) -> Mapping[str, Any]:
        """Do what a task says."""
        if task.what == "concepts":
            return self._concepts()
        if task.what == "overlap":
            return self._overlap(task.layers)
        (layer,) = task.layers
        if task.what == "activity":
            return self._activity(layer)
        if task.what == "agreement":
            return self._agreement(layer)
        return self._threshold(layer, task.q, native=task.what == "quantile")

    def _activity(self, layer: str) -> dict[str, Any]:
        with self._step(f"{layer}: values", 2 * self.cache.samples) as tick:

            def steps() -> Any:
                return self.cache.steps(layer, tick)

            activity = measure_activity(steps, self.recipe.exemplars)
            counts = histogram(steps, activity)
        return {k: v.cpu().numpy() for k, v in vars(activity).items()} | {"histogram": counts.cpu().numpy()}

    def _threshold(self, layer: str, q: float, *, native: bool) -> dict[str, Any]:
        first = self._found(self._task("activity", layer, exemplars=self.recipe.exemplars))
        low, high = self._tensor(first["low"]), self._tensor(first["high"])
        grid = self.grid(layer)
        if native:
            grid = Grid(grid.native, grid.native, self.cache.sampler.device)
        name = f"{layer}: {'insertion levels' if native else 'thresholds'}"
        with self._step(name, 4 * self.cache.samples) as tick:

            def batches() -> Any:
                return (x for _, x in self.cache.steps(layer, tick))

            found = find_thresholds(batches, grid, self.cache.samples, low, high, q)
        return {"value": found.value.cpu().numpy(), "on_share": found.on_share.cpu().numpy()}

    def _agreement(self, layer: str) -> dict[str, Any]:
        recipe, samples = self.recipe, self.cache.samples
        with self._step(f"{layer}: agreement", samples) as tick:
            return count_agreement(
                self.cache.steps(layer, tick),
                self.cache.stored_labels,
                self.grid(layer),
                self.activities(layer).thresholds.value,
                len(self.cache.segmenter.concepts),
                samples,
                poisson_draws(recipe.seed, samples, recipe.bootstrap),
                null_shifts(recipe.seed, samples, recipe.shuffles),
            ).arrays()

    def _concepts(self) -> dict[str, Any]:
        concepts = len(self.cache.segmenter.concepts)
        area, presence = np.zeros((2, concepts), np.int64)
        for shard in self.cache.shards:
            for labels in self.cache.labels(np.arange(shard.start, shard.stop)):
                pixels = torch.bincount(labels.reshape(-1), minlength=concepts + 1)[1:].numpy()
                area, presence = area + pixels, presence + (pixels > 0)
        return {"area": area, "presence": presence}

    def _overlap(self, layers: Sequence[str]) -> dict[str, Any]:
        count = min(OVERLAP_SAMPLES, self.cache.samples)
        shards = [shard for shard in self.cache.shards if shard.start < count]
        with self._step("overlap of masks", count) as tick:

            def steps() -> Any:
                for number, shard in enumerate(shards):
                    yield {layer: self.cache.activations(layer, number) for layer in layers}
                    tick(len(shard))

            grids = {layer: self.grid(layer) for layer in layers}
            thresholds = {layer: self.activities(layer).thresholds.value for layer in layers}
            return {"iou": measure_overlap(steps(), grids, thresholds).iou}

    # ---- bookkeeping

    def _found(self, task: MeasureLayer) -> dict[str, Any]:
        return dict(next(results_of([task], self.cache.engine, self.cache.store)))

    def _step(self, name: str, total: int) -> Any:
        return self.report.step(name, total, "samples")

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(values).to(self.cache.sampler.device)
