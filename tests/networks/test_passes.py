"""Passes in bfloat16, or pixel by pixel in memory: close to the usual ones; tails give whole passes' bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tests.edit.test_families import NETWORKS, STYLED, some_layers
from tests.published import difference, some_inputs
from unit59.foundation.passes import USUAL, Passes
from unit59.networks import Network
from unit59.networks.passes import set_passes
from unit59.segmenters.base import Segmenter
from unit59.segmenters.passes import with_passes

ROUNDED = Passes(precision="bfloat16")
BY_PIXEL = Passes(memory_format="channels_last")
BOTH = Passes("bfloat16", "channels_last")


@pytest.mark.parametrize("passes", [ROUNDED, BY_PIXEL, BOTH], ids=["bfloat16", "channels_last", "both"])
@pytest.mark.parametrize("family", NETWORKS)
@torch.no_grad()
def test_a_tail_gives_the_bits_of_the_whole_pass(family: str, passes: Passes, tmp_path: Path) -> None:
    network = NETWORKS[family](tmp_path)
    inputs, labels = some_inputs(network)
    usual = network.generate(inputs, labels)
    set_passes(network, passes)
    state = network.start(network.batch(inputs, labels))
    final, kept = network.trace(state, some_layers(network))
    found = final["image"]
    for name, each in kept.items():
        stored = each["x"].clone(memory_format=torch.contiguous_format)  # as it comes from a file
        assert torch.equal(network.run({**each, "x": stored}, after=name)["image"], found)
    assert {found.dtype, *(each["x"].dtype for each in kept.values())} == {torch.float32}
    assert difference(found, usual) < (1e-4 if passes == BY_PIXEL else 0.2)
    if passes != BY_PIXEL and family != "planted":
        assert not torch.equal(found, usual)


@pytest.mark.parametrize("family", STYLED)
def test_styles_are_those_of_the_pass(family: str, tmp_path: Path) -> None:
    network = NETWORKS[family](tmp_path)
    set_passes(network, BOTH)
    state = network.start(network.batch(*some_inputs(network)))
    whole = network.run(state)["image"]
    for layer in some_layers(network):
        styles = network.styles(layer, state)
        if styles is not None:
            assert torch.equal(network.run(network.with_styles(layer, state, styles))["image"], whole)


def test_held_statistics_are_those_of_the_pass(tmp_path: Path) -> None:
    network = NETWORKS["stylegan"](tmp_path)
    set_passes(network, BOTH)
    state = network.run(network.start(network.batch(*some_inputs(network))), until="layer2")
    held = network.held_statistics(state, "layer2")
    assert held is not None
    assert torch.equal(*(network.run(each, after="layer2")["image"] for each in (held, state)))


def test_gradients_pass_through() -> None:
    x, weight = torch.randn(1, 2, 4, 4, requires_grad=True), torch.randn(3, 2, 3, 3)
    with BOTH.computing():
        rounded = F.conv2d(BOTH.laid_out(x), weight).sum()
    found, expected = (torch.autograd.grad(each, x)[0] for each in (rounded, F.conv2d(x, weight).sum()))
    assert difference(found, expected) < 0.02


class Scores(Segmenter):
    """One linear layer over colours, and something else that no option touches."""

    planes = ("object",)
    concepts = ()

    def segment(self, images: torch.Tensor) -> torch.Tensor:
        """Whether the rounding shows."""
        scores = self.logits(images)[0]
        assert scores is not None
        return (scores.double() != images.permute(0, 2, 3, 1) @ torch.ones(3, 1)).long().permute(0, 3, 1, 2)

    def logits(self, images: torch.Tensor) -> list[torch.Tensor | None]:
        """See `Segmenter.logits`."""
        return [F.linear(images.permute(0, 2, 3, 1), torch.ones(1, 3))]


@pytest.mark.parametrize("call", [lambda s, x: s.segment(x), lambda s, x: s.logits(x)[0]])
def test_segmenters_compute_likewise(call: Callable[[Segmenter, torch.Tensor], torch.Tensor]) -> None:
    images, inner = torch.rand(2, 3, 8, 8), Scores()
    assert with_passes(inner, USUAL) is inner
    assert not torch.equal(call(with_passes(inner, ROUNDED), images), call(inner, images))
    assert torch.equal(call(with_passes(inner, BY_PIXEL), images), call(inner, images))


def test_usual_passes_leave_a_network_as_it_is(tmp_path: Path) -> None:
    network: Network = NETWORKS["dcgan"](tmp_path)
    before = dict(vars(network))
    set_passes(network, USUAL)
    assert vars(network) == before
