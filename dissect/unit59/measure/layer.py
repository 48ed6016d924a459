"""All measurements of one layer, each kept under the hash of what it depends on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.foundation.files import file_name, write_atomically
from unit59.foundation.progress import Reporter
from unit59.measure.activity import Activity, histogram, measure_activity
from unit59.measure.agreement import Agreement, count_agreement, null_shifts, poisson_draws
from unit59.measure.grid import Grid
from unit59.measure.overlap import Overlap, measure_overlap
from unit59.measure.thresholds import Thresholds, find_thresholds
from unit59.recipe.sections import Recipe
from unit59.samples.cache import SHARD, SampleCache, key_of

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


class Measurer:
    """Measures layers from the cache of samples.

    Args:
        cache: filled.
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
        self._folder = cache.folder / "measures"

    def grid(self, layer: str) -> Grid:
        """The compared grid for a layer's maps."""
        height, width = self.cache.activations(layer, 0).shape[2:]
        return Grid((height, width), self.cache.grid, self.cache.sampler.device)

    def activities(self, layer: str) -> Activities:
        """Range, distribution, exemplars, insertion level and threshold of every unit."""
        recipe, samples = self.recipe, self.cache.samples
        known = {"version": VERSION, "samples": self._samples_key, "count": samples, "layer": layer}
        first = self.remember(
            layer, key_of(what="activity", exemplars=recipe.exemplars, **known), lambda: self._activity(layer)
        )
        activity = Activity(**{k: self._tensor(v) for k, v in first.items() if k != "histogram"})
        level_key, level = self._native_quantile(layer, activity, recipe.insert_quantile)
        key = key_of(what="threshold", q=recipe.quantile, grid=self.cache.grid, **known)
        found = self.remember(
            layer, key, lambda: self._threshold(layer, activity, recipe.quantile, native=False)
        )
        thresholds = Thresholds(self._tensor(found["value"]), self._tensor(found["on_share"]))
        everything = key_of(level=level_key, threshold=key, exemplars=recipe.exemplars)
        return Activities(activity, first["histogram"], level, thresholds, everything)

    def quantile(self, layer: str, q: float) -> NDArray[np.float32]:
        """A quantile of every unit's native values, [U]."""
        return self._native_quantile(layer, self.activities(layer).activity, q)[1]

    def agreement(self, layer: str, activities: Activities) -> Agreement:
        """Counts against every concept, with bootstrap and null."""
        recipe, samples = self.recipe, self.cache.samples
        key = key_of(
            what="agreement",
            version=VERSION,
            threshold=activities.key,
            labels=self._labels_key,
            seed=recipe.seed,
            shuffles=recipe.shuffles,
            draws=recipe.bootstrap,
        )

        def count() -> dict[str, Any]:
            with self._step(f"{layer}: agreement", samples) as tick:
                return count_agreement(
                    self.cache.steps(layer, tick),
                    self.cache.labels,
                    self.grid(layer),
                    activities.thresholds.value,
                    len(self.cache.segmenter.concepts),
                    samples,
                    poisson_draws(recipe.seed, samples, recipe.bootstrap),
                    null_shifts(recipe.seed, samples, recipe.shuffles),
                ).arrays()

        counts = self.remember(layer, key, count)
        return Agreement(pixels=int(counts.pop("pixels")), **counts)

    def concepts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Per concept: pixels and samples that show it; and the pixels of all samples."""
        samples, concepts = self.cache.samples, len(self.cache.segmenter.concepts)

        def count() -> dict[str, Any]:
            area, presence = np.zeros((2, concepts), np.int64)
            for shard in self.cache.shards:
                for labels in self.cache.labels(np.arange(shard.start, shard.stop)):
                    pixels = torch.bincount(labels.reshape(-1), minlength=concepts + 1)[1:].numpy()
                    area, presence = area + pixels, presence + (pixels > 0)
            return {"area": area, "presence": presence}

        key = key_of(what="concepts", version=VERSION, labels=self._labels_key, count=samples)
        found = self.remember("concepts", key, count)
        height, width = self.cache.grid
        return found["area"], found["presence"], samples * height * width

    def overlap(self, measured: Mapping[str, Activities]) -> Overlap:
        """Mask overlap of all units of all the given layers."""
        count = min(OVERLAP_SAMPLES, self.cache.samples)
        shards = [shard for shard in self.cache.shards if shard.start < count]
        key = key_of(what="overlap", version=VERSION, layers={k: v.key for k, v in measured.items()})

        def compare() -> dict[str, Any]:
            with self._step("overlap of masks", count) as tick:

                def steps() -> Any:
                    for number, shard in enumerate(shards):
                        yield {layer: self.cache.activations(layer, number) for layer in measured}
                        tick(len(shard))

                grids = {layer: self.grid(layer) for layer in measured}
                thresholds = {layer: each.thresholds.value for layer, each in measured.items()}
                return {"iou": measure_overlap(steps(), grids, thresholds).iou}

        found = self.remember("overlap", key, compare)
        names = [(k, unit) for k, each in measured.items() for unit in range(len(each.insert_level))]
        return Overlap(names, found["iou"])

    # ---- the parts

    def _activity(self, layer: str) -> dict[str, Any]:
        with self._step(f"{layer}: values", 2 * self.cache.samples) as tick:

            def steps() -> Any:
                return self.cache.steps(layer, tick)

            activity = measure_activity(steps, self.recipe.exemplars)
            counts = histogram(steps, activity)
        return {k: v.cpu().numpy() for k, v in vars(activity).items()} | {"histogram": counts.cpu().numpy()}

    def _native_quantile(self, layer: str, activity: Activity, q: float) -> tuple[str, NDArray[np.float32]]:
        """The key it is kept under, and the quantile."""
        known = {"version": VERSION, "samples": self._samples_key, "count": self.cache.samples}
        key = key_of(what="threshold", q=1 - q, grid="native", layer=layer, **known)
        found = self.remember(layer, key, lambda: self._threshold(layer, activity, 1 - q, native=True))
        return key, found["value"]

    def _threshold(self, layer: str, activity: Activity, q: float, *, native: bool) -> dict[str, Any]:
        grid = self.grid(layer)
        if native:
            grid = Grid(grid.native, grid.native, self.cache.sampler.device)
        with self._step(
            f"{layer}: {'insertion levels' if native else 'thresholds'}", 4 * self.cache.samples
        ) as tick:

            def batches() -> Any:
                return (x for _, x in self.cache.steps(layer, tick))

            found = find_thresholds(batches, grid, self.cache.samples, activity.low, activity.high, q)
        return {"value": found.value.cpu().numpy(), "on_share": found.on_share.cpu().numpy()}

    # ---- bookkeeping

    def _step(self, name: str, total: int) -> Any:
        return self.report.step(name, total, "samples")

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(values).to(self.cache.sampler.device)

    def remember(self, name: str, key: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `compute` gave when it last ran under this key, else what it gives now."""
        path = self._folder / f"{file_name(name)}-{key}.npz"
        known = _load(path)
        if known is None:
            buffer = io.BytesIO()
            np.savez(buffer, **compute())
            write_atomically(path, buffer.getvalue())
            known = _load(path)
        if known is None:
            raise OSError(f"{path}: what was just written cannot be read")
        return known


def _load(path: Path) -> dict[str, Any] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # missing or damaged: measured again
