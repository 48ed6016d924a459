"""The built-in handles: how many units, what they are, how they are silenced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests import tiny
from tests.planted.network import Planted
from tests.published import STYLEGAN
from unit59.handles import CHANNEL, HandleError, Style, count_units, units_of
from unit59.networks import Network, load


def test_channels_are_the_activation() -> None:
    network = Planted()
    units = units_of(network, network.layer("layer1"), CHANNEL, "layer1")
    assert (units.name, units.count, units.shown) == ("layer1", 32, network.layer("layer1"))
    state = {"x": torch.rand(2, 32, 4, 4), "w": torch.zeros(1)}
    assert units.read(network, state) is state["x"]
    changed = units.write(network, state, state["x"], state["x"] * 2)
    assert torch.equal(changed["x"], state["x"] * 2)
    assert changed["w"] is state["w"]
    assert not units.silent(torch.ones(32, 1, 1)).any()


@pytest.mark.parametrize("make", [Planted, lambda: load(STYLEGAN)], ids=["planted", "stylegan"])
def test_styles_are_scale_and_offset(make: Callable[[], Network]) -> None:
    network = make()
    units = units_of(network, network.layer("layer1"), Style(), "layer1.style")
    assert units.count == network.layers["layer1"].units
    assert units.shown.path.endswith(" (style)")
    state = network.start(network.batch(torch.randn(3, network.latent_size), None))
    values = units.read(network, state)
    assert values.shape == (3, units.count, 2, 1)
    again = units.read(network, units.write(network, state, values, values + 1))
    assert torch.equal(again, values + 1)
    assert torch.equal(units.read(network, state), values)  # the state itself is left as it is
    usual = values.mean(dim=0)
    assert set(units.silent(usual).flatten().tolist()) == {-1, 0}  # scale and offset
    assert torch.equal(units.shifted(usual)[:, 0], usual[:, 0])
    assert not units.shifted(usual)[:, 1].any()


def test_a_style_that_only_scales_is_silent_at_0() -> None:
    assert not Style().silent(torch.ones(4, 1, 1)).any()


def test_a_network_without_styles_says_so(tmp_path: Path) -> None:
    torch.save({"netG_state_dict": tiny.tensors()}, tmp_path / "tiny.pth")
    network = load(tmp_path / "tiny.pth")
    assert count_units(network, network.layer("layer2"), Style()) == 0
    with pytest.raises(HandleError, match=r"layer2 of this dcgan has no style units"):
        units_of(network, network.layer("layer2"), Style(), "layer2.style")
