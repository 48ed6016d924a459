"""All measurements of one layer, each kept under the hash of what it depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.engine import Here, results_of
from unit59.foundation.progress import Reporter
from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure.agreement import Agreement, count_agreement, iou
from unit59.measure.exemplars import Exemplars, find_exemplars
from unit59.measure.grid import Grid
from unit59.measure.level_agreement import LevelAgreement, count_level_agreement
from unit59.measure.levels import SHARES, find_levels
from unit59.measure.overlap import Overlap, measure_overlap
from unit59.measure.thresholds import Thresholds, find_thresholds
from unit59.recipe.sections import Recipe
from unit59.samples.cache import SampleCache
from unit59.samples.shards import SHARD
from unit59.samples.summary import Summary
from unit59.store import Kept, key_of

#: Raised when a measurement's meaning changes, so that no old value is taken for a new one.
VERSION = 2
#: Mask overlaps are counted over the first samples only: they rank neighbours, they are no finding.
OVERLAP_SAMPLES = 4 * SHARD

What = Literal["activity", "exemplars", "threshold", "levels", "quantile", "agreement", "overlap", "concepts"]


@dataclass(frozen=True)
class MeasureLayer:
    """One measurement over all samples.

    Attributes:
        what: which.
        layers: of which layers' units: all of them for ``overlap``, else one, or none.
        q: of ``threshold`` and ``quantile``: the tail above the wanted value.
        key: hash of what it depends on.
    """

    what: What
    layers: tuple[str, ...]
    q: float
    key: str

    def __str__(self) -> str:
        return f"{self.what} of {', '.join(self.layers) or 'all samples'}"

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
        shape = self.cache.units[layer].layer
        inside = shape.height - 2 * shape.margin, shape.width - 2 * shape.margin
        return Grid(inside, self.cache.grid, self.cache.sampler.device)

    # ---- keys

    def task(self, what: What, layer: str, q: float = 0.0) -> MeasureLayer:
        """A measurement of one layer. Its key hashes exactly what it depends on, and needs no measuring.

        Args:
            what: which.
            layer: whose units.
            q: of ``quantile``: which one.
        """
        recipe = self.recipe
        more: dict[str, Any] = {}
        match what:
            case "exemplars":
                more = {"exemplars": recipe.exemplars}
            case "threshold" if self._by_iqr:
                more = {"agreement": self.task("agreement", layer).key}
            case "threshold":
                q, more = recipe.quantile, {"grid": self.cache.grid}
            case "levels":
                more = {"grid": self.cache.grid, "shares": SHARES}
            case "quantile":
                q, more = 1 - q, {"grid": "native"}
            case "agreement":
                more = {
                    "threshold": self.task("levels" if self._by_iqr else "threshold", layer).key,
                    "labels": self._labels_key,
                    **recipe.model_dump(include={"seed", "shuffles", "bootstrap"}),
                }
        key = key_of(
            version=VERSION,
            what=what,
            samples=self._samples_key,
            count=self.cache.samples,
            units=self.cache.units[layer].key,
            q=q,
            **more,
        )
        return MeasureLayer(what, (layer,), q, key)

    # ---- what is measured

    def activity(self, layer: str) -> Summary:
        """Range, mean and distribution of every unit's values; without peaks."""
        return Summary.from_arrays(self._found(self.task("activity", layer)))

    def exemplars(self, layer: str) -> Exemplars:
        """The samples in which each unit is strongest and weakest."""
        found = self._found(self.task("exemplars", layer))
        return Exemplars(**found)

    def thresholds(self, layer: str) -> Thresholds:
        """Of every unit's mask; where they are chosen by IQR, of the one that goes with its label."""
        found = self._found(self.task("threshold", layer))
        return Thresholds(self._tensor(found["value"]), self._tensor(found["on_share"]))

    def levels(self, layer: str) -> NDArray[np.float32]:
        """Of every unit the thresholds that a concept may choose from, [U,L], falling."""
        found: NDArray[np.float32] = self._found(self.task("levels", layer))["value"]
        return found

    def quantile(self, layer: str, q: float) -> NDArray[np.float32]:
        """A quantile of every unit's native values, [U]."""
        found: NDArray[np.float32] = self._found(self.task("quantile", layer, q))["value"]
        return found

    def insert_level(self, layer: str) -> NDArray[np.float32]:
        """What switching each unit on sets it to, [U]."""
        return self.quantile(layer, self.recipe.insert_quantile)

    def agreement(self, layer: str) -> Agreement:
        """Counts against every concept, with bootstrap and null."""
        counts = self._found(self.task("agreement", layer))
        kind = LevelAgreement if self._by_iqr else Agreement
        return kind(pixels=int(counts.pop("pixels")), **counts)

    def concepts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Per concept: pixels and samples that show it; and the pixels of all samples."""
        key = key_of(what="concepts", version=VERSION, labels=self._labels_key, count=self.cache.samples)
        found = self._found(MeasureLayer("concepts", (), 0.0, key))
        height, width = self.cache.grid
        return found["area"], found["presence"], self.cache.samples * height * width

    def overlap(self) -> Overlap:
        """Mask overlap of all units of all layers."""
        layers = {layer: self.task("threshold", layer).key for layer in self.cache.layers}
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
        measures = {
            "activity": self._activity,
            "exemplars": self._exemplars,
            "levels": self._levels,
            "agreement": self._agreement,
            **({"threshold": self._of_labels} if self._by_iqr else {}),
        }
        if task.what in measures:
            return measures[task.what](layer)
        return self._threshold(layer, task.q, native=task.what == "quantile")

    def _activity(self, layer: str) -> dict[str, Any]:
        return reduce(Summary.without_peaks, self.cache.summaries(layer)).arrays()

    def _exemplars(self, layer: str) -> dict[str, Any]:
        peaks = (part.peaks for part in self.cache.summaries(layer))
        return dict(vars(find_exemplars(peaks, self.recipe.exemplars)))

    def _threshold(self, layer: str, q: float, *, native: bool) -> dict[str, Any]:
        activity, grid, cache = self.activity(layer), self.grid(layer), self.cache
        if native:
            grid = Grid(grid.native, grid.native, cache.sampler.device)
        name = f"{layer}: {'insertion levels' if native else 'thresholds'}"
        with self._step(name, 4 * cache.samples) as tick:

            def above(floors: torch.Tensor) -> Any:
                return (x for _, x in cache.steps(layer, tick, floors))

            low, high = self._tensor(activity.low), self._tensor(activity.high)
            first, kept = cache.first_maps(layer), cache.kept_above(layer)
            found = find_thresholds(above, first, grid, cache.samples, low, high, q, kept)
        return {"value": found.value.cpu().numpy(), "on_share": found.on_share.cpu().numpy()}

    def _levels(self, layer: str) -> dict[str, Any]:
        activity, grid = self.activity(layer), self.grid(layer)
        with self._step(f"{layer}: levels", 3 * self.cache.samples) as tick:

            def batches() -> Any:
                return (x for _, x in self.cache.steps(layer, tick))

            low, high = self._tensor(activity.low), self._tensor(activity.high)
            found = find_levels(batches, grid, self.cache.samples, low, high)
        return {"value": found.cpu().numpy()}

    def _of_labels(self, layer: str) -> dict[str, Any]:
        """The threshold of each unit's best concept."""
        counts, levels = self.agreement(layer), self.levels(layer)
        assert isinstance(counts, LevelAgreement)  # noqa: S101  # by IQR
        best = iou(counts.both, counts.mask, counts.area).argmax(axis=1)
        units = np.arange(len(best))
        return {
            "value": levels[units, counts.level[units, best]],
            "on_share": counts.mask[units, best] / counts.pixels,
        }

    def _agreement(self, layer: str) -> dict[str, Any]:
        recipe, samples = self.recipe, self.cache.samples
        grid, labels = self.grid(layer), self.cache.stored_labels
        what = (
            len(self.cache.segmenter.concepts),
            samples,
            Bootstrap(recipe.seed, recipe.bootstrap),
            null_shifts(recipe.seed, samples, recipe.shuffles),
        )
        with self._step(f"{layer}: agreement", (2 if self._by_iqr else 1) * samples) as tick:
            if self._by_iqr:
                levels = self._tensor(self.levels(layer))
                found = count_level_agreement(
                    lambda: self.cache.steps(layer, tick), labels, grid, levels, *what
                )
                return found.arrays()
            thresholds = self.thresholds(layer).value
            steps = self.cache.steps(layer, tick, thresholds)
            return count_agreement(steps, labels, grid, thresholds, *what).arrays()

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
            grids = {layer: self.grid(layer) for layer in layers}
            thresholds = {layer: self.thresholds(layer).value for layer in layers}

            def steps() -> Any:
                for number, shard in enumerate(shards):
                    yield {
                        layer: self.cache.activations(layer, number, thresholds[layer]) for layer in layers
                    }
                    tick(len(shard))

            return {"iou": measure_overlap(steps(), grids, thresholds).iou}

    # ---- bookkeeping

    @property
    def _by_iqr(self) -> bool:
        """Whether each (unit, concept) chooses its threshold."""
        return self.recipe.threshold == "iqr"

    def _found(self, task: MeasureLayer) -> dict[str, Any]:
        return dict(next(results_of([task], self.cache.engine, self.cache.store)))

    def _step(self, name: str, total: int) -> Any:
        return self.report.step(name, total, "samples")

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(values).to(self.cache.sampler.device)
