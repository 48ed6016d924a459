"""StyleGAN2: the official outputs, other options against a slow reference, damaged files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.networks import naive
from tests.networks.contract import check_batches, check_flips, check_resumes, check_saves
from tests.networks.persistence import stylegan2_attributes, stylegan2_weights, write_pickle
from tests.published import FIXTURES, difference, references
from unit59.checkpoints import CheckpointError
from unit59.networks import NetworkError, load
from unit59.networks.stylegan2 import StyleGAN2
from unit59.networks.stylegan2_blocks import StyleGAN2Settings

torch.set_num_threads(1)
FILE = FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl"
MALICIOUS = FIXTURES / "stylegan2ada" / "MALICIOUS_module_src.pkl"
OFFICIAL = references(FILE.with_suffix(".npz"))
Z = OFFICIAL["z"]


@pytest.fixture(scope="module")
def network() -> StyleGAN2:
    loaded = load(FILE)
    assert isinstance(loaded, StyleGAN2)
    return loaded


@pytest.mark.parametrize(
    ("reference", "options"),
    [
        ("images_psi1_noise_const", {}),
        ("images_psi1_noise_none", {"noise": "none"}),
        ("images_psi0.7_noise_const", {"psi": 0.7}),
        ("images_psi1_noise_const_fusedmodconvFalse", {}),
    ],
)
def test_pictures_are_the_official_ones(network: StyleGAN2, reference: str, options: dict[str, Any]) -> None:
    assert difference(network.generate(Z, OFFICIAL["c"], **options), OFFICIAL[reference]) < 1e-4


def test_pictures_are_those_of_the_averaged_network(network: StyleGAN2) -> None:
    assert difference(network.generate(Z), OFFICIAL["images_G_instantaneous_psi1_noise_const"]) > 0.1
    assert difference(network.generate(Z, noise="none"), OFFICIAL["images_psi1_noise_const"]) > 1e-3


def test_bytes_are_the_official_ones(network: StyleGAN2) -> None:
    images = network.generate(Z, psi=0.7).permute(0, 2, 3, 1)
    found = (images * 127.5 + 128).clamp(0, 255).to(torch.uint8).int()
    levels = (found - OFFICIAL["images_uint8_psi0.7_noise_const_nhwc"].int()).abs()
    assert levels.max() <= 1
    assert (levels > 0).sum() <= 5


def test_activations_are_the_official_ones(network: StyleGAN2) -> None:
    expected = {name[4:]: value for name, value in OFFICIAL.items() if name.startswith("act_")}
    found = network.activations(Z[:1], list(expected))
    assert set(expected) == set(network.layers)
    for name, value in expected.items():
        assert difference(found[name], value) < 1e-4, name
        assert network.layers[name].path == f"synthesis.{name}"


@pytest.mark.parametrize(
    ("reference", "psi", "cutoff"),
    [("w_psi1", 1, None), ("w_psi0.7", 0.7, None), ("w_psi0.5_cutoff3", 0.5, 3)],
)
def test_latents_are_the_official_ones(
    network: StyleGAN2, reference: str, psi: float, cutoff: int | None
) -> None:
    assert (
        difference(network.start(network.batch(Z, psi=psi, cutoff=cutoff))["w"], OFFICIAL[reference]) < 1e-5
    )


def test_each_layer_resumes(network: StyleGAN2) -> None:
    check_resumes(network, Z, noise=3)


def test_a_sample_does_not_depend_on_its_batch(network: StyleGAN2) -> None:
    check_batches(network, Z, psi=0.7)


def test_it_is_the_same_after_saving(network: StyleGAN2, tmp_path: Path) -> None:
    check_saves(network, tmp_path, Z, noise=5)


def test_seeded_noise_belongs_to_the_sample(network: StyleGAN2) -> None:
    counted = network.generate(Z, noise=7)
    assert torch.equal(counted, network.generate(Z, noise=[7, 8, 9]))
    assert difference(network.generate(Z[1:2], noise=8), counted[1:2]) < 1e-5
    assert difference(network.generate(Z, noise=8), counted) > 1e-3
    first = network.start(network.batch(Z, noise=7))["noise"]
    assert not torch.equal(first["b8.conv0"], first["b8.conv1"])


def test_a_changed_style_changes_what_follows(network: StyleGAN2) -> None:
    state = network.run(network.start(network.batch(Z)), until="b8.conv0")
    factors = torch.ones(32).index_fill(0, torch.tensor([5]), 4.0)  # one channel: demodulation cancels all
    styles = {**state["styles"], "b16.conv0": state["styles"]["b16.conv0"] * factors}
    before = network.run(state, after="b8.conv0", until="b8.torgb")["x"]
    changed = network.run({**state, "styles": styles}, after="b8.conv0", until="b8.torgb")
    assert torch.equal(changed["x"], before)
    image = network.run(changed, after="b8.torgb")["image"]
    assert difference(image, network.generate(Z)) > 1e-2


def test_it_asks_for_what_it_takes(network: StyleGAN2) -> None:
    with pytest.raises(NetworkError, match=r"z \[N, 32\]"):
        network.generate(torch.zeros(2, 31))
    with pytest.raises(NetworkError, match="no labels"):
        network.generate(Z, torch.ones(3, 2))
    with pytest.raises(NetworkError, match=r"no layer .b8\.conv2"):
        network.activations(Z, ["b8.conv2"])


# ---- other options


def random_settings(**values: Any) -> StyleGAN2Settings:
    mapping = {"latent_size": 6, "label_size": 0, "layers": 2, **values.pop("mapping", {})}
    given = {"resolution": 16, "architecture": "skip", "activation": "lrelu", "clamp": None, "noise": True}
    return StyleGAN2Settings.model_validate({**given, **values, "mapping": mapping})


SETTINGS = [
    random_settings(clamp=0.75),
    random_settings(architecture="resnet", clamp=0.75, mapping={"label_size": 3}),
    random_settings(architecture="orig", activation="relu", noise=False, mapping={"layers": 1, "rate": 1.0}),
    random_settings(resolution=4, activation="tanh", mapping={"layers": 5, "activation": "linear"}),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.architecture)
def test_other_options_match_a_slow_reference(settings: StyleGAN2Settings, tmp_path: Path) -> None:
    tensors = stylegan2_weights(settings, [5, 4, 3][: len(settings.sides)], w_size=7)
    network = load(write_pickle(tmp_path / "made.pkl", tensors, stylegan2_attributes(settings)))
    assert isinstance(network, StyleGAN2)
    assert network.settings == settings
    check_against_reference(network, tensors)
    z, labels = inputs_of(network)
    check_resumes(network, z, labels=labels)
    check_saves(network, tmp_path, z, labels=labels)


def test_a_file_with_hostile_source_loads_and_runs_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its network is conditional and residual, with z, w and channels of different sizes."""
    monkeypatch.chdir(tmp_path)
    network = load(MALICIOUS)
    assert isinstance(network, StyleGAN2)
    check_against_reference(network, dict(network.state_dict()))
    z, labels = inputs_of(network)
    check_batches(network, z, labels=labels)
    assert (network.latent_size, network.label_size) == (24, 5)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NetworkError, match=r"labels \[2, 5\]"):
        network.generate(z)


