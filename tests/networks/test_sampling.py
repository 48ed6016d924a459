"""Knobs of sampling, and what only some architectures have, for every family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.edit.test_families import NETWORKS, PIX2PIX, STYLEGAN2, STYLEGAN3
from tests.planted.network import Planted
from tests.published import GANDISSECT, STYLEGAN
from unit59.networks import Batch, Network, NetworkError, load
from unit59.networks.base import SamplingError
from unit59.networks.sampling import Labelled, Noisy

KNOBS = {
    "planted": ["noise"],
    "dcgan": [],
    "own": ["label"],
    "progan": ["label"],
    "progan of GANDissect": ["label"],
    "stylegan": ["psi", "cutoff", "noise", "label"],
    "stylegan2": ["psi", "cutoff", "noise", "label"],
    "stylegan3": ["psi", "cutoff", "label"],
    "pix2pix": ["noise", "mode"],
}


def codes(network: Network) -> Tensor:
    return torch.randn(2, network.latent_size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", NETWORKS)
def test_knobs_and_batches(family: str, tmp_path: Path) -> None:
    """Every family takes the same arguments; those that it has no knob for change nothing."""
    network = NETWORKS[family](tmp_path)
    assert list(network.SAMPLING.model_fields) == KNOBS[family]
    assert all(field.description for field in network.SAMPLING.model_fields.values())
    if network.takes == "latent":
        z = codes(network)
        plain, pulled = network.generate(z), network.generate(z, psi=0.5, cutoff=2)
        assert torch.equal(plain, pulled) == ("psi" not in KNOBS[family])
        given = {"psi": 0.5, "cutoff": 2} if "psi" in KNOBS[family] else {}
        batch = Batch(z, sampling=network.SAMPLING.model_validate(given))
        assert torch.equal(network.run(network.start(batch))["image"], pulled)


def test_words() -> None:
    """As the model's page says them, in this order."""
    network = load(STYLEGAN)
    sampling = network.SAMPLING.model_validate({"psi": 0.7, "cutoff": 8, "noise": "const"})
    assert list(sampling.words(network).items()) == [
        ("truncation", "psi 0.7 on layers below 8"),
        ("noise", "the stored inputs"),
    ]
    assert network.SAMPLING().words(network) == {"truncation": "none", "noise": "drawn with the sample"}
    assert load(GANDISSECT).SAMPLING().words(load(GANDISSECT)) == {}
    pix2pix = load(PIX2PIX)
    assert pix2pix.SAMPLING().words(pix2pix) == {"mode": "evaluation"}
    official = pix2pix.SAMPLING.model_validate({"mode": "official-test"})
    assert official.words(pix2pix) == {"mode": "as its authors test it (own statistics, dropout)"}
    conditional = load("tests.networks.own_modules:Conditional")
    assert Labelled(label=1).words(conditional) == {"class": "1"}
    assert Labelled().words(conditional) == {"class": "drawn with the sample"}


def test_a_label_is_checked_and_taken() -> None:
    conditional = load("tests.networks.own_modules:Conditional")
    Labelled(label=1).check(conditional)
    with pytest.raises(SamplingError, match="label: 2, but the network has 2 classes, from 0 on"):
        Labelled(label=2).check(conditional)
    with pytest.raises(SamplingError, match="label: 0, but the network is not conditional"):
        Labelled(label=0).check(load(GANDISSECT))
    assert list(Labelled(label=1).classes([0, 1, 0])) == [1, 1, 1]
    assert list(Labelled().classes([0, 1, 0])) == [0, 1, 0]


def test_noise_inputs() -> None:
    assert [Noisy(noise=each).noise_inputs([4, 9]) for each in ("sample", "const", "none")] == [
        [4, 9], "const", "none",
    ]  # fmt: skip


def test_another_familys_sampling_is_refused() -> None:
    with pytest.raises(NetworkError, match="expected StyleGANSampling, got Noisy"):
        load(STYLEGAN).start(Batch(torch.zeros(1, 512), sampling=Noisy()))


# ---- what only some architectures have


