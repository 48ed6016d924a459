"""pix2pix: the official outputs, other options against torch's own modules, damaged files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.networks.contract import check_batches, check_resumes, check_saves
from tests.networks.unet import random_unet
from tests.published import FIXTURES, difference, references
from unit59.checkpoints import Checkpoint, CheckpointError
from unit59.networks import NetworkError, load, pix2pix
from unit59.networks.pix2pix import Pix2Pix

torch.set_num_threads(1)
FILE = FIXTURES / "pix2pix" / "unet256_batch_dropout_latest_net_G.pth"
FULL_SIZE = FIXTURES / "pix2pix" / "pix2pix_unet256_batch_ngf64.json"
OFFICIAL = references(FIXTURES / "pix2pix" / "unet256_batch_dropout.npz")
X = OFFICIAL["x"]


def loaded(path: Path) -> Pix2Pix:
    network = load(path)
    assert isinstance(network, Pix2Pix)
    return network


@pytest.fixture
def network() -> Pix2Pix:
    return loaded(FILE)


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def written(path: Path, tensors: dict[str, Tensor], **options: Any) -> Path:
    torch.save(tensors, path, **options)
    return path


def test_pictures_are_the_official_ones(network: Pix2Pix) -> None:
    assert network.mode == "eval"
    assert difference(network.generate(X), OFFICIAL["y_eval"]) < 1e-4


def test_official_test_mode_without_dropout(network: Pix2Pix) -> None:
    network.mode = "official-test"
    found = network.generate(X, noise="none")
    assert difference(found, OFFICIAL["y_trainmode_dropout0_batch1"]) < 1e-4
    assert difference(found, OFFICIAL["y_eval"]) > 0.1
    assert difference(network.generate(X), found) > 0.01


def test_activations_are_the_official_ones(network: Pix2Pix) -> None:
    names = {layer.path: layer.name for layer in network.layers.values()}
    expected = {
        names[path]: value
        for key, value in OFFICIAL.items()
        if key.startswith("act_") and (path := key.partition("__")[2]) in names
    }
    assert len(expected) == 9
    for name, value in network.activations(X, list(expected)).items():
        assert difference(value, expected[name]) < 1e-4, name


def test_the_full_size_network_has_the_reported_layers() -> None:
    shapes = json.loads(FULL_SIZE.read_text("utf-8"))
    tensors = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    network = pix2pix.build(Checkpoint(FULL_SIZE, "torch-zip", tensors))
    down = [(64, 128), (128, 64), (256, 32), (512, 16), (512, 8), (512, 4), (512, 2), (512, 1)]
    up = [(512, 2), (512, 4), (512, 8), (512, 16), (256, 32), (128, 64), (64, 128), (3, 256)]
    found = [(layer.units, layer.height) for layer in network.layers.values()]
    assert found == down + up
    assert list(network.layers) == [f"layer{number}" for number in range(1, 17)]
    deeper = ".model.3"
    assert network.layers["layer5"].path == "model.model.1" + 3 * deeper + ".model.1"
    assert network.layers["layer9"].path == "model.model.1" + 6 * deeper + ".model.3"
    assert network.layers["layer12"].path == "model.model.1" + 3 * deeper + ".model.5"


@pytest.mark.parametrize("mode", ["eval", "official-test"])
def test_each_layer_resumes(mode: pix2pix.Mode, tmp_path: Path, pictures: Tensor) -> None:
    network = loaded(written(tmp_path / "net.pth", random_unet().state_dict()))
    network.mode = mode
    check_resumes(network, pictures, noise=4)
    check_batches(network, pictures)
    again = check_saves(network, tmp_path, pictures, noise=4)
    assert isinstance(again, Pix2Pix)
    assert again.mode == mode


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("levels", [2, 5, 6])
def test_any_depth_and_norm(norm: str, levels: int, tmp_path: Path, pictures: Tensor) -> None:
    reference = random_unet(levels, 4, norm, dropout=0)
    network = loaded(written(tmp_path / "net.pth", reference.state_dict()))
    assert len(network.layers) == 2 * levels
    assert network.resolution == (2**levels, 2**levels)
    assert difference(network.generate(pictures), reference(pictures)) < 1e-5
    network.mode = "official-test"
    alone = torch.cat([reference.train()(picture[None]) for picture in pictures])
    assert difference(network.generate(pictures, noise="none"), alone) < 1e-5


def test_pictures_of_other_sizes(tmp_path: Path) -> None:
    reference = random_unet(5)
    network = loaded(written(tmp_path / "net.pth", reference.state_dict()))
    x = torch.rand(1, 3, 32, 96)
    assert difference(network.generate(x), reference(x)) < 1e-5
    assert network.activations(x, ["layer1"])["layer1"].shape == (1, 4, 16, 48)


def test_grey_pictures_come_out_as_three_equal_channels(tmp_path: Path) -> None:
    reference = random_unet(5, colours=(2, 1))
    network = loaded(written(tmp_path / "net.pth", reference.state_dict()))
    x = torch.rand(1, 2, 32, 32)
    assert difference(network.generate(x), reference(x).repeat(1, 3, 1, 1)) < 1e-5


@pytest.mark.parametrize("zipped", [True, False])
def test_older_files(zipped: bool, tmp_path: Path, pictures: Tensor) -> None:
    """Wrapped in DataParallel, without counters, in either container."""
    reference = random_unet()
    tensors = {
        f"module.{name}": value
        for name, value in reference.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    file = written(tmp_path / "net.pth", tensors, _use_new_zipfile_serialization=zipped)
    assert difference(loaded(file).generate(pictures), reference(pictures)) < 1e-5


def test_old_statistics_of_instance_norms_are_dropped(tmp_path: Path, pictures: Tensor) -> None:
    reference = random_unet(norm="instance")
    tensors = dict(reference.state_dict())
    for name in [name for name in tensors if name.endswith("model.1.bias")][1:]:
        norm = name.replace("model.1.bias", "model.2")
        units = len(tensors[name])
        tensors |= {f"{norm}.running_mean": torch.ones(units), f"{norm}.running_var": torch.ones(units)}
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(1)
    network = loaded(written(tmp_path / "net.pth", tensors))
    assert difference(network.generate(pictures), reference(pictures)) < 1e-5


def test_dropout_belongs_to_the_picture(network: Pix2Pix) -> None:
    network.mode = "official-test"
    x = X.repeat(2, 1, 1, 1)
    seeded = network.generate(x, noise=[3, 4])
    assert not torch.allclose(seeded[0], seeded[1])
    assert difference(network.generate(X, noise=4), seeded[1:]) < 1e-5
    const = network.generate(x)
    assert difference(const[:1], const[1:]) < 1e-5
    masks = network.start(network.batch(x, noise=3))["dropout"]
    assert {level: tuple(mask.shape) for level, mask in masks.items()} == {
        5: (2, 32, 16, 16),
        6: (2, 32, 8, 8),
        7: (2, 32, 4, 4),
    }
    kept = torch.cat([mask.flatten() for mask in masks.values()])
    assert set(kept.tolist()) == {0.0, 2.0}
    assert abs(float(kept.mean()) - 1) < 0.05
    network.mode = "eval"
    assert torch.equal(network.generate(X, noise=3), network.generate(X))


def test_dropout_acts_where_the_official_network_has_it(tmp_path: Path, pictures: Tensor) -> None:
    """torch's own dropout, its random masks replaced by ours."""
    reference = random_unet(7)
    network = loaded(written(tmp_path / "net.pth", reference.state_dict()))
    network.mode = "official-test"
    x = torch.nn.functional.interpolate(pictures[:1], size=(128, 128))
    masks = network.start(network.batch(x, noise=9))["dropout"]
    found = [module for module in reference.modules() if isinstance(module, torch.nn.Dropout)]
    assert len(found) == len(masks) == 2
    for module, mask in zip(found, reversed(masks.values()), strict=True):  # the innermost comes first
        module.register_forward_hook(lambda _module, inputs, _output, mask=mask: inputs[0] * mask)
    assert difference(network.generate(x, noise=9), reference.train()(x)) < 1e-5


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        ((1, 4, 256, 256), r"\[N,3,H,W\]"),
        ((3, 256, 256), r"\[N,3,H,W\]"),
        ((1, 3, 200, 256), "multiples of 256"),
        ((1, 3, 128, 128), "multiples of 256"),
        ((1, 3, 0, 0), "multiples of 256"),
    ],
)
def test_pictures_that_do_not_fit(shape: tuple[int, ...], named: str, network: Pix2Pix) -> None:
    with pytest.raises(NetworkError, match=named):
        network.generate(torch.zeros(shape))


