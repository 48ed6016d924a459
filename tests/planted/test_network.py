"""The planted networks are what they say: the tests of the measurements stand on them."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.planted.network import CELL, Planted
from tests.planted.segmenter import PlantedSegmenter
from tests.planted.things import THINGS

NETWORK, SEGMENTER = Planted(), PlantedSegmenter()
Z = torch.randn(64, NETWORK.latent_size, generator=torch.Generator().manual_seed(1))


def shown(units_off: tuple[int, ...]) -> set[str]:
    """The things that the pictures still show with some units of layer1 off."""
    state = NETWORK.run(NETWORK.start(NETWORK.batch(Z, noise=3)), until="layer1")
    x = state["x"].clone()
    x[:, list(units_off)] = 0
    found = SEGMENTER.segment(NETWORK.run({**state, "x": x}, after="layer1")["image"])
    return {THINGS[int(number) - 1].name for number in set(found.flatten().tolist()) if number}


def names(*without: str) -> set[str]:
    return {thing.name for thing in THINGS} - set(without)


def test_segmentation_is_exact_under_any_noise() -> None:
    scene = NETWORK.scene(Z)
    numbers = torch.arange(1, len(THINGS) + 1)[:, None, None]
    wanted = (scene * numbers).sum(1).long().repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)
    for noise in ("const", "none", 7):
        assert torch.equal(SEGMENTER.segment(NETWORK.generate(Z, noise=noise))[:, 0], wanted)


def test_noise_is_part_of_the_sample() -> None:
    plain = NETWORK.generate(Z, noise="none")
    assert not torch.equal(NETWORK.generate(Z, noise=7), plain)
    assert torch.equal(NETWORK.generate(Z, noise=7)[3:5], NETWORK.generate(Z[3:5], noise=[10, 11]))


def test_each_rule_does_what_it_says() -> None:
    assert shown(()) == names()
    assert shown((5,)) == names("lamp")
    assert shown((2,)) == shown((9,)) == shown((2, 9)) == names("bed")
    assert shown((7,)) == shown((11,)) == names()
    assert shown((7, 11)) == names("rug")
    assert shown((13,)) == names("clock")
    assert shown(tuple(range(16, 21))) == names()
    assert shown(tuple(range(16, 22))) == names("wall")
    assert shown(tuple(range(32))) == {"window"}


def test_the_remote_cause_does_not_agree_and_the_idle_unit_does() -> None:
    x = NETWORK.activations(Z, ["layer1"])["layer1"]
    scene = NETWORK.scene(Z)

    def overlap(unit: int, thing: int) -> Tensor:
        return (x[:, unit] * scene[:, thing]).sum()

    assert overlap(13, 4) == 0
    assert overlap(3, 5) == scene[:, 5].sum()
    assert torch.equal(x[:, 0].flatten(1).argmax(1), torch.full((64,), 17))
