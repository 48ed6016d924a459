"""StyleGAN: the official fixture, and every option against a slow reference on the file's own arrays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.published import STYLEGAN, Variables, difference, references, tensorflow_pickle
from unit59.checkpoints import CheckpointError
from unit59.networks import NetworkError, load
from unit59.networks.stylegan import Statistics, StyleGAN

REFERENCES = STYLEGAN.with_suffix(".npz")
Arrays = dict[str, np.ndarray[Any, Any]]
OPTIONS: dict[str, dict[str, Any]] = {
    "images_psi1": {},
    "images_psi1_zero_noise": {"noise": "none"},
    "images_psi0.7_cutoff8": {"psi": 0.7, "cutoff": 8},
    "images_default_args": {"psi": 0.7, "cutoff": 8},
    "images_psi0.5_cutoff3": {"psi": 0.5, "cutoff": 3},
}


@pytest.fixture(scope="module")
def net() -> StyleGAN:
    network = load(STYLEGAN)
    assert isinstance(network, StyleGAN)
    return network


@pytest.fixture(scope="module")
def expected() -> dict[str, Tensor]:
    return references(REFERENCES)


@pytest.mark.parametrize("name", OPTIONS)
def test_official_images(net: StyleGAN, expected: dict[str, Tensor], name: str) -> None:
    assert difference(net.generate(expected["z"], **OPTIONS[name]), expected[name]) < 1e-4


def test_official_pictures(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    images = net.generate(expected["z"], psi=0.7, cutoff=8)
    pictures = (images * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    off = (pictures.int() - expected["images_uint8_psi0.7_cutoff8_nhwc"].int()).abs()
    assert off.max() <= 1
    assert (off > 0).float().mean() < 1e-3


def test_the_averaged_weights_are_used(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    assert difference(net.generate(expected["z"]), expected["images_G_instantaneous_psi1"]) > 0.1


def test_official_latents(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    assert difference(net.start(net.batch(expected["z"]))["w"], expected["w_broadcast"]) < 1e-5
    assert difference(net.w_average, expected["w_avg"]) < 1e-7


def test_official_activations(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    found = net.activations(expected["z"][:2], list(net.layers))
    for number, (name, layer) in enumerate(net.layers.items()):
        assert found[name].shape[1:] == (layer.units, layer.height, layer.width)
        assert difference(found[name], expected[f"act_layer{number:02d}_out"]) < 1e-4
    assert net.layers["layer6"].path == "synthesis/32x32/Conv0_up"


def test_running_on_equals_the_full_pass(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    options: dict[str, Any] = {"psi": 0.5, "cutoff": 3, "noise": 7}
    full = net.generate(expected["z"], **options)
    final, states = net.trace(net.start(net.batch(expected["z"], **options)), net.layers)
    assert torch.equal(final["image"], full)
    for name, state in states.items():
        before = dict(state)
        assert torch.equal(net.run(state, after=name)["image"], full)
        assert all(state[key] is value for key, value in before.items())
        assert torch.equal(state["x"], net.activations(expected["z"], [name], **options)[name])


def test_seeded_noise_belongs_to_the_sample(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    z = expected["z"]
    together = net.generate(z, noise=[11, 5, 7])
    assert torch.equal(together, net.generate(z, noise=[11, 5, 7]))
    alone = net.generate(z[1:2], noise=5)
    assert difference(together[1:2], alone) < 1e-5
    assert difference(together[1:2], net.generate(z[1:2], noise=6)) > 1e-3
    noise = net.start(net.batch(z, noise=[11, 5, 7]))["noise"]
    assert torch.equal(noise[6][1:2], net.start(net.batch(z[1:2], noise=5))["noise"][6])
    assert abs(float(noise[7].mean())) < 0.1
    assert abs(float(noise[7].std()) - 1) < 0.1


@pytest.mark.parametrize("layer", ["layer0", "layer4", "layer7"])
def test_held_statistics_of_a_pass_leave_it_alone(
    net: StyleGAN, expected: dict[str, Tensor], layer: str
) -> None:
    state = net.run(net.start(net.batch(expected["z"], noise=3)), until=layer)
    held = net.statistics(state, layer)
    assert list(held) == list(range(net.layers[layer].number + 1, len(net.layers)))
    whole = net.run(state, after=layer)["image"]
    assert torch.equal(net.run({**state, "statistics": held}, after=layer)["image"], whole)
    scales = {number: Statistics(None, each.scale) for number, each in held.items()}
    assert torch.equal(net.run({**state, "statistics": scales}, after=layer)["image"], whole)


def test_held_statistics_keep_normalisation_from_answering_an_edit(
    net: StyleGAN, expected: dict[str, Tensor]
) -> None:
    state = net.run(net.start(net.batch(expected["z"], noise=3)), until="layer6")
    held = net.statistics(state, "layer6")
    halved = {**state, "x": state["x"] * 0.5, "noise": (None,) * len(net.layers)}
    number = net.layers["layer7"].number
    own, kept = (
        net.run({**halved, **more}, after="layer6", until="layer7")["x"]
        for more in ({}, {"statistics": held})
    )
    scale, offset = state["styles"][number][:, :, :, None, None].unbind(dim=1)
    spreads = [((x - offset) / (scale + 1)).std(dim=(2, 3), correction=0) for x in (own, kept)]
    assert difference(spreads[0], torch.ones_like(spreads[0])) < 1e-3
    assert float(spreads[1].median()) < 0.9


def test_what_callers_get_wrong(net: StyleGAN, expected: dict[str, Tensor]) -> None:
    z = expected["z"]
    with pytest.raises(NetworkError, match=r"takes z \[N, 32\]"):
        net.generate(z[:, :5])
    with pytest.raises(NetworkError, match="takes no labels"):
        net.generate(z, torch.zeros(3, 2))
    with pytest.raises(NetworkError, match="psi=nan"):
        net.generate(z, psi=math.nan)
    with pytest.raises(NetworkError, match="3 samples"):
        net.generate(z, noise=[1, 2])
    with pytest.raises(NetworkError, match="did you mean 'layer7'"):
        net.activations(z, ["layre7"])
    assert torch.equal(net.generate(z, torch.zeros(3, 0)), net.generate(z))


# ---- any options, against a reference that works on the file's own arrays

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fused": {"fused_scale": True},
    "never fused": {"fused_scale": False},
    "auto": {"fused_scale": "auto", "resolution": 128, "fmap_max": 4},
    "labels": {"label_size": 5},
    "unequal sizes": {"latent_size": 12, "dlatent_size": 20, "mapping_fmaps": 16, "mapping_layers": 3},
    "one mapping layer": {"latent_size": 12, "dlatent_size": 20, "mapping_layers": 1},
    "rate": {"mapping_lrmul": 0.1, "normalize_latents": False},
    "relu": {"nonlinearity": "relu", "mapping_nonlinearity": "relu"},
    "no noise": {"use_noise": False},
    "norms": {"use_pixel_norm": True, "use_instance_norm": False},
    "unscaled": {"use_wscale": False},
    "wide blur": {"blur_filter": [1, 4, 6, 4, 1]},
    "no blur": {"blur_filter": None},
    "grey": {"num_channels": 1},
    "smallest": {"resolution": 4},
}


def random_stylegan(options: dict[str, Any], seed: int = 0) -> tuple[Arrays, Arrays, Arrays]:
    """Variables of (top, mapping, synthesis), not degenerate."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray[Any, Any]:
        return rng.standard_normal(shape, np.float32)

    z, w, labels = (
        options.get("latent_size", 16),
        options.get("dlatent_size", 16),
        options.get("label_size", 0),
    )
    mapping: Arrays = {"LabelConcat/weight": draw(labels, z)} if labels else {}
    count, width = options.get("mapping_layers", 8), z + (z if labels else 0)
    for index in range(count):
        out = w if index == count - 1 else options.get("mapping_fmaps", 16)
        rate = 1.0 if options.get("use_wscale", True) is False else 1 / options.get("mapping_lrmul", 0.01)
        mapping |= {f"Dense{index}/weight": draw(width, out) * rate, f"Dense{index}/bias": draw(out) * rate}
        width = out
    resolution, channels = options.get("resolution", 16), options.get("fmap_max", 8)
    synthesis: Arrays = {"lod": np.zeros((), np.float32)}
    previous = channels
    for power in range(2, resolution.bit_length()):
        side, units = 2**power, max(channels - power + 2, 2)
        for part, name in enumerate(["Const", "Conv"] if power == 2 else ["Conv0_up", "Conv1"]):
            path = f"{side}x{side}/{name}"
            if name == "Const":
                synthesis[f"{path}/const"] = draw(1, units, 4, 4)
            else:
                synthesis[f"{path}/weight"] = draw(3, 3, previous, units)
            if options.get("use_noise", True):
                synthesis[f"noise{2 * power - 4 + part}"] = draw(1, 1, side, side)
                synthesis[f"{path}/Noise/weight"] = draw(units)
            synthesis |= {f"{path}/bias": draw(units), f"{path}/StyleMod/weight": draw(w, 2 * units)}
            synthesis[f"{path}/StyleMod/bias"] = draw(2 * units)
            previous = units
    colours = options.get("num_channels", 3)
    synthesis |= {"ToRGB_lod0/weight": draw(1, 1, previous, colours), "ToRGB_lod0/bias": draw(colours)}
    return {"lod": np.zeros((), np.float32), "dlatent_avg": draw(w)}, mapping, synthesis


