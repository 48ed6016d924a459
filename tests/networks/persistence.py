"""Random networks of the StyleGAN2-ADA and StyleGAN3 repositories, and a writer of their pickles."""

from __future__ import annotations

import math
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unit59.networks.mapping import MappingSettings
from unit59.networks.stylegan2_blocks import StyleGAN2Settings
from unit59.networks.stylegan3 import StyleGAN3Settings

Tensors = dict[str, Tensor]
Attributes = dict[str, dict[str, Any]]
_PARAMETERS = ("weight", "bias", "const", "noise_strength")


class _Object:
    """Pickles as an object of the official `torch_utils.persistence` does."""

    def __init__(self, class_name: str, state: dict[str, Any]) -> None:
        self.class_name, self.state = class_name, state

    def __reduce__(self) -> tuple[Any, ...]:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise RuntimeError('executed')",
            "class_name": self.class_name,
            "state": self.state,
        }
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,)


def write_pickle(path: Path, tensors: Tensors, attributes: Attributes) -> Path:
    """Write {G, D, G_ema}: G_ema of `tensors` and `attributes` by module path, G of other weights."""
    names = ["torch_utils", "torch_utils.persistence"]
    made = {name: ModuleType(name) for name in names}

    def _reconstruct_persistent_obj(meta: Any) -> None:
        raise AssertionError("a reader ran what the pickle names")

    _reconstruct_persistent_obj.__module__ = names[1]
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    made[names[1]]._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]  # a made-up module
    sys.modules.update(made)
    try:
        other = {name: tensor * 0 for name, tensor in tensors.items()}
        content = {
            "training_set_kwargs": None,
            "G": _tree(other, attributes, ""),
            "D": None,
            "G_ema": _tree(tensors, attributes, ""),
            "augment_pipe": None,
        }
        path.write_bytes(pickle.dumps(content, protocol=4))
    finally:
        for name in names:
            del sys.modules[name]
    return path


def _tree(tensors: Tensors, attributes: Attributes, path: str) -> _Object:
    prefix = f"{path}." if path else ""
    below = [name[len(prefix) :] for name in (*tensors, *attributes) if name.startswith(prefix)]
    own = {name: tensors[prefix + name] for name in below if "." not in name and prefix + name in tensors}
    children = dict.fromkeys(
        name.split(".")[0] for name in below if name and ("." in name or prefix + name in attributes)
    )
    state = {
        **attributes.get(path, {}),
        "training": False,
        "_parameters": {name: value for name, value in own.items() if name in _PARAMETERS},
        "_buffers": {name: value for name, value in own.items() if name not in _PARAMETERS},
        "_modules": {name: _tree(tensors, attributes, prefix + name) for name in children},
    }
    return _Object("Generator" if not path else "Module", state)


# ---- mapping


def _mapping(settings: MappingSettings, w_size: int, draw: Any) -> Tensors:
    size = settings.latent_size
    tensors = {"mapping.w_avg": draw(w_size)}
    if settings.label_size:
        tensors |= _dense("mapping.embed", settings.label_size, w_size, draw)
        size += w_size
    for index in range(settings.layers):
        tensors |= _dense(f"mapping.fc{index}", size, w_size, draw, 1 / settings.rate)
        size = w_size
    return tensors


def _dense(path: str, inputs: int, outputs: int, draw: Any, scale: float = 1.0) -> Tensors:
    return {f"{path}.weight": scale * draw(outputs, inputs), f"{path}.bias": scale * draw(outputs)}


def _affine(path: str, w_size: int, outputs: int, draw: Any) -> Tensors:
    tensors = _dense(path, w_size, outputs, draw)
    tensors[f"{path}.bias"] += 1
    return tensors


def mapping_attributes(settings: MappingSettings) -> Attributes:
    own = {
        "z_dim": settings.latent_size,
        "c_dim": settings.label_size,
        "num_layers": settings.layers,
        "w_avg_beta": 0.998,
    }
    dense = {
        f"mapping.fc{index}": {"activation": settings.activation, "bias_gain": settings.rate}
        for index in range(settings.layers)
    }
    return {"mapping": own, **dense}


# ---- StyleGAN2