STYLED: dict[str, tuple[Callable[[], Network], dict[str, str | None]]] = {
    "stylegan": (lambda: load(STYLEGAN), {"layer0": "layer0", "layer3": "layer3"}),
    "stylegan2": (
        lambda: load(STYLEGAN2),
        {"b4.conv1": "b4.torgb", "b4.torgb": None, "b4": "b8.conv0", "b8.conv0": "b8.conv1", "b32": None},
    ),
    "stylegan3": (lambda: load(STYLEGAN3), {"input": "L0_36_32", "L14_64_3": None}),
    "planted": (Planted, {"layer1": "layer1", "layer2": None}),
}


@pytest.mark.parametrize("family", STYLED)
@torch.no_grad()
def test_styles_are_read_written_and_belong_to_units(family: str) -> None:
    """With the style channel of a unit changed, the layer whose styles these are gives something else."""
    make, owners = STYLED[family]
    network = make()
    assert {layer: network.style_layer(layer) for layer in owners} == owners
    state = network.start(network.batch(codes(network)))
    for layer, owner in owners.items():
        styles = None if owner is None else network.styles(owner, state)
        assert (styles is None) == (owner is None)
        if owner is not None and styles is not None:
            assert styles.shape[::2] == (2, network.layers[layer].units)
            assert network.styles(owner, network.with_styles(owner, state, styles + 1)) is not None
            again = network.run(network.with_styles(owner, state, styles), until=owner)
            other = network.run(network.with_styles(owner, state, styles + 1), until=owner)
            assert torch.equal(again["x"], network.run(state, until=owner)["x"])
            assert not torch.equal(other["x"], again["x"])


def test_layers_without_styles() -> None:
    for network, layer in ((load(GANDISSECT), "layer1"), (load(STYLEGAN3), "input")):
        state = network.start(network.batch(codes(network)))
        assert network.styles(layer, state) is None
        with pytest.raises(NetworkError, match=f"layer {layer} of this {network.family} has no style"):
            network.with_styles(layer, state, torch.zeros(2, 1, 4))


@pytest.mark.parametrize("file", [STYLEGAN, STYLEGAN2])
@torch.no_grad()
def test_without_the_noise_of_all_layers_there_is_none(file: Path) -> None:
    network = load(file)
    state = network.start(network.batch(codes(network), noise=3))
    assert set(network.noise_layers) <= set(network.layers)
    quiet = network.without_noise(state, network.noise_layers)
    wanted = network.generate(codes(network), noise="none")
    assert torch.equal(network.run(quiet)["image"], wanted)
    partly = network.without_noise(state, network.noise_layers[1:])
    assert not torch.equal(network.run(partly)["image"], wanted)


@torch.no_grad()
def test_held_statistics_change_nothing_without_an_edit() -> None:
    network = load(STYLEGAN)
    assert network.normalises
    state = network.run(network.start(network.batch(codes(network))), until="layer2")
    held = network.held_statistics(state, "layer2")
    assert held is not None
    assert torch.equal(
        network.run(held, after="layer2")["image"], network.run(state, after="layer2")["image"]
    )
    x = state["x"].clone()
    x[:, 0] = 0
    free, bound = (network.run({**each, "x": x}, after="layer2")["image"] for each in (state, held))
    assert not torch.equal(free, bound)


def test_networks_that_have_none_of_this(tmp_path: Path) -> None:
    for family in ("dcgan", "progan", "own"):
        network = NETWORKS[family](tmp_path)
        layer = next(iter(network.layers))
        assert network.style_layer(layer) is None
        assert (network.levels, list(network.skips), list(network.noise_layers)) == (0, [], [])
        assert not network.normalises
        assert network.held_statistics({}, layer) is None
        assert network.without_noise({"a": 1}, [layer]) == {"a": 1}


def test_a_u_nets_mirrors() -> None:
    network = load(PIX2PIX)
    assert network.levels == 8
    assert network.skips[0] == ("layer1", "layer16")
    assert network.skips[-1] == ("layer7", "layer10")
