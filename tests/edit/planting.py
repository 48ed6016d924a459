"""A bench and a sweep over a planted network, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from unit59.edit.edits import Levels
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.edit.workbench import Workbench
from unit59.foundation.progress import Reporter
from unit59.handles import Style, units_of
from unit59.measure.layer import Measurer
from unit59.networks import Network
from unit59.recipe.sections import Recipe
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.segmenters import Segmenter
from unit59.store import Store


def planted_cache(
    folder: Path,
    network: Network | None = None,
    segmenter: Segmenter | None = None,
    samples: int = 64,
    grid: tuple[int, int] | None = None,
) -> SampleCache:
    """A filled cache of a planted network's samples (or of another's)."""
    network = network or Planted()
    cache = SampleCache(
        Store(folder),
        Sampler(network, 59),
        segmenter or PlantedSegmenter(),
        samples,
        list(network.layers),
        grid,
        {"samples": "samples", "segmentations": "segmentations"},
    )
    cache.fill(lambda _: None)
    return cache


def levels_of(cache: SampleCache, layer: str, insert: float = 1.0) -> Levels:
    """Means from the cache; every unit is switched on at `insert`."""
    x = torch.cat([x for _, x in cache.steps(layer)])
    values = x.transpose(0, 1).flatten(1)
    return flat_levels(
        values.mean(dim=1), torch.full((x.shape[1],), insert), lambda q: torch.quantile(values, q, dim=1)
    )


def flat_levels(mean: Tensor, insert: Tensor, quantile: Callable[[float], Tensor]) -> Levels:
    """Levels of units with maps, from one number a unit."""

    def flat(values: Tensor) -> Tensor:
        return values.float()[:, None, None]

    return Levels(
        torch.zeros_like(flat(mean)), flat(mean), flat(insert), quantile=lambda q: flat(quantile(q))
    )


def planted_sweep(folder: Path, layer: str = "layer1", samples: int = 64) -> Sweep:
    """Edits of a layer of a planted network."""
    cache = planted_cache(folder, samples=samples)
    return Sweep.here(cache, Tail(cache, layer), levels_of(cache, layer), "planted")


class PlantedBench(Workbench):
    """A bench whose channels are switched on at 1, where a planted network's things are fully there."""

    def _levels(self, layer: str) -> Levels:
        return levels_of(self.cache, layer) if layer in self.cache.units else super()._levels(layer)

    def levels_key(self, layer: str) -> str:
        """See `Workbench.levels_key`."""
        return f"planted {layer}"


def planted_recipe(samples: int = 64) -> Recipe:
    """As much of a recipe as measurements read."""
    words = {"model": "planted", "title": "Planted", "summary": "Its causes are known."}
    return Recipe.model_validate(
        {**words, "checkpoint": "nowhere.pth", "segmenter": "colours", "samples": samples}
    )


def planted_bench(folder: Path, network: Network | None = None, samples: int = 64) -> PlantedBench:
    """A bench over a planted network's samples; it knows the styles of ``layer1`` too."""
    cache = planted_cache(folder, network, samples=samples)
    recipe = planted_recipe(samples)
    measurer = Measurer(cache, recipe, "samples", "segmentations", Reporter(quiet=True))
    made = cache.sampler.network
    styles = units_of(made, made.layer("layer1"), Style(), "layer1.style")
    return PlantedBench(cache, measurer, "segmentations", [*cache.units.values(), styles])