def stylegan2_weights(
    settings: StyleGAN2Settings, channels: list[int], w_size: int, seed: int = 0
) -> Tensors:
    """Random weights with so many channels in each block."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    fir = torch.tensor([1.0, 3.0, 3.0, 1.0]).outer(torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64
    tensors = _mapping(settings.mapping, w_size, draw)
    for number, (side, units) in enumerate(zip(settings.sides, channels, strict=True)):
        block = f"synthesis.b{side}"
        inputs = channels[number - 1]
        tensors[f"{block}.resample_filter"] = fir
        if side == 4:
            tensors[f"{block}.const"] = draw(units, 4, 4)
        else:
            tensors |= _convolution(f"{block}.conv0", settings, side, inputs, units, w_size, draw)
            tensors[f"{block}.conv0.resample_filter"] = fir
            if settings.architecture == "resnet":
                tensors[f"{block}.skip.weight"] = draw(units, inputs, 1, 1)
                tensors[f"{block}.skip.resample_filter"] = fir
        tensors |= _convolution(f"{block}.conv1", settings, side, units, units, w_size, draw)
        if settings.architecture == "skip" or side == settings.resolution:
            tensors[f"{block}.torgb.weight"] = draw(3, units, 1, 1)
            tensors[f"{block}.torgb.bias"] = draw(3)
            tensors |= _affine(f"{block}.torgb.affine", w_size, units, draw)
    return tensors


def _convolution(
    path: str, settings: StyleGAN2Settings, side: int, inputs: int, units: int, w_size: int, draw: Any
) -> Tensors:
    tensors = {f"{path}.weight": draw(units, inputs, 3, 3), f"{path}.bias": draw(units)}
    if settings.noise:
        tensors |= {f"{path}.noise_const": draw(side, side), f"{path}.noise_strength": draw().abs() + 0.1}
    return tensors | _affine(f"{path}.affine", w_size, inputs, draw)


def stylegan2_attributes(settings: StyleGAN2Settings) -> Attributes:
    """As the official constructors set them."""
    found = {"synthesis": {"img_resolution": settings.resolution}, **mapping_attributes(settings.mapping)}
    for side in settings.sides:
        found[f"synthesis.b{side}"] = {"architecture": settings.architecture, "use_fp16": side > 8}
        for name in ("conv0", "conv1")[side == 4 :]:
            found[f"synthesis.b{side}.{name}"] = {
                "use_noise": settings.noise,
                "activation": settings.activation,
                "conv_clamp": settings.clamp,
            }
    return found


# ---- StyleGAN3


def stylegan3_weights(
    settings: StyleGAN3Settings, waves: int, kernel: int, w_size: int, seed: int = 0
) -> Tensors:
    """Random weights; the channels are those in the layers' names."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    tensors = _mapping(settings.mapping, w_size, draw)
    tensors |= {
        "synthesis.input.weight": draw(waves, waves),
        "synthesis.input.freqs": draw(waves, 2) * settings.input.bandwidth,
        "synthesis.input.phases": draw(waves),
        "synthesis.input.transform": torch.eye(3) + 0.1 * draw(3, 3) * torch.tensor([[1.0], [1.0], [0.0]]),
    }
    tensors |= _affine("synthesis.input.affine", w_size, 4, draw)
    inputs = waves
    for layer in settings.layers:
        path, units = f"synthesis.{layer.name}", int(layer.name.split("_")[2])
        k = 1 if layer.to_rgb else kernel
        tensors |= {f"{path}.weight": draw(units, inputs, k, k), f"{path}.bias": draw(units)}
        tensors[f"{path}.magnitude_ema"] = draw().abs() + 0.5
        tensors |= _affine(f"{path}.affine", w_size, inputs, draw)
        if layer.up_taps > 1:
            tensors[f"{path}.up_filter"] = draw(layer.up_taps) / math.sqrt(layer.up_taps)
        if layer.down_taps > 1:
            shape = (layer.down_taps,) * (2 if layer.radial else 1)
            tensors[f"{path}.down_filter"] = draw(*shape) / layer.down_taps
        inputs = units
    return tensors


def stylegan3_attributes(settings: StyleGAN3Settings) -> Attributes:
    """As the official constructors set them: sizes as arrays, numbers as numpy's."""
    found: Attributes = {
        "synthesis": {
            "img_resolution": settings.resolution,
            "output_scale": settings.output_scale,
            "layer_names": [layer.name for layer in settings.layers],
        },
        "synthesis.input": {
            "size": np.array([settings.input.size, settings.input.size]),
            "sampling_rate": np.float64(settings.input.sampling_rate),
            "bandwidth": np.float64(settings.input.bandwidth),
        },
        **mapping_attributes(settings.mapping),
    }
    for layer in settings.layers:
        found[f"synthesis.{layer.name}"] = {
            "is_torgb": layer.to_rgb,
            "use_fp16": np.True_,
            "out_size": np.array([layer.size, layer.size]),
            "conv_clamp": layer.clamp,
            "up_factor": layer.up,
            "down_factor": layer.down,
            "up_taps": layer.up_taps,
            "down_taps": layer.down_taps,
            "down_radial": layer.radial,
            "padding": list(layer.padding),
        }
    return found


def stylegan3_official(resolution: int = 256, *, rotation: bool = False) -> StyleGAN3Settings:
    """The layers of the official configurations t and r at a resolution (Karras et al. 2021, app. D)."""
    count, critical, margin, taps = 14, 2, 10, 6
    kernel, widest = (1, 1024) if rotation else (3, 512)
    step = np.minimum(np.arange(count + 1) / (count - critical), 1)
    cutoffs = 2 * (resolution / 4) ** step
    stopbands = 2**2.1 * (resolution / 2 * 2**0.3 / 2**2.1) ** step
    rates = np.exp2(np.ceil(np.log2(np.minimum(stopbands * 2, resolution))))
    sizes = rates + 2 * margin
    sizes[-2:] = resolution
    units = np.rint(np.minimum((1 << (14 + rotation)) / 2 / cutoffs, widest))
    units[-1] = 3
    layers = []
    for index in range(count + 1):
        before, to_rgb = max(index - 1, 0), index == count
        inner = max(rates[before], rates[index]) * (1 if to_rgb else 2)
        up, down = int(inner / rates[before]), int(inner / rates[index])
        up_taps, down_taps = (taps * factor if factor > 1 and not to_rgb else 1 for factor in (up, down))
        across = 1 if to_rgb else kernel
        spare = (sizes[index] - 1) * down + 1 - (sizes[before] + across - 1) * up + up_taps + down_taps - 2
        low = int(spare + up) // 2
        layers.append(
            {
                "name": f"L{index}_{int(sizes[index])}_{int(units[index])}",
                "size": int(sizes[index]),
                "to_rgb": to_rgb,
                "clamp": 256.0,
                "up": up,
                "down": down,
                "up_taps": up_taps,
                "down_taps": down_taps,
                "radial": rotation and rates[index] < resolution,
                "padding": [low, int(spare) - low] * 2,
            }
        )
    return StyleGAN3Settings.model_validate(
        {
            "mapping": {"latent_size": 512, "label_size": 0, "layers": 2},
            "input": {"size": int(sizes[0]), "sampling_rate": rates[0], "bandwidth": cutoffs[0]},
            "layers": layers,
            "resolution": resolution,
        }
    )
