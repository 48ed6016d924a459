"""For every family of networks: an empty edit changes no bit, and only what is edited changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests import tiny
from tests.published import FIXTURES, GANDISSECT, PROGAN, STYLEGAN
from unit59.edit.edits import Edit, EditError, Levels, Where
from unit59.edit.sweep import Sweep
from unit59.handles.styles import StyleEdit
from unit59.networks import Network, load
from unit59.networks.planted import Planted
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.segmenters.colours import Colours

STYLEGAN2 = FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl"
STYLEGAN3 = FIXTURES / "stylegan3" / "sg3t_res64.pkl"
PIX2PIX = FIXTURES / "pix2pix" / "unet256_batch_dropout_latest_net_G.pth"


class Noisy:
    """Inputs of a picture-to-picture network."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def __len__(self) -> int:
        return 8

    def load(self, numbers: Sequence[int]) -> Tensor:
        """Smooth noise, one picture a number."""
        made = [torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(number)) for number in numbers]
        return torch.nn.functional.interpolate(torch.stack(made).clamp(-1, 1), size=self.size)

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """Unused here."""
        return str(numbers)


def dcgan(folder: Path) -> Network:
    torch.save({"netG_state_dict": tiny.tensors()}, folder / "tiny.pth")
    return load(folder / "tiny.pth")


NETWORKS: dict[str, Callable[[Path], Network]] = {
    "planted": lambda _: Planted(),
    "dcgan": dcgan,
    "own": lambda _: load("tests.networks.own_modules:Skipping"),
    "progan": lambda _: load(PROGAN),
    "progan of GANDissect": lambda _: load(GANDISSECT),
    "stylegan": lambda _: load(STYLEGAN),
    "stylegan2": lambda _: load(STYLEGAN2),
    "stylegan3": lambda _: load(STYLEGAN3),
    "pix2pix": lambda _: load(PIX2PIX),
}
STYLED = ("stylegan", "stylegan2", "stylegan3")


def make_bench(network: Network, folder: Path, layer: str) -> Sweep:
    inputs = Noisy(network.resolution) if network.takes == "image" else None
    cache = SampleCache(
        folder,
        Sampler(network, 59, inputs=inputs),
        Colours(),
        8,
        [layer],
        None,
        {"samples": "samples", "segmentations": "segmentations"},
    )
    cache.fill(lambda _: None)
    units = network.layers[layer].units
    levels = Levels(torch.zeros(units), torch.full((units,), 5.0), lambda q: torch.full((units,), q))
    return Bench(cache, layer, levels, "test")


def some_layers(network: Network) -> list[str]:
    names = list(network.layers)
    if network.family in {"stylegan3", "pix2pix"}:  # slow on a CPU: one of their layers, near the end
        return [names[-3]]
    return list(dict.fromkeys([names[0], names[len(names) // 2], names[-1]]))


@pytest.mark.parametrize("family", NETWORKS)
def test_an_empty_edit_changes_no_bit(family: str, tmp_path: Path) -> None:
    network = NETWORKS[family](tmp_path)
    changed = []
    for layer in some_layers(network):
        bench = make_bench(network, tmp_path / layer.replace("/", "-"), layer)
        plain, same = bench.pictures(Edit.ablate([]), range(8))
        assert torch.equal(plain, same)
        sampler = bench.cache.sampler
        assert torch.equal(plain, network.run(sampler.start(range(8)))["image"])
        # Through the whole tail with a copy of the activation, and edited nowhere.
        for nothing in (
            Edit(do="scale", units=(0, 1), factor=1.0),
            Edit.insert([0, 1], where=Where(concept="purple")) if not purple(bench) else Edit.ablate([]),
        ):
            assert torch.equal(bench.pictures(nothing, range(8))[1], plain)
        every = range(network.layers[layer].units)
        changed.append(not torch.equal(bench.pictures(Edit.insert(every), range(8))[1], plain))
    assert any(changed)


def purple(bench: Sweep) -> bool:
    number = [concept.name for concept in bench.cache.segmenter.concepts].index("purple") + 1
    return bool((bench.labels(None, range(8)) == number).any())


@pytest.mark.parametrize("family", STYLED)
def test_styles_are_a_handle(family: str, tmp_path: Path) -> None:
    network = NETWORKS[family](tmp_path)
    layer = some_layers(network)[len(some_layers(network)) // 2]
    bench = make_bench(network, tmp_path / "cache", layer)
    for nothing in (StyleEdit(do="neutral"), StyleEdit(do="shift", channels=(0, 1), by=0.0)):
        plain, same = bench.pictures(nothing, range(8))
        assert torch.equal(plain, same)
    for edit in (
        StyleEdit(do="neutral", channels=(0, 1)),
        StyleEdit(do="silence", channels=(0, 1)),
        StyleEdit(do="shift", channels=(1,), by=-8.0),
    ):
        assert not torch.equal(bench.pictures(edit, range(8))[1], plain)
    with pytest.raises(EditError, match="style channel 10000"):
        bench.pictures(StyleEdit(do="neutral", channels=(10_000,)), range(8))


def test_silencing_a_style_of_stylegan_is_ablating_the_unit(tmp_path: Path) -> None:
    bench = make_bench(load(STYLEGAN), tmp_path, "layer4")
    silent = bench.pictures(StyleEdit(do="silence", channels=(2,)), range(8))[1]
    assert torch.equal(silent, bench.pictures(Edit.ablate([2]), range(8))[1])


def test_a_network_without_styles_says_so(tmp_path: Path) -> None:
    bench = make_bench(dcgan(tmp_path), tmp_path / "cache", "layer2")
    with pytest.raises(EditError, match="no style channels"):
        bench.pictures(StyleEdit(do="neutral", channels=(0,)), range(8))


def test_an_offset_is_stylegans_alone(tmp_path: Path) -> None:
    bench = make_bench(load(STYLEGAN2), tmp_path, "b8.conv0")
    with pytest.raises(EditError, match="no offset"):
        bench.pictures(StyleEdit(do="shift", channels=(0,), by=1.0, part="offset"), range(8))
