"""The container of our own: the same pictures, bit for bit, for every family; bad files are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.networks.test_dcgan import saved as saved_dcgan
from tests.published import PROGAN, STYLEGAN, generator_files, some_inputs
from unit59.checkpoints import CheckpointError, read_checkpoint
from unit59.foundation.files import sha256_of
from unit59.networks import FAMILIES, NetworkError, load
from unit59.networks.files import save

FILES = {path.name: path for path in generator_files()}


@pytest.mark.parametrize("name", [*FILES, "dcgan"])
def test_the_round_trip_is_exact(tmp_path: Path, name: str) -> None:
    if name == "dcgan":
        saved_dcgan(tmp_path / "dcgan.pth")
    source = FILES.get(name, tmp_path / "dcgan.pth")
    first = load(source)
    save(first, tmp_path / "net.safetensors", source)
    again = load(tmp_path / "net.safetensors")
    assert type(again) is type(first)
    assert again.layers == first.layers
    assert again.config() == first.config()
    inputs, labels = some_inputs(first, 1)
    assert torch.equal(again.generate(inputs, labels, psi=0.7), first.generate(inputs, labels, psi=0.7))
    last = list(first.layers)[-1]
    there = first.activations(inputs, [last], labels, noise=3)[last]
    assert torch.equal(again.activations(inputs, [last], labels, noise=3)[last], there)


def test_every_family_can_be_saved() -> None:
    families = {family.NETWORK.family for family in FAMILIES}
    assert len(families) == len(FAMILIES)
    assert {load(path).family for path in generator_files()} | {"dcgan"} == families


def test_the_origin_is_recorded(tmp_path: Path) -> None:
    source = tmp_path / "karras2019stylegan-bedrooms-256x256.pkl"
    source.write_bytes(STYLEGAN.read_bytes())
    save(load(source), tmp_path / "net.safetensors", source)
    metadata = read_checkpoint(tmp_path / "net.safetensors").metadata
    assert metadata["source"] == source.name
    assert metadata["source_sha256"] == sha256_of(source)
    assert metadata["licence"] == "CC BY-NC 4.0"
    assert metadata["family"] == "stylegan"


def test_the_name_says_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"ends in \.safetensors"):
        save(load(PROGAN), tmp_path / "net.pkl")


def test_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save(load(PROGAN), path)
    tensors, metadata = load_file(path), dict(read_checkpoint(path).metadata)
    config = json.loads(metadata["config"])
    changes = {
        "layout '9'": {"unit59": "9"},
        "no known family": {"family": "biggan"},
        "no JSON": {"config": "{"},
        "no JSON object": {"config": "[]"},
        "label_size": {"config": json.dumps(config | {"label_size": -1})},
        "unexpected": {"config": json.dumps(config | {"unexpected": 1})},
        "layers make no resolution": {"config": json.dumps(config | {"paths": ["a"] * 23})},
        "blocks.8.weight": {"config": json.dumps(config | {"paths": ["a"] * 10})},
        "no room for z": {"config": json.dumps(config | {"label_size": 32})},
    }
    for message, change in changes.items():
        save_file(tensors, path, metadata | change)
        with pytest.raises(CheckpointError, match=message):
            load(path)
    for name, tensor in tensors.items():
        for changed in (
            {k: v for k, v in tensors.items() if k != name},
            tensors | {name: tensor[None].clone()},
        ):
            save_file(changed, path, metadata)
            with pytest.raises(CheckpointError, match=name):
                load(path)


def test_damage_is_an_error_or_a_load(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save(load(PROGAN), path)
    data = path.read_bytes()
    for position in range(0, 3000, 7):
        damaged = bytearray(data)
        damaged[position] ^= 1 + position % 255
        path.write_bytes(damaged)
        try:
            load(path)
        except CheckpointError as error:
            assert str(path) in str(error)