def inputs_of(network: StyleGAN2) -> tuple[torch.Tensor, torch.Tensor | None]:
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, network.latent_size, generator=generator)
    labels = torch.eye(max(network.label_size, 2))[:2] if network.label_size else None
    return z, labels


def check_against_reference(network: StyleGAN2, tensors: dict[str, torch.Tensor]) -> None:
    z, labels = inputs_of(network)
    found = {
        **network.activations(z, list(network.layers), labels),
        "image": network.generate(z, labels),
    }
    for row in range(len(z)):
        label = None if labels is None else labels[row].double().numpy()
        expected = naive.stylegan2(
            tensors, network.settings, z[row].double().numpy(), label, network.settings.noise
        )
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            assert difference(found[name][row].double(), torch.from_numpy(np.array(value))) < 1e-5, name


# ---- files that do not fit


@pytest.mark.parametrize(
    ("module", "attribute", "value", "named"),
    [
        ("synthesis", "img_resolution", 24, "24"),
        ("synthesis", "img_resolution", 1 << 40, "resolution"),
        ("synthesis", "img_resolution", 32, "synthesis.b32"),
        ("synthesis", "img_resolution", None, "resolution"),
        ("synthesis.b8", "architecture", "resnet", "synthesis.b8.architecture"),
        ("synthesis.b16.conv0", "conv_clamp", float("nan"), "conv_clamp"),
        ("synthesis.b16.conv0", "use_noise", False, "use_noise"),
        ("synthesis.b16.conv0", "activation", "exec", "activation"),
        ("mapping", "z_dim", 10**12, "latent_size"),
        ("mapping", "num_layers", 10**9, "layers"),
        ("mapping", "num_layers", 3, "mapping.fc2"),
        ("mapping", "num_layers", 1, "fc0|ends with"),
        ("mapping", "c_dim", 2, "mapping.embed"),
        ("mapping.fc0", "bias_gain", "0.01x", "rate"),
    ],
)
def test_a_wrong_attribute_is_named(
    module: str, attribute: str, value: Any, named: str, tmp_path: Path
) -> None:
    settings = SETTINGS[0]
    attributes = stylegan2_attributes(settings)
    attributes[module][attribute] = value
    tensors = stylegan2_weights(settings, [5, 4, 3], w_size=7)
    if module == "mapping" and attribute == "num_layers" and value == 1:
        tensors["mapping.fc0.weight"] = torch.ones(9, 6)
        tensors["mapping.fc0.bias"] = torch.ones(9)
    with pytest.raises(CheckpointError, match=named) as error:
        load(write_pickle(tmp_path / "made.pkl", tensors, attributes))
    assert "made.pkl" in str(error.value)
    assert "do not make a network" not in str(error.value)


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("synthesis.b16.conv0", "activation"),
        ("synthesis.b8", "architecture"),
        ("synthesis", "img_resolution"),
    ],
)
def test_an_attribute_that_never_ends_is_not_printed(module: str, attribute: str, tmp_path: Path) -> None:
    """60 lists, each of which holds the one before twice: 2 to the power of 60 ways to the innermost."""
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    attributes = stylegan2_attributes(SETTINGS[0])
    attributes[module][attribute] = value
    tensors = stylegan2_weights(SETTINGS[0], [5, 4, 3], w_size=7)
    with pytest.raises(CheckpointError, match=f"{module}.{attribute}' is no short text"):
        load(write_pickle(tmp_path / "made.pkl", tensors, attributes))


