"""Progressive GAN: both fixtures, and every option against a slow reference on the file's own arrays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.published import GANDISSECT, PROGAN, Variables, difference, references, tensorflow_pickle
from unit59.checkpoints import CheckpointError
from unit59.networks import Network, NetworkError, load

Arrays = dict[str, np.ndarray[Any, Any]]
FILES = {"official": PROGAN, "gandissect": GANDISSECT}
REFERENCES = {"official": PROGAN.with_suffix(".npz"), "gandissect": GANDISSECT.with_name("gd_res32.npz")}


@pytest.mark.parametrize("name", FILES)
def test_fixtures(name: str) -> None:
    net, expected = load(FILES[name]), references(REFERENCES[name])
    assert difference(net.generate(expected["z"]), expected["images"]) < 1e-4
    assert list(net.layers) == [f"layer{number}" for number in range(1, 9)]
    found = net.activations(expected["z"][:2], list(net.layers))
    for layer in net.layers.values():
        key = f"act_{layer.name}" + ("_after_lrelu" if name == "official" else "")
        assert found[layer.name].shape[1:] == (layer.units, layer.height, layer.width)
        assert difference(found[layer.name], expected[key]) < 1e-4
    if name == "official":
        assert net.layers["layer3"].path == "8x8/Conv0_up"
        assert difference(net.generate(expected["z"]), expected["images_G_instantaneous"]) > 0.1


@pytest.mark.parametrize("name", FILES)
def test_running_on_equals_the_full_pass(name: str) -> None:
    net, z = load(FILES[name]), references(REFERENCES[name])["z"]
    full = net.generate(z)
    final, states = net.trace(net.start(net.batch(z)), net.layers)
    assert torch.equal(final["image"], full)
    for layer, state in states.items():
        before = dict(state)
        assert torch.equal(net.run(state, after=layer)["image"], full)
        assert all(state[key] is value for key, value in before.items())


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("style", ["new", "old", "nested", "parallel"])
def test_gandissect_key_styles(tmp_path: Path, style: str, zipped: bool) -> None:
    state: dict[str, Any] = torch.load(GANDISSECT)
    if style == "old":
        state = {_old_key(key): tensor for key, tensor in state.items()}
        assert "features.0.conv.weight" in state
    if style == "parallel":
        state = {f"module.{key}": tensor for key, tensor in state.items()}
    content = {"state_dict": state, "epoch": 1} if style == "nested" else state
    torch.save(content, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    net, expected = load(tmp_path / "net.pth"), references(REFERENCES["gandissect"])
    assert list(net.layers) == [f"layer{number}" for number in range(1, 9)]
    assert difference(net.generate(expected["z"]), expected["images"]) < 1e-4


def _old_key(key: str) -> str:
    layer, _, rest = key.partition(".")
    if layer.startswith("output"):
        return f"output.{rest}"
    return f"features.{int(layer.removeprefix('layer')) - 1}.{rest}"


def test_gandissect_damage_is_named(tmp_path: Path) -> None:
    state: dict[str, Tensor] = torch.load(GANDISSECT)
    for name, tensor in state.items():
        for changed in ({k: v for k, v in state.items() if k != name}, state | {name: tensor[..., None]}):
            torch.save(changed, tmp_path / "net.pth")
            with pytest.raises(CheckpointError, match=r"tensor|gap|layers") as caught:
                load(tmp_path / "net.pth")
            assert "net.pth" in str(caught.value)


VARIANTS: dict[str, dict[str, Any]] = {
    "fused": {},
    "unfused": {"fused_scale": False},
    "labels": {"label_size": 4, "latent_size": 10},
    "other latent size": {"latent_size": 24},
    "raw latents": {"normalize_latents": False},
    "no pixel norm": {"use_pixelnorm": False},
    "epsilon": {"pixelnorm_epsilon": 0.1},
    "relu": {"use_leakyrelu": False},
    "unscaled": {"use_wscale": False},
    "tanh": {"tanh_at_end": True},
    "smallest": {"resolution": 4},
    "grey": {"num_channels": 1},
}


def random_progan(options: dict[str, Any]) -> Arrays:
    """Variables of such a network, not degenerate."""
    rng = np.random.default_rng(0)
    previous = options.get("latent_size", 16) + options.get("label_size", 0)
    made: Arrays = {"lod": np.zeros((), np.float32)}
    resolution = options.get("resolution", 16)
    for power in range(2, resolution.bit_length()):
        side, units = 2**power, 10 - power
        doubling = "Conv0_up" if options.get("fused_scale", True) else "Conv0"
        for name in ["Dense", "Conv"] if power == 2 else [doubling, "Conv1"]:
            shape: tuple[int, ...] = (3, 3, previous, units)
            if name == "Dense":
                shape = (previous, units * 16)
            elif name == "Conv0_up":
                shape = (3, 3, units, previous)
            made[f"{side}x{side}/{name}/weight"] = rng.standard_normal(shape, np.float32)
            made[f"{side}x{side}/{name}/bias"] = rng.standard_normal(units, np.float32)
            previous = units
    colours = options.get("num_channels", 3)
    made["ToRGB_lod0/weight"] = rng.standard_normal((1, 1, previous, colours), np.float32)
    made["ToRGB_lod0/bias"] = rng.standard_normal(colours, np.float32)
    return made


def write_progan(path: Path, variables: Variables, options: dict[str, Any], **how: Any) -> Path:
    return tensorflow_pickle(path, "tfutil.Network", variables, options, build="G_paper", **how)


def reference(variables: Arrays, options: dict[str, Any], z: Tensor) -> tuple[list[Tensor], Tensor]:
    """Every layer after its ReLU, and the image, computed as the format's description says it."""
    own = {name: torch.from_numpy(array) for name, array in variables.items()}
    scaled, epsilon = options.get("use_wscale", True), options.get("pixelnorm_epsilon", 1e-8)
    slope = 0.2 if options.get("use_leakyrelu", True) else 0.0

    def norm(x: Tensor, wanted: bool = options.get("use_pixelnorm", True)) -> Tensor:
        return x / (x.square().mean(1, keepdim=True) + epsilon).sqrt() if wanted else x

    x, layers = norm(z, options.get("normalize_latents", True)), []
    for power in range(2, options.get("resolution", 16).bit_length()):
        side = 2**power
        for name in ["Dense", "Conv"] if power == 2 else ["Conv0_up", "Conv0", "Conv1"]:
            weight = own.get(f"{side}x{side}/{name}/weight")
            if weight is None:
                continue
            if name == "Dense":
                gain = math.sqrt(2) / 4 / math.sqrt(len(weight)) if scaled else 1.0
                x = (x @ (weight * gain)).view(len(z), -1, 4, 4)
            elif name == "Conv0_up":  # a transposed convolution, written as one: four shifts of [k,k,out,in]
                wide = F.pad(weight.permute(3, 2, 0, 1), (1, 1, 1, 1))
                wide = wide[:, :, 1:, 1:] + wide[:, :, :-1, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, :-1]
                gain = math.sqrt(2 / (9 * weight.shape[3])) if scaled else 1.0
                x = F.conv_transpose2d(x, wide * gain, stride=2, padding=1)
            else:
                x = F.interpolate(x, scale_factor=2) if name == "Conv0" else x
                gain = math.sqrt(2 / (9 * weight.shape[2])) if scaled else 1.0
                x = F.conv2d(x, weight.permute(3, 2, 0, 1) * gain, padding=1)
            x = F.leaky_relu(x + own[f"{side}x{side}/{name}/bias"].view(1, -1, 1, 1), slope)
            layers.append(x)
            x = norm(x)
    weight = own["ToRGB_lod0/weight"].permute(3, 2, 0, 1)
    weight = weight / math.sqrt(weight.shape[1]) if scaled else weight
    image = F.conv2d(x, weight) + own["ToRGB_lod0/bias"].view(1, -1, 1, 1)
    return layers, (image.tanh() if options.get("tanh_at_end") else image).expand(-1, 3, -1, -1)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_option(tmp_path: Path, name: str) -> None:
    options = VARIANTS[name]
    variables = random_progan(options)
    net = load(write_progan(tmp_path / "net.pkl", variables, options))
    z = torch.randn(2, net.latent_size, generator=torch.Generator().manual_seed(1))
    labels = torch.eye(net.label_size)[:2] if net.label_size else None
    layers, image = reference(variables, options, z if labels is None else torch.cat([z, labels], 1))
    assert difference(net.generate(z, labels), image) < 1e-4
    found = net.activations(z, list(net.layers), labels)
    assert len(layers) == len(net.layers)
    for number, layer in enumerate(net.layers):
        assert difference(found[layer], layers[number]) < 1e-4


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    variables = random_progan({})
    first = load(write_progan(tmp_path / "a.pkl", variables, {}))
    again = load(write_progan(tmp_path / "b.pkl", variables, {}, protocol=protocol))
    assert torch.equal(first.generate(torch.ones(1, 16)), again.generate(torch.ones(1, 16)))


def test_every_missing_or_misshapen_tensor_is_named(tmp_path: Path) -> None:
    for options in (VARIANTS["fused"], VARIANTS["unfused"]):
        whole = random_progan(options)
        for name, array in whole.items():
            for changed in ({k: v for k, v in whole.items() if k != name}, whole | {name: array[..., None]}):
                if name == "lod":
                    continue
                with pytest.raises(CheckpointError, match=r"tensor|holds no network") as caught:
                    load(write_progan(tmp_path / "net.pkl", changed, options))
                assert "net.pkl" in str(caught.value)


def test_what_callers_get_wrong() -> None:
    net: Network = load(PROGAN)
    with pytest.raises(NetworkError, match=r"takes z \[N, 32\], got \[1, 31\]"):
        net.generate(torch.zeros(1, 31))
    with pytest.raises(NetworkError, match="has no layer 'layer0'"):
        net.activations(torch.zeros(1, 32), ["layer0"])
