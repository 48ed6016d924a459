"""What a recipe names, opened: network, segmenter, inputs, and the bench that parts are measured at."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from unit59.edit.workbench import Workbench
from unit59.engine import Engine
from unit59.foundation.errors import Unit59Error
from unit59.foundation.passes import USUAL, Passes, compute_exactly
from unit59.foundation.pictures import sheet_shape, tile_edge
from unit59.foundation.progress import Reporter
from unit59.foundation.version import __version__
from unit59.handles import Units
from unit59.loading import (
    check_names,
    load_network,
    open_handles,
    open_inputs,
    open_real,
    open_sampling,
    open_segmenter,
    segmenter_names,
    wanted_layers,
)
from unit59.measure.floors import MakeFloors
from unit59.measure.layer import OVERLAP_SAMPLES, Measurer
from unit59.networks import Network
from unit59.networks.passes import set_passes
from unit59.recipe.sections import Recipe, RecipeFile
from unit59.results import sha256_of
from unit59.results.schema import CheckpointRecord, SegmenterRecord
from unit59.samples.budget import Budget
from unit59.samples.cache import SampleCache
from unit59.samples.checks import check_grid
from unit59.samples.drawing import Sampler
from unit59.samples.inputs import Inputs
from unit59.samples.memory import Batches, Decided
from unit59.samples.thin import Thin
from unit59.segmenters import Segmenter
from unit59.segmenters.passes import with_passes
from unit59.store import Store, key_of


@dataclass(frozen=True)
class Options:
    """What the command line may set: nothing here changes a result.

    Attributes:
        results: the results folder.
        cache: where samples and measurements are kept.
        device: ``cpu``, ``cuda``, ``cuda:1``.
        batch: samples between two steps of the progress bar.
        engine: makes the engine that tasks run on, from the opened bench and the place that travels; by
            default they run in this process.
        batches: how many go through at once; by default what was decided when memory last ran out.
    """

    results: Path
    cache: Path
    device: str = "cpu"
    batch: int = 64
    engine: Callable[[Workbench, Any], Engine] | None = None
    batches: Batches | None = None


@dataclass(frozen=True)
class Opened:
    """Everything that a recipe names.

    Attributes:
        file: the recipe.
        checkpoint: where the weights came from.
        network: with its weights.
        real: pictures that samples are compared with.
        reads: what a segmentation depends on, besides the picture.
        bench: samples, measurements and sweeps; nothing is made yet.
        decided: lowers how many go through at once.
    """

    file: RecipeFile
    checkpoint: CheckpointRecord
    network: Network
    real: Inputs | None
    reads: Mapping[str, Any]
    bench: Workbench
    decided: Decided

    def facts(self) -> dict[str, Any]:
        """The fields of `ModelRecord` that are known before anything is measured."""
        recipe, network, cache = self.file.recipe, self.network, self.bench.cache
        segmenter = cache.segmenter
        shown = {**network.layers, **{name: units.shown for name, units in self.bench.named.items()}}
        record = SegmenterRecord(
            names=segmenter_names(recipe.segmenter),
            planes=list(segmenter.planes),
            licence=segmenter.licence,
            limits=segmenter.limits,
        )
        return {
            "name": recipe.model,
            "title": recipe.title,
            "summary": recipe.summary,
            "family": network.family,
            "resolution": list(network.resolution),
            "checkpoint": self.checkpoint.model_dump(mode="json"),
            "segmenter": record.model_dump(mode="json"),
            "samples": recipe.samples,
            "overlap_samples": min(OVERLAP_SAMPLES, recipe.samples),
            "sampling": cache.sampler.sampling.words(network),
            "seed": recipe.seed,
            "quantile": recipe.quantile if recipe.threshold == "share" else None,
            "grid": list(cache.grid),
            "tile": tile_edge(*network.resolution),
            "sheet": list(sheet_shape(recipe.samples)),
            "network": [asdict(layer) for layer in shown.values()],
            "planned_layers": cache.layers,
            "recipe": self.file.text,
            "versions": {
                "unit59": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("torch", "numpy", "pillow")},
            },
        }

    @property
    def disk(self) -> int:
        """About how many bytes all samples take in the cache."""
        cache = self.bench.cache
        layers = {name: self.network.layers[name] for name in cache.network_layers}
        return _budget(self.file.recipe, self.network, cache.segmenter).taken(layers, cache.thin.layers)

    def check_room(self) -> None:
        """Say so before an hour's work, not after, when the disk cannot hold the cache.

        Raises:
            Unit59Error: it cannot.
        """
        cache, recipe = self.bench.cache, self.file.recipe
        folder, need = cache.store.folder, self.disk
        need -= sum(file.stat().st_size for file in (folder / "samples").rglob("*") if file.is_file())
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if need > free:
            raise Unit59Error(
                f"{folder}: the activations of {recipe.samples} samples take about "
                f"{decimal(need)}, {decimal(free)} are free. Name fewer layers or samples in "
                f"{self.file.path}, or give another folder with --cache."
            )


def open_recipe(file: RecipeFile, options: Options, report: Reporter) -> Opened:
    """Open what a recipe names; nothing is generated yet.

    Args:
        file: the recipe.
        options: where, on what.
        report: is told the progress.

    Raises:
        Unit59Error: the recipe, the weights, the segmenter or a folder is wrong.
    """
    recipe = file.recipe
    check_names(file)
    network, checkpoint = load_network(file, options.device)
    sampling = open_sampling(file, network)
    layers = wanted_layers(file, network)
    fault = check_grid(recipe.grid, network.resolution)
    if fault:
        raise file.fail(("grid",), fault)
    units = open_handles(file, network, layers)
    inputs, real = open_inputs(file, network), open_real(file, network)
    passes = Passes(**recipe.passes.model_dump())
    set_passes(network, passes)
    compute_exactly(options.device)
    segmenter = with_passes(open_segmenter(file), passes)
    asked: dict[str, Any] = {} if passes == USUAL else {"passes": vars(passes)}
    drawn = {
        "checkpoint": checkpoint.sha256,
        "code": network.code,
        "seed": recipe.seed,
        "sampling": sampling.model_dump(mode="json"),
        "inputs": inputs.fingerprint(range(recipe.samples)) if inputs else None,
        "threads": _threads(options.device),
        **asked,
    }
    reads = {
        "segmenter": recipe.segmenter,
        "files": [sha256_of(path) for path in segmenter.files],
        "code": segmenter.code,
        "grid": recipe.grid,
        **asked,
    }
    store = Store(options.cache / recipe.model, report.say)
    decided = Decided(store, samples=drawn, segmentations=reads)
    batches = options.batches or decided.get()
    samples_key, reads = key_of(**drawn, **batches.of_samples), {**reads, **batches.of_labels}
    labels_key = key_of(samples=samples_key, **reads)
    cache = SampleCache(
        store,
        Sampler(network, recipe.seed, sampling, inputs, options.device),
        segmenter,
        recipe.samples,
        [each for each in units if each.handle.maps],
        (recipe.grid, recipe.grid) if recipe.grid else None,
        {"samples": samples_key, "segmentations": labels_key},
        batches,
        _thin(file.recipe, network, segmenter, units),
    )
    cache.floor_task = MakeFloors
    measurer = Measurer(cache, recipe, samples_key, labels_key, report)
    bench = Workbench(cache, measurer, labels_key, units)
    return Opened(file, checkpoint, network, real, reads, bench, decided)


def _thin(recipe: Recipe, network: Network, segmenter: Segmenter, units: Sequence[Units]) -> Thin:
    """Of which layers only tails are kept, as the recipe's budget has it; levels of all shares need all."""
    if recipe.threshold == "iqr":
        return Thin()
    budget = _budget(recipe, network, segmenter)
    layers = {each.layer.name: each.layer for each in units if each.handle.maps}
    shares = recipe.quantile, 1 - recipe.insert_quantile
    return Thin(budget.thin(layers), shares, budget.states)


def _budget(recipe: Recipe, network: Network, segmenter: Segmenter) -> Budget:
    height, width = network.resolution
    labels = (recipe.grid**2 if recipe.grid else height * width) * len(segmenter.planes)
    states = recipe.effects.samples if recipe.effects else 0
    return Budget(recipe.cache, recipe.samples, 3 * height * width + labels, states)


def _threads(device: str) -> str:
    """Sums round differently with the kind of device and the number of threads: bytes hold for these only."""
    import torch

    return f"{torch.device(device).type} {torch.get_num_threads()}"
