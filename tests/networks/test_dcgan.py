"""DCGAN, against the tutorial's own module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.published import difference
from unit59.checkpoints import CheckpointError
from unit59.networks import load


def tutorial(latent: int = 12, units: int = 4, doublings: int = 3) -> nn.Sequential:
    """The tutorial's generator, with running statistics that are not the initial ones."""
    torch.manual_seed(0)
    widths = [latent, *(units * 2 ** (doublings - index) for index in range(doublings + 1))]
    modules: list[nn.Module] = []
    for index in range(doublings + 1):
        stride, padding = (2, 1) if index else (1, 0)
        modules += [
            nn.ConvTranspose2d(widths[index], widths[index + 1], 4, stride, padding, bias=False),
            nn.BatchNorm2d(widths[index + 1]),
            nn.ReLU(inplace=True),
        ]
    modules += [nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1, bias=False), nn.Tanh()]
    net = nn.Sequential(*modules)
    net(torch.randn(16, latent, 1, 1))
    return net.eval()


def saved(path: Path, prefix: str = "main.", **how: Any) -> nn.Sequential:
    net = tutorial()
    torch.save({prefix + key: tensor for key, tensor in net.state_dict().items()}, path, **how)
    return net


@pytest.mark.parametrize("prefix", ["main.", "module.main."])
@pytest.mark.parametrize("zipped", [True, False])
@torch.no_grad()
def test_matches_the_tutorial(tmp_path: Path, prefix: str, zipped: bool) -> None:
    module = saved(tmp_path / "net.pth", prefix, _use_new_zipfile_serialization=zipped)
    net = load(tmp_path / "net.pth")
    z = torch.randn(2, 12, generator=torch.Generator().manual_seed(1))
    assert difference(net.generate(z), module(z[:, :, None, None])) < 1e-5
    assert net.resolution == (64, 64)
    found = net.activations(z, list(net.layers))
    x: Tensor = z[:, :, None, None]
    for number, layer in enumerate(net.layers.values()):
        x = module[3 * number : 3 * number + 3](x)
        assert layer.name == f"layer{number + 1}"
        assert layer.path == f"{prefix}{3 * number + 2}"
        assert difference(found[layer.name], x) < 1e-5


def test_running_on_equals_the_full_pass(tmp_path: Path) -> None:
    saved(tmp_path / "net.pth")
    net, z = load(tmp_path / "net.pth"), torch.ones(2, 12)
    final, states = net.trace(net.start(net.batch(z)), net.layers)
    assert torch.equal(final["image"], net.generate(z))
    for name, state in states.items():
        assert torch.equal(net.run(state, after=name)["image"], net.generate(z))


def test_damage_is_named(tmp_path: Path) -> None:
    state = {f"main.{key}": tensor for key, tensor in tutorial().state_dict().items()}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        for changed in ({k: v for k, v in state.items() if k != name}, state | {name: tensor[None]}):
            torch.save(changed, tmp_path / "net.pth")
            with pytest.raises(CheckpointError, match=r"main\.|convolutions at|no network") as caught:
                load(tmp_path / "net.pth")
            assert "net.pth" in str(caught.value)