def test_an_unknown_mode(network: Pix2Pix) -> None:
    with pytest.raises(NetworkError, match="'eval' or 'official-test'"):
        network.mode = "train"  # type: ignore[assignment]  # what is to be refused


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_each_missing_misshapen_or_unknown_tensor_is_named(norm: str, tmp_path: Path) -> None:
    tensors = dict(random_unet(5, norm=norm).state_dict())
    for name, value in tensors.items():
        if name.endswith("num_batches_tracked"):
            continue
        without = {other: kept for other, kept in tensors.items() if other != name}
        with pytest.raises(CheckpointError, match=f"net.pth: .*{name}'? is missing"):
            load(written(tmp_path / "net.pth", without))
        first, *rest = value.shape
        wide = {**tensors, name: torch.zeros(first + 1, *rest)}
        with pytest.raises(CheckpointError, match=r"net\.pth: .*tensor"):
            load(written(tmp_path / "net.pth", wide))
    more = {**tensors, "model.model.1.model.9.weight": torch.zeros(3)}
    with pytest.raises(CheckpointError, match=r"model\.model\.1\.model\.9\.weight"):
        load(written(tmp_path / "net.pth", more))


def test_absurd_depth_is_refused(tmp_path: Path) -> None:
    tensors = {"model.model.1" + ".model.3" * 100_000 + ".model.1.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match="levels"):
        load(written(tmp_path / "net.pth", tensors))
