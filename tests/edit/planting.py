"""A bench over a planted network, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import torch

from unit59.edit.edits import Levels
from unit59.edit.sweep import Sweep
from unit59.networks import Network
from unit59.networks.planted import Planted
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.segmenters import Segmenter
from unit59.segmenters.planted import PlantedSegmenter


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
        folder,
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
    return Levels(
        mean=values.mean(dim=1),
        insert=torch.full((x.shape[1],), insert),
        quantile=lambda q: torch.quantile(values, q, dim=1),
    )


def planted_bench(folder: Path, layer: str = "layer1", samples: int = 64) -> Sweep:
    """A bench at a layer of a planted network."""
    cache = planted_cache(folder, samples=samples)
    return Bench(cache, layer, levels_of(cache, layer), "planted")
