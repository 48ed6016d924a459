"""What holds for every network, whatever its architecture."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.published import difference
from unit59.checkpoints import CheckpointError
from unit59.networks import Network, load
from unit59.networks.base import State
from unit59.networks.files import save


def check_resumes(network: Network, inputs: Tensor, **options: Any) -> None:
    """From every layer on, the rest of the pass makes the same picture, bit for bit, and changes no state."""
    whole = network.generate(inputs, **options)
    state = network.start(network.batch(inputs, **options))
    final, kept = network.trace(state, network.layers)
    assert torch.equal(final["image"], whole)
    frozen = {name: _copy(each) for name, each in kept.items()}
    assert list(kept) == list(network.layers)
    for name, layer in network.layers.items():
        assert kept[name]["x"].shape[1:] == (layer.units, layer.height, layer.width)
        assert torch.equal(network.run(kept[name], after=name)["image"], whole)
        stored = kept[name]["x"].clone(memory_format=torch.contiguous_format)  # as it comes from a file
        assert torch.equal(network.run({**kept[name], "x": stored}, after=name)["image"], whole)
    for name, each in kept.items():
        assert _same(_copy(each), frozen[name]), f"{name}: its state changed afterwards"


def check_batches(network: Network, inputs: Tensor, **options: Any) -> None:
    """A sample is the same alone and among others."""
    labels = options.pop("labels", None)
    together = network.generate(inputs, labels, **options)
    for row in range(len(inputs)):
        own = None if labels is None else labels[row : row + 1]
        alone = network.generate(inputs[row : row + 1], own, **options)
        assert difference(alone, together[row : row + 1]) < 1e-5


def check_saves(network: Network, folder: Path, inputs: Tensor, **options: Any) -> Network:
    """Saved and loaded, it is the same network."""
    save(network, folder / "saved.safetensors")
    again = load(folder / "saved.safetensors")
    assert again.layers == network.layers
    assert torch.equal(again.generate(inputs, **options), network.generate(inputs, **options))
    return again


def check_flips(file: Path, count: int) -> None:
    """With a bit or byte changed anywhere, the file loads or is refused with an error that names it."""
    original, chance = file.read_bytes(), random.Random(0)
    outcomes = set()
    for _ in range(count):
        damaged = bytearray(original)
        damaged[chance.randrange(len(damaged))] ^= chance.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])
        file.write_bytes(damaged)
        try:
            outcomes.add(isinstance(load(file), Network))
        except CheckpointError as error:
            assert str(file) in str(error)  # both outcomes are right
            outcomes.add(False)
    assert outcomes == {True, False}


def _copy(state: State) -> dict[str, Any]:
    return {
        name: _copy(value) if isinstance(value, dict) else value.clone() if torch.is_tensor(value) else value
        for name, value in state.items()
    }


def _same(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    return one.keys() == other.keys() and all(
        _same(value, other[name])
        if isinstance(value, dict)
        else torch.equal(value, other[name])
        if torch.is_tensor(value)
        else value == other[name]
        for name, value in one.items()
    )