def test_each_missing_or_misshapen_tensor_is_named(tmp_path: Path) -> None:
    settings = SETTINGS[1]
    attributes = stylegan2_attributes(settings)
    tensors = stylegan2_weights(settings, [5, 4, 3], w_size=7)
    for name in tensors:
        without = {other: value for other, value in tensors.items() if other != name}
        with pytest.raises(CheckpointError, match=f"{name}'? is missing"):
            load(write_pickle(tmp_path / "made.pkl", without, attributes))
        first, *rest = tensors[name].shape or [1]
        wide = {**tensors, name: torch.zeros(first + 1, *rest)}
        with pytest.raises(CheckpointError, match=r"made.pkl: .*(tensor '|layer|filter)"):
            load(write_pickle(tmp_path / "made.pkl", wide, attributes))


def test_each_missing_attribute_is_named(tmp_path: Path) -> None:
    settings = SETTINGS[1]
    tensors = stylegan2_weights(settings, [5, 4, 3], w_size=7)
    unused = {"w_avg_beta", "use_fp16"}
    for module, values in stylegan2_attributes(settings).items():
        for name in values.keys() - unused:
            attributes = stylegan2_attributes(settings)
            del attributes[module][name]
            if module.startswith("mapping.fc") and module != "mapping.fc0":
                continue
            with pytest.raises(CheckpointError, match=f"attribute '{module}.{name}' is missing"):
                load(write_pickle(tmp_path / "made.pkl", tensors, attributes))


def test_grey_pictures_become_three_equal_channels(tmp_path: Path) -> None:
    settings = SETTINGS[0]
    tensors = stylegan2_weights(settings, [5, 4, 3], w_size=7)
    for side in settings.sides:
        for name in ("weight", "bias"):
            full = f"synthesis.b{side}.torgb.{name}"
            tensors[full] = tensors[full][:1]
    network = load(write_pickle(tmp_path / "grey.pkl", tensors, stylegan2_attributes(settings)))
    images = network.generate(torch.ones(2, 6))
    assert images.shape == (2, 3, 16, 16)
    assert torch.equal(images[:, 0], images[:, 2])
    assert network.layers["b8.torgb"].units == 1


def test_a_changed_byte_is_an_error_or_another_network(tmp_path: Path) -> None:
    tensors = stylegan2_weights(SETTINGS[1], [5, 4, 3], w_size=7)
    check_flips(write_pickle(tmp_path / "made.pkl", tensors, stylegan2_attributes(SETTINGS[1])), 120)
