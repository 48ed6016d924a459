"""StyleGAN3: the official outputs, other options against a slow reference, damaged files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks import naive
from tests.networks.contract import check_batches, check_flips, check_resumes, check_saves
from tests.networks.persistence import (
    stylegan3_attributes,
    stylegan3_official,
    stylegan3_weights,
    write_pickle,
)
from tests.published import FIXTURES, difference, references
from unit59.checkpoints import CheckpointError
from unit59.networks import NetworkError, load
from unit59.networks.stylegan3 import StyleGAN3, StyleGAN3Settings

torch.set_num_threads(1)
FILE = FIXTURES / "stylegan3" / "sg3t_res64.pkl"
OFFICIAL = references(FILE.with_suffix(".npz"))
Z = OFFICIAL["z"]


@pytest.fixture(scope="module")
def network() -> StyleGAN3:
    loaded = load(FILE)
    assert isinstance(loaded, StyleGAN3)
    return loaded


@pytest.mark.parametrize(
    ("reference", "options"),
    [
        ("images_psi1_noise_const", {}),
        ("images_psi1_noise_none", {"noise": "none"}),
        ("images_psi0.7_noise_const", {"psi": 0.7, "noise": 3}),
    ],
)
def test_pictures_are_the_official_ones(network: StyleGAN3, reference: str, options: dict[str, Any]) -> None:
    assert difference(network.generate(Z, OFFICIAL["c"], **options), OFFICIAL[reference]) < 1e-4


def test_pictures_are_those_of_the_averaged_network(network: StyleGAN3) -> None:
    assert difference(network.generate(Z), OFFICIAL["images_G_instantaneous_psi1_noise_const"]) > 0.1


def test_bytes_are_the_official_ones(network: StyleGAN3) -> None:
    images = network.generate(Z, psi=0.7).permute(0, 2, 3, 1)
    found = (images * 127.5 + 128).clamp(0, 255).to(torch.uint8).int()
    levels = (found - OFFICIAL["images_uint8_psi0.7_noise_const_nhwc"].int()).abs()
    assert levels.max() <= 1
    assert (levels > 0).sum() <= 5


def test_activations_are_the_official_ones(network: StyleGAN3) -> None:
    expected = {name[4:]: value for name, value in OFFICIAL.items() if name.startswith("act_")}
    found = network.activations(Z[:1], list(expected))
    for name, value in expected.items():
        assert difference(found[name], value) < 1e-4, name
    assert network.layers["L7_52_25"].path == "synthesis.L7_52_25"
    assert list(network.layers)[:2] == ["input", "L0_36_32"]


@pytest.mark.parametrize(
    ("reference", "psi", "cutoff"),
    [("w_psi1", 1, None), ("w_psi0.7", 0.7, None), ("w_psi0.5_cutoff3", 0.5, 3)],
)
def test_latents_are_the_official_ones(
    network: StyleGAN3, reference: str, psi: float, cutoff: int | None
) -> None:
    assert (
        difference(network.start(network.batch(Z, psi=psi, cutoff=cutoff))["w"], OFFICIAL[reference]) < 1e-5
    )


def test_the_picture_moves_as_officially() -> None:
    network = load(FILE)
    assert isinstance(network, StyleGAN3)
    network.get_buffer("synthesis.input.transform").copy_(OFFICIAL["transform"])
    assert difference(network.generate(Z), OFFICIAL["images_psi1_transformed"]) < 1e-4


def test_each_layer_resumes(network: StyleGAN3) -> None:
    check_resumes(network, Z)


def test_a_sample_does_not_depend_on_its_batch(network: StyleGAN3) -> None:
    check_batches(network, Z)


def test_it_is_the_same_after_saving(network: StyleGAN3, tmp_path: Path) -> None:
    check_saves(network, tmp_path, Z)


def test_it_asks_for_what_it_takes(network: StyleGAN3) -> None:
    with pytest.raises(NetworkError, match=r"z \[N, 32\]"):
        network.generate(torch.zeros(2, 31))
    with pytest.raises(NetworkError, match="'const', 'none'"):
        network.generate(Z, noise="random")  # type: ignore[arg-type]  # what is to be refused


# ---- other options


def layer(name: str, **values: Any) -> dict[str, Any]:
    given = {
        "to_rgb": False,
        "clamp": 256,
        "up": 2,
        "down": 2,
        "up_taps": 12,
        "down_taps": 12,
        "radial": False,
        "padding": (9, 8, 9, 8),
        "size": int(name.split("_")[1]),
    }
    return {"name": name, **given, **values}


TO_RGB = {"to_rgb": True, "up": 1, "down": 1, "up_taps": 1, "down_taps": 1, "padding": (0, 0, 0, 0)}


def random_settings(layers: list[dict[str, Any]], **mapping: Any) -> StyleGAN3Settings:
    return StyleGAN3Settings.model_validate(
        {
            "mapping": {"latent_size": 6, "label_size": 0, "layers": 2, **mapping},
            "input": {"size": 10, "sampling_rate": 8.0, "bandwidth": 1.5},
            "layers": layers,
            "resolution": layers[-1]["size"],
            "output_scale": 0.5,
        }
    )


#: What differs between the configurations: t has 3x3 kernels and separable filters, r 1x1 and radial ones.
ROTATION = random_settings(
    [
        layer("L0_10_5", radial=True, padding=(11, 10, 11, 10), clamp=0.9),
        layer("L1_16_4", radial=True, up=4, up_taps=24, padding=(14, 11, 14, 11), clamp=None),
        layer("L2_12_4", up_taps=6, down_taps=6, padding=(1, 1, 1, 1)),
        layer("L3_12_3", **TO_RGB),
    ],
    label_size=3,
)
TRANSLATION = random_settings([layer("L0_10_4"), layer("L1_10_3", **{**TO_RGB, "clamp": 0.5})])


@pytest.mark.parametrize(("settings", "kernel"), [(ROTATION, 1), (TRANSLATION, 3)], ids=["r", "t"])
def test_other_options_match_a_slow_reference(
    settings: StyleGAN3Settings, kernel: int, tmp_path: Path
) -> None:
    tensors = stylegan3_weights(settings, waves=7, kernel=kernel, w_size=8)
    network = load(write_pickle(tmp_path / "made.pkl", tensors, stylegan3_attributes(settings)))
    assert isinstance(network, StyleGAN3)
    assert network.settings == settings
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(1))
    labels = torch.eye(3)[:2] if network.label_size else None
    found = {**network.activations(z, list(network.layers), labels), "image": network.generate(z, labels)}
    for row in range(2):
        label = None if labels is None else labels[row].double().numpy()
        expected = naive.stylegan3(tensors, settings, z[row].double().numpy(), label)
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            assert difference(found[name][row].double(), torch.from_numpy(np.array(value))) < 2e-5, name
    check_resumes(network, z, labels=labels)
    check_batches(network, z, labels=labels)
    check_saves(network, tmp_path, z, labels=labels)


# ---- files that do not fit


@pytest.mark.parametrize(
    ("module", "attribute", "value", "named"),
    [
        ("synthesis", "img_resolution", 32, "side is 12"),
        ("synthesis", "layer_names", 3, "layer_names"),
        ("synthesis", "layer_names", ["L0_10_5", "L9_9_9"], "L9_9_9"),
        ("synthesis", "layer_names", [], "layers"),
        ("synthesis", "output_scale", float("inf"), "output_scale"),
        ("synthesis.input", "size", np.array([10, 12]), "square"),
        ("synthesis.input", "size", np.zeros(100), "array of 100"),
        ("synthesis.input", "size", 1 << 50, "size"),
        ("synthesis.input", "size", 11, "L0_10_5"),
        ("synthesis.L1_16_4", "up_factor", 1 << 30, "up"),
        ("synthesis.L1_16_4", "up_factor", 0, "up"),
        ("synthesis.L1_16_4", "conv_clamp", 1e300, "clamp"),
        ("synthesis.L1_16_4", "padding", [0, 0, 0], "padding"),
        ("synthesis.L1_16_4", "padding", [10**9, 0, 0, 0], "padding"),
        ("synthesis.L1_16_4", "out_size", np.array([17, 17]), "L1_16_4"),
        ("synthesis.L1_16_4", "up_taps", 12, "L1_16_4"),
        ("synthesis.L1_16_4", "down_radial", False, "down_filter"),
        ("synthesis.L3_12_3", "is_torgb", None, "to_rgb"),
        ("mapping", "z_dim", 7, "mapping.fc0.weight"),
    ],
)
def test_a_wrong_attribute_is_named(
    module: str, attribute: str, value: Any, named: str, tmp_path: Path
) -> None:
    attributes = stylegan3_attributes(ROTATION)
    attributes[module][attribute] = value
    tensors = stylegan3_weights(ROTATION, waves=7, kernel=1, w_size=8)
    with pytest.raises(CheckpointError, match=f"made.pkl: .*{named}") as error:
        load(write_pickle(tmp_path / "made.pkl", tensors, attributes))
    assert "do not make a network" not in str(error.value)


def test_each_missing_or_misshapen_tensor_is_named(tmp_path: Path) -> None:
    attributes = stylegan3_attributes(ROTATION)
    tensors = stylegan3_weights(ROTATION, waves=7, kernel=1, w_size=8)
    for name in tensors:
        without = {other: value for other, value in tensors.items() if other != name}
        with pytest.raises(CheckpointError, match=f"{name}'? is missing"):
            load(write_pickle(tmp_path / "made.pkl", without, attributes))
        first, *rest = tensors[name].shape or [1]
        wide = {**tensors, name: torch.zeros(first + 1, *rest)}
        with pytest.raises(CheckpointError, match=r"made.pkl: .*(tensor '|layer)"):
            load(write_pickle(tmp_path / "made.pkl", wide, attributes))


def test_a_changed_byte_is_an_error_or_another_network(tmp_path: Path) -> None:
    tensors = stylegan3_weights(ROTATION, waves=7, kernel=1, w_size=8)
    check_flips(write_pickle(tmp_path / "made.pkl", tensors, stylegan3_attributes(ROTATION)), 120)


@pytest.mark.parametrize(("rotation", "named"), [(False, "L7_148_362"), (True, "L7_148_724")], ids=["t", "r"])
def test_the_official_sizes_at_256(rotation: bool, named: str, tmp_path: Path) -> None:
    """The picture lies inside the maps: what is left of each without its margin is its sampling rate."""
    settings = stylegan3_official(256, rotation=rotation)
    units = {int(layer.name.split("_")[2]) for layer in settings.layers[:3]}
    assert units == {1024 if rotation else 512}
    tensors = stylegan3_weights(settings, 8, 1 if rotation else 3, w_size=8)
    assert settings.layers[7].name == named
    network = load(write_pickle(tmp_path / "official.pkl", tensors, stylegan3_attributes(settings)))
    sides = {layer.name.split("_")[0]: layer.height - 2 * layer.margin for layer in network.layers.values()}
    assert [sides[name] for name in ("input", "L3", "L5", "L7", "L10", "L14")] == [16, 32, 64, 128, 256, 256]
    assert {layer.margin for layer in network.layers.values()} == {0, 10}


@pytest.mark.parametrize("name", ["L5_52_32", "L9_84_16", "L12_84_8"])
@pytest.mark.parametrize(("down", "right"), [(0.25, 0.25), (0.5, 0.75)])
@torch.no_grad()
def test_the_picture_lies_inside_the_margins(
    network: StyleGAN3, name: str, down: float, right: float
) -> None:
    """What is changed at a place of the map, counted without its margin, changes the picture there."""
    layer = network.layers[name]
    inner = layer.height - 2 * layer.margin
    row, column = int(inner * down), int(inner * right)
    state = network.run(network.start(network.batch(Z[:1])), until=name)
    x = state["x"].clone()
    x[:, :, layer.margin + row, layer.margin + column] += 20
    images = [network.run({**state, "x": each}, after=name)["image"] for each in (state["x"], x)]
    change = (images[1] - images[0]).abs().sum((0, 1)).square()
    steps = (torch.arange(64) + 0.5) / 64
    found = [float((change.sum(1 - axis) * steps).sum() / change.sum()) for axis in (0, 1)]
    assert found == pytest.approx([(row + 0.5) / inner, (column + 0.5) / inner], abs=0.06)
