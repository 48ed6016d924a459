"""A handle reads the same groups of samples, whoever asks for them."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import torch
from torch import Tensor

from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from unit59.handles import Channel, units_of
from unit59.networks import Layer, Network, State
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.samples.summary import Summary
from unit59.store import Store


class Sized(Channel):
    """What it reads depends on how many samples it is given, as sums may by a last bit."""

    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        x: Tensor = state["x"]
        return x + len(x)


def test_maps_are_those_that_summaries_are_made_of(tmp_path: Path) -> None:
    network = Planted()
    units = units_of(network, network.layers["layer1"], Sized(), "layer1.sized")
    cache = SampleCache(
        Store(tmp_path),
        Sampler(network, 59),
        PlantedSegmenter(),
        70,
        [units],
        None,
        {"samples": "s", "segmentations": "l"},
    )
    cache.fill(lambda _: None)
    x = torch.cat([x for _, x in cache.steps("layer1.sized")])
    found = reduce(Summary.without_peaks, cache.summaries("layer1.sized"))
    assert (x.amax((0, 2, 3)).numpy() == found.high).all()
    assert (x.amin((0, 2, 3)).numpy() == found.low).all()
    numbers = [3, 69, 8, 64]
    assert torch.equal(cache.maps("layer1.sized", numbers, torch.zeros(len(found.low))), x[numbers])
