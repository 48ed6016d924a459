"""Growing: when which size, how far blended in, and the networks that share their weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unit59.networks import Network
from unit59.networks.base import State
from unit59.training.critic import Equalised, GrowingCritic
from unit59.training.growth import Phase, grown_image, moment, shrink
from unit59.training.weights import GrowingProGAN, GrowingStyleGAN

PHASES = [Phase(side=8, images=40, batch=4), Phase(side=16, images=64, fade=32, batch=8)]


def test_moments() -> None:
    assert moment(PHASES, 0) == moment(PHASES, 0).__class__(8, 4, 1.0, 0, 1.0)
    assert (moment(PHASES, 9).side, moment(PHASES, 9).images) == (8, 36)
    alphas = [moment(PHASES, step).alpha for step in range(10, 18)]
    assert alphas == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert moment(PHASES, 10).images == 40
    assert moment(PHASES, 17).images == 96


def test_real_pictures_are_averaged_and_blended() -> None:
    images = torch.rand(2, 3, 32, 32)
    assert torch.allclose(shrink(images, 8, 1.0), F.avg_pool2d(images, 4))
    sixteen = F.avg_pool2d(images, 2)
    eight = F.avg_pool2d(images, 4).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(shrink(images, 16, 0.25), 0.75 * eight + 0.25 * sixteen, atol=1e-6)


@pytest.fixture(params=["stylegan", "progan"])
def grown(request: pytest.FixtureRequest) -> tuple[Network, Network, State]:
    channels: list[int | Sequence[int]] = [6, (5, 4), 3]
    growing = GrowingStyleGAN(channels, 7) if request.param == "stylegan" else GrowingProGAN(channels, 7)
    raw = growing.fresh(torch.Generator().manual_seed(1))
    for side in (8, 16):
        raw[f"output.{side}.weight"].normal_(generator=torch.Generator().manual_seed(side))
    large, small = growing.network(raw, 16), growing.network(raw, 8)
    z = torch.randn(4, 7, generator=torch.Generator().manual_seed(2))
    return large, small, large.start(large.batch(z, noise=5))


def test_a_new_size_is_blended_in(grown: tuple[Network, Network, State]) -> None:
    large, small, state = grown
    fine = large.run(state)["image"]
    coarse = F.interpolate(small.run(state)["image"], scale_factor=2)
    assert torch.equal(grown_image(large, small, state, 1.0), fine)
    assert torch.allclose(grown_image(large, small, state, 0.25), 0.75 * coarse + 0.25 * fine, atol=1e-6)


def test_scaled_weights_are_the_papers_equalised_learning_rate() -> None:
    """A naive Progressive GAN of raw weights: scale at run time, double by repeating, then 3x3."""
    growing = GrowingProGAN([6, 5, 4], 7)
    raw = growing.fresh(torch.Generator().manual_seed(1))
    for name in raw:
        if name.endswith("bias") or name.startswith("output"):
            raw[name].normal_(generator=torch.Generator().manual_seed(len(name)))
    z = torch.randn(3, 7, generator=torch.Generator().manual_seed(2))

    def normed(x: Tensor) -> Tensor:
        return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()

    x = normed(z[:, :, None, None])
    for index in range(6):
        weight, bias = raw[f"blocks.{index}.weight"], raw[f"blocks.{index}.bias"]
        # The first layer is a dense one: He's constant for its inputs, with a quarter of the usual gain.
        gain = math.sqrt(2 / weight.shape[1]) / 4 if index == 0 else math.sqrt(2 / (weight.shape[1] * 9))
        if index:
            x = normed(x)
        if index in (2, 4):
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = F.leaky_relu(F.conv2d(x, weight * gain, bias, padding=1 if index else 3), 0.2)
    weight = raw["output.16.weight"]
    expected = F.conv2d(normed(x), weight / math.sqrt(weight.shape[1]), raw["output.16.bias"])
    assert torch.allclose(growing.network(raw, 16).generate(z), expected, atol=1e-5)


def test_a_fresh_stylegan_keeps_its_activations_in_bounds() -> None:
    growing = GrowingStyleGAN([32, 32, 32], 32)
    network = growing.network(growing.fresh(torch.Generator().manual_seed(1)), 16)
    z = torch.randn(16, 32, generator=torch.Generator().manual_seed(2))
    for x in network.activations(z, list(network.layers)).values():
        assert 0.5 < x.std() < 3


def test_the_critics_halving_is_convolve_then_average() -> None:
    random = torch.Generator().manual_seed(1)
    layer = Equalised(3, 5, 3, random, halves=True, padding=1)
    x = torch.randn(2, 3, 8, 8, generator=random)
    plain = F.conv2d(x, layer.weight * math.sqrt(2 / 27), padding=1)
    assert torch.allclose(layer(x), F.avg_pool2d(plain, 2) + layer.bias[:, None, None], atol=1e-5)


def test_the_critic_blends_and_sees_collapse() -> None:
    critic = GrowingCritic([4, 5, 6], torch.Generator().manual_seed(1))
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    almost = critic(images, 1e-7)
    coarse = critic(F.avg_pool2d(images, 2))
    assert torch.allclose(almost, coarse, atol=1e-4)
    same = images[:1].expand(4, -1, -1, -1)
    assert not torch.allclose(critic(same)[0], critic(images)[0], atol=1e-4)
