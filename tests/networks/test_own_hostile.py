"""Modules that raise, end the program, or give what no layer gives: one message, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unit59.networks.base import Batch, NetworkError
from unit59.networks.own import OwnNetwork, load


class Bends(nn.Module):
    """A module that does something else once it is `armed`."""

    def __init__(self, change: Callable[[Tensor], Any], where: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.ConvTranspose2d(4, 3, 4), nn.Conv2d(3, 3, 1)
        self.change, self.where, self.armed = change, where, False
        if where == "layer":
            self.first.register_forward_hook(lambda *call: self.change(call[2]) if self.armed else None)

    def forward(self, z: Tensor) -> Any:
        image = self.second(self.first(z[:, :, None, None]).float()[: len(z)])
        return self.change(image) if self.armed and self.where == "picture" else image


def _raise(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    ("where", "change", "message"),
    [
        ("picture", lambda x: _raise(ValueError("seed 3")), "a pass raised ValueError: seed 3"),
        ("picture", lambda x: sys.exit(0), r"a pass raised it called sys\.exit\(0\)"),
        ("picture", lambda x: _raise(MemoryError()), "out of memory"),
        ("picture", lambda x: torch.empty(2**60), "out of memory|Storage size calculation"),
        ("picture", lambda x: x[:1], r"returned \[1, 3, 4, 4\] for 2 samples"),
        ("picture", lambda x: x[..., :2], r"returned \[2, 3, 4, 2\] for 2 samples"),
        ("picture", lambda x: x.to(torch.uint8), "returned torch.uint8, expected torch.float32"),
        ("picture", lambda x: x.to(torch.complex64), "returned torch.complex64"),
        ("picture", lambda x: None, "returned no pictures"),
        ("layer", lambda x: torch.cat([x, x]), r"layer first gives \[4, 3, 4, 4\] for 2 samples"),
        ("layer", lambda x: x.to(torch.uint8), "layer first gives torch.uint8, expected torch.float32"),
        ("layer", lambda x: x.to(torch.complex64), "layer first gives torch.complex64"),
        ("layer", lambda x: x[:, :, :1], r"layer first gives \[2, 3, 1, 4\]"),
    ],
)
def test_a_pass_that_goes_wrong(where: str, change: Callable[[Tensor], Any], message: str) -> None:
    network = OwnNetwork(module := Bends(change, where), latent_size=4, name="mine:made")
    start = network.start(Batch(torch.zeros(2, 4)))
    network.run(start)
    module.armed = True
    with pytest.raises(NetworkError, match=f"mine:made: .*{message}"):
        network.run(start)


@pytest.mark.parametrize("name", ["\x1b[31mred", "half \ud800", "two\nlines"])
def test_names_that_cannot_be_shown(name: str) -> None:
    module = Bends(lambda x: x, "picture")
    module.register_buffer(name, torch.zeros(1))
    with pytest.raises(NetworkError, match=r"the weight .* cannot be shown"):
        OwnNetwork(module, latent_size=4)


def test_layers_that_are_one_name_in_files() -> None:
    module = nn.Sequential()
    for name in ("to_rgb", "To_RGB"):
        module.add_module(name, nn.Conv2d(3, 3, 1))
    with pytest.raises(NetworkError, match="the layers 'to_rgb' and 'To_RGB' are one name"):
        OwnNetwork(module, image_size=(4, 4))
    OwnNetwork(module, image_size=(4, 4), layers=["to_rgb"])


@pytest.mark.parametrize("name", ["[red]", ":four:", "ベッド", "to rgb", "x" * 81])
def test_layers_whose_names_no_folder_can_have(name: str) -> None:
    module = nn.Sequential()
    module.add_module(name, nn.Conv2d(3, 3, 1))
    module.add_module("plain", nn.Conv2d(3, 3, 1))
    with pytest.raises(
        NetworkError, match=r"the layer .* is no name for a folder .* leave it out of `layers`"
    ):
        OwnNetwork(module, image_size=(4, 4))
    assert list(OwnNetwork(module, image_size=(4, 4), layers=["plain"]).layers) == ["plain"]


OWN = """
import torch
from torch import nn

class Mute(Exception):
    def __str__(self): return 1 / 0

class End(BaseException):
    pass

class Mine(nn.Module):
    latent_size = 4
    def __init__(self):
        super().__init__()
        self.first = nn.ConvTranspose2d(4, 3, 4)
        {made}
    def forward(self, z):
        {ran}
        return self.first(z[:, :, None, None])
"""


@pytest.mark.parametrize(
    ("made", "ran", "message"),
    [
        ("self.layers = 5", "pass", "`layers` lists names of submodules, it is a int"),
        ("self.layers = nn.ModuleList([self.first])", "pass", "`layers` lists names .* it is a ModuleList"),
        ("self.layers = ['']", "pass", "the layer '' is no name"),
        ("self.latent_size, self.image_size = None, 5", "pass", "TypeError: 'int' object is not iterable"),
        ("self.state_dict = lambda *_, **__: 1 / 0", "pass", r"ZeroDivisionError: .*mine\.py, line 16"),
        ("pass", "raise GeneratorExit", r"a pass raised GeneratorExit \(.*mine\.py, line 18"),
        ("pass", "raise End", r"a pass raised End \("),
        ("pass", "raise Mute", r"a pass raised Mute \("),
    ],
)
def test_own_code_that_does_not_keep_the_contract(tmp_path: Path, made: str, ran: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(OWN.format(made=made, ran=ran))
    with pytest.raises(NetworkError, match=f"mine:Mine: .*{message}"):
        load("mine:Mine", folder=tmp_path)