def write_stylegan(path: Path, parts: tuple[Variables, ...], options: dict[str, Any], **how: Any) -> Path:
    top, mapping, synthesis = parts
    return tensorflow_pickle(
        path,
        "dnnlib.tflib.network.Network",
        top,
        options,
        components={"synthesis": (synthesis, options), "mapping": (mapping, options)},
        build="G_style",
        **how,
    )


def reference(
    parts: tuple[Arrays, ...],
    options: dict[str, Any],
    z: Tensor,
    labels: Tensor | None,
    psi: float,
    cutoff: int,
) -> tuple[dict[int, Tensor], Tensor]:
    """Every layer after AdaIN, and the image, computed as the format's description says it."""
    top, mapping, synthesis = (
        {k: torch.from_numpy(np.asarray(v)) for k, v in part.items()} for part in parts
    )
    scaled = options.get("use_wscale", True)
    rate = options.get("mapping_lrmul", 0.01)
    slope = 0.0 if options.get("nonlinearity") == "relu" else 0.2
    x = z if labels is None else torch.cat([z, labels @ mapping["LabelConcat/weight"]], 1)
    if options.get("normalize_latents", True):
        x = x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for index in range(options.get("mapping_layers", 8)):
        weight = mapping[f"Dense{index}/weight"]
        gain = math.sqrt(2) / math.sqrt(len(weight)) if scaled else 1.0
        x = x @ (weight * gain * rate) + mapping[f"Dense{index}/bias"] * rate
        x = F.leaky_relu(x, 0.0 if options.get("mapping_nonlinearity") == "relu" else 0.2)
    layers: dict[int, Tensor] = {}
    resolution = options.get("resolution", 16)
    for index in range(2 * (resolution.bit_length() - 1) - 2):
        side = 4 * 2 ** (index // 2)
        name = ["Const", "Conv"][index] if index < 2 else ["Conv0_up", "Conv1"][index % 2]
        own = {
            k.removeprefix(f"{side}x{side}/{name}/"): v
            for k, v in synthesis.items()
            if k.startswith(f"{side}x{side}/{name}/")
        }
        if index == 0:
            y = own["const"].repeat(len(z), 1, 1, 1)
        else:
            weight = own["weight"] * (math.sqrt(2 / (9 * own["weight"].shape[2])) if scaled else 1.0)
            y = _convolved(y, weight, name, side, options)
        if options.get("use_noise", True):
            y = y + synthesis[f"noise{index}"] * own["Noise/weight"].view(1, -1, 1, 1)
        y = F.leaky_relu(y + own["bias"].view(1, -1, 1, 1), slope)
        if options.get("use_pixel_norm", False):
            y = y / (y.square().mean(1, keepdim=True) + 1e-8).sqrt()
        if options.get("use_instance_norm", True):
            y = F.instance_norm(y, eps=1e-8)
        pull = psi if index < cutoff else 1.0
        w = top["dlatent_avg"] + (x - top["dlatent_avg"]) * pull
        gain = 1 / math.sqrt(w.shape[1]) if scaled else 1.0
        style = (w @ (own["StyleMod/weight"] * gain) + own["StyleMod/bias"]).view(len(z), 2, -1, 1, 1)
        y = y * (style[:, 0] + 1) + style[:, 1]
        layers[index] = y
    weight = synthesis["ToRGB_lod0/weight"]
    weight = weight / math.sqrt(weight.shape[2]) if scaled else weight
    image = F.conv2d(y, weight.permute(3, 2, 0, 1)) + synthesis["ToRGB_lod0/bias"].view(1, -1, 1, 1)
    return layers, image.expand(-1, 3, -1, -1)


def _convolved(y: Tensor, weight: Tensor, name: str, side: int, options: dict[str, Any]) -> Tensor:
    if name != "Conv0_up":
        return F.conv2d(y, weight.permute(3, 2, 0, 1), padding=1)
    fused = options.get("fused_scale", "auto")
    if fused is True or (fused == "auto" and side >= 128):
        wide = F.pad(weight.permute(2, 3, 0, 1), (1, 1, 1, 1))
        kernel = wide[:, :, 1:, 1:] + wide[:, :, :-1, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, :-1]
        y = F.conv_transpose2d(y, kernel, stride=2, padding=1)
    else:
        y = F.conv2d(F.interpolate(y, scale_factor=2), weight.permute(3, 2, 0, 1), padding=1)
    taps = options.get("blur_filter", [1, 2, 1])
    if taps is None:
        return y
    line = torch.tensor(taps, dtype=torch.float32) / sum(taps)
    kernel = torch.outer(line, line)[None, None].repeat(y.shape[1], 1, 1, 1)
    return F.conv2d(y, kernel, padding=len(taps) // 2, groups=y.shape[1])


@pytest.mark.parametrize("name", VARIANTS)
def test_every_option(tmp_path: Path, name: str) -> None:
    options = VARIANTS[name]
    parts = random_stylegan(options)
    net = load(write_stylegan(tmp_path / "net.pkl", parts, options))
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, net.latent_size, generator=generator)
    labels = torch.eye(net.label_size)[:2] if net.label_size else None
    layers, image = reference(parts, options, z, labels, 0.6, 3)
    asked: dict[str, Any] = {"labels": labels, "psi": 0.6, "cutoff": 3}
    assert difference(net.generate(z, **asked), image) < 1e-4
    found = net.activations(z, list(net.layers), **asked)
    for number, layer in enumerate(net.layers):
        assert difference(found[layer], layers[number]) < 1e-4
    everywhere = reference(parts, options, z, labels, 0.6, 99)[1]
    assert difference(net.generate(z, labels, psi=0.6), everywhere) < 1e-4


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    parts = random_stylegan({})
    first = load(write_stylegan(tmp_path / "a.pkl", parts, {}))
    again = load(write_stylegan(tmp_path / "b.pkl", parts, {}, protocol=protocol))
    z = torch.ones(1, 16)
    assert torch.equal(first.generate(z), again.generate(z))


def test_labels_are_asked_for(tmp_path: Path) -> None:
    options = VARIANTS["labels"]
    net = load(write_stylegan(tmp_path / "net.pkl", random_stylegan(options), options))
    assert (net.latent_size, net.label_size) == (16, 5)
    with pytest.raises(NetworkError, match=r"conditional: it takes labels \[2, 5\]"):
        net.generate(torch.zeros(2, 16))
    with pytest.raises(NetworkError, match=r"got \[2, 4\]"):
        net.generate(torch.zeros(2, 16), torch.zeros(2, 4))


def test_every_missing_or_misshapen_tensor_is_named(tmp_path: Path) -> None:
    options = {"resolution": 8, "mapping_layers": 2}
    whole = random_stylegan(options)
    optional = {"lod"}
    for part in range(3):
        for name, array in whole[part].items():
            if name in optional:
                continue
            for changed in (
                {k: v for k, v in whole[part].items() if k != name},
                whole[part] | {name: array[..., None]},
            ):
                parts = [*whole]
                parts[part] = changed
                with pytest.raises(CheckpointError, match=r"tensor|resolution") as caught:
                    load(write_stylegan(tmp_path / "net.pkl", tuple(parts), options))
                assert "net.pkl" in str(caught.value)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "label size as text": ({"label_size": "5"}, "label_size"),
    "absurd label size": ({"label_size": 10**9}, "LabelConcat/weight"),
    "negative label size": ({"label_size": -1}, "label_size"),
    "unknown fusing": ({"fused_scale": "often"}, "fused_scale"),
    "even blur": ({"blur_filter": [1.0, 1.0]}, "no middle"),
    "no constant": ({"const_input_layer": False}, "const_input_layer"),
    "unknown activation": ({"nonlinearity": "gelu"}, "nonlinearity"),
}


@pytest.mark.parametrize("name", WRONG)
def test_hyperparameters_are_checked(tmp_path: Path, name: str) -> None:
    options, message = WRONG[name]
    with pytest.raises(CheckpointError, match=message):
        load(write_stylegan(tmp_path / "net.pkl", random_stylegan({}), options))


def test_the_tensorflow_stylegan2_is_told_apart(tmp_path: Path) -> None:
    top, mapping, synthesis = random_stylegan({})
    parts = top, mapping, synthesis | {"4x4/ToRGB/weight": np.zeros((1, 1, 8, 3), np.float32)}
    with pytest.raises(CheckpointError, match=r"legacy\.py"):
        load(write_stylegan(tmp_path / "net.pkl", parts, {}))
