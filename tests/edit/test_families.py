"""For every family of networks: an empty edit changes no bit, and only what is edited changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests import tiny
from tests.edit.planting import flat_levels
from tests.planted.network import Planted
from tests.published import FIXTURES, GANDISSECT, PROGAN, STYLEGAN
from unit59.edit.edits import Edit, Levels
from unit59.edit.questions import batches
from unit59.edit.regions import EditError, Where
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.handles import Style, units_of
from unit59.networks import Network, load
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.segmenters.colours import Colours
from unit59.store import Store

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
        Store(folder),
        Sampler(network, 59, inputs=inputs),
        Colours(),
        8,
        [layer],
        None,
        {"samples": "samples", "segmentations": "segmentations"},
    )
    cache.fill(lambda _: None)
    units = network.layers[layer].units
    levels = flat_levels(torch.zeros(units), torch.full((units,), 5.0), lambda q: torch.full((units,), q))
    return Sweep.here(cache, Tail(cache, layer), levels, "test")


def style_sweep(network: Network, folder: Path, layer: str) -> Sweep:
    """Edits of a layer's style channels, whose usual values are those of the first samples."""
    cache = make_bench(network, folder, layer).cache
    tail = Tail(cache, units_of(network, network.layer(layer), Style(), f"{layer}.style"))
    values = tail.read(tail.state(range(8)))
    silent, spread = tail.units.handle.silent(values.mean(0)), tail.units.handle.shifted(values.std(0))
    return Sweep.here(cache, tail, Levels(silent, values.mean(0), spread=spread), "styles")


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
    found = [bench.group(batch).labels for batch in batches(range(8))]
    return bool((torch.cat(found) == number).any())


@pytest.mark.parametrize("family", STYLED)
def test_styles_are_a_handle(family: str, tmp_path: Path) -> None:
    network = NETWORKS[family](tmp_path)
    layer = some_layers(network)[len(some_layers(network)) // 2]
    sweep = style_sweep(network, tmp_path / "cache", layer)
    for nothing in (Edit.ablate([], "mean"), Edit(do="shift", units=(0, 1), by=0.0)):
        plain, same = sweep.pictures(nothing, range(8))
        assert torch.equal(plain, same)
    for edit in (Edit.ablate([0, 1], "mean"), Edit.ablate([0, 1]), Edit(do="shift", units=(1,), by=-8.0)):
        assert not torch.equal(sweep.pictures(edit, range(8))[1], plain)
    with pytest.raises(EditError, match="unit 10000: the layer has"):
        sweep.pictures(Edit.ablate([10_000], "mean"), range(8))


def test_silencing_a_style_of_stylegan_is_ablating_the_unit(tmp_path: Path) -> None:
    network = load(STYLEGAN)
    silent = style_sweep(network, tmp_path / "styles", "layer4").pictures(Edit.ablate([2]), range(8))[1]
    bench = make_bench(network, tmp_path / "units", "layer4")
    assert torch.equal(silent, bench.pictures(Edit.ablate([2]), range(8))[1])


def test_only_the_scale_of_a_style_moves(tmp_path: Path) -> None:
    sweep = style_sweep(load(STYLEGAN), tmp_path, "layer4")
    spread = sweep.levels.spread
    assert spread is not None
    assert spread[:, 0].all()
    assert not spread[:, 1].any()
