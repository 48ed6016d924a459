"""StyleGAN2 and StyleGAN3 written down slowly: float64 numpy, one sample at a time, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from unit59.networks.mapping import MappingSettings
from unit59.networks.stylegan2_blocks import StyleGAN2Settings
from unit59.networks.stylegan3 import StyleGAN3Settings

Array = np.ndarray[Any, np.dtype[np.float64]]

GAINS = {"linear": 1.0, "relu": math.sqrt(2), "lrelu": math.sqrt(2), "tanh": 1.0}


class Part:
    """Tensors below a prefix, as float64."""

    def __init__(self, tensors: Mapping[str, Tensor], prefix: str = "") -> None:
        self.tensors, self.prefix = tensors, prefix

    def __getitem__(self, name: str) -> Array:
        array: Array = self.tensors[self.prefix + name].double().numpy()
        return array

    def __contains__(self, name: str) -> bool:
        return self.prefix + name in self.tensors

    def fir(self, name: str) -> Array:
        """A filter, or the one that does nothing."""
        return self[name] if name in self else np.ones(1)

    def under(self, name: str) -> Part:
        return Part(self.tensors, f"{self.prefix}{name}.")


def correlate(x: Array, weight: Array, padding: int) -> Array:
    """x [C,h,w], weight [O,C,k,k]: what deep learning calls a convolution."""
    k = weight.shape[2]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    out = np.zeros((len(weight), height, width))
    for row in range(height):
        for column in range(width):
            patch = x[:, row : row + k, column : column + k]
            out[:, row, column] = (weight * patch).sum(axis=(1, 2, 3))
    return out


def scatter2(x: Array, weight: Array) -> Array:
    """Each pixel of x [C,h,w] stamps its kernel, scaled, onto a grid of twice the resolution."""
    k, height, width = weight.shape[2], x.shape[1], x.shape[2]
    out = np.zeros((len(weight), 2 * height - 2 + k, 2 * width - 2 + k))
    for row in range(height):
        for column in range(width):
            stamp = np.einsum("ocab,c->oab", weight, x[:, row, column])
            out[:, 2 * row : 2 * row + k, 2 * column : 2 * column + k] += stamp
    return out


def upfirdn(
    x: Array,
    fir: Array,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, ...] = (0, 0, 0, 0),
    gain: float = 1.0,
) -> Array:
    """Insert zeros, pad or crop (left, right, top, bottom), convolve, decimate."""
    fir = np.outer(fir, fir) if fir.ndim == 1 else fir
    taps = len(fir)
    channels, height, width = x.shape
    z = np.zeros((channels, height * up, width * up))
    z[:, ::up, ::up] = x
    left, right, top, bottom = padding
    z = np.pad(z, ((0, 0), (max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))))
    z = z[:, max(-top, 0) : z.shape[1] - max(-bottom, 0), max(-left, 0) : z.shape[2] - max(-right, 0)]
    rows, columns = range(0, z.shape[1] - taps + 1, down), range(0, z.shape[2] - taps + 1, down)
    out = np.zeros((channels, len(rows), len(columns)))
    for y, row in enumerate(rows):
        for i, column in enumerate(columns):
            patch = z[:, row : row + taps, column : column + taps]
            out[:, y, i] = gain * (patch * fir[::-1, ::-1]).sum(axis=(1, 2))
    return out


def activate(x: Array, kind: str, gain: float = 1.0, clamp: float | None = None) -> Array:
    if kind == "lrelu":
        x = np.where(x > 0, x, 0.2 * x)
    elif kind == "relu":
        x = np.maximum(x, 0)
    elif kind == "tanh":
        x = np.tanh(x)
    x = x * GAINS[kind] * gain
    limit = np.inf if clamp is None else clamp * gain
    y: Array = np.clip(x, -limit, limit)
    return y


def dense(x: Array, part: Part, rate: float = 1.0, kind: str = "linear") -> Array:
    weight = part["weight"]
    x = x @ (weight * rate / math.sqrt(weight.shape[1])).T + part["bias"] * rate
    return activate(x, kind)


def mapping(part: Part, settings: MappingSettings, z: Array, label: Array | None) -> Array:
    """z [z_size], label [label_size] -> w [w_size]."""
    x: Array = z / np.sqrt((z**2).mean() + 1e-8)
    if settings.label_size:
        assert label is not None
        y = dense(label, part.under("embed"))
        x = np.concatenate([x, y / np.sqrt((y**2).mean() + 1e-8)])
    for index in range(settings.layers):
        x = dense(x, part.under(f"fc{index}"), settings.rate, settings.activation)
    return x


def modulated(weight: Array, style: Array, demodulate: bool) -> Array:
    weight = weight * style[None, :, None, None]
    if demodulate:
        weight = weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
    return weight


def stylegan2(
    tensors: Mapping[str, Tensor], settings: StyleGAN2Settings, z: Array, label: Array | None, noise: bool
) -> dict[str, Array]:
    """Every module's output for one sample, and ``image``."""
    net = Part(tensors)
    w = mapping(net.under("mapping"), settings.mapping, z, label)
    found: dict[str, Array] = {}
    x, image = np.zeros(0), None
    side = 4
    while side <= settings.resolution:
        name = f"b{side}"
        block = net.under(f"synthesis.{name}")
        gain, shortcut = 1.0, None
        if side == 4:
            x = block["const"]
        else:
            if settings.architecture == "resnet":
                gain = math.sqrt(0.5)
                weight = block["skip.weight"]
                shortcut = correlate(x, weight / math.sqrt(weight.shape[1]), 0)
                shortcut = gain * upfirdn(shortcut, block["resample_filter"], 2, 1, (2, 1, 2, 1), 4)
            x = found[f"{name}.conv0"] = _convolve2(block.under("conv0"), settings, x, w, noise, True, 1.0)
        x = found[f"{name}.conv1"] = _convolve2(block.under("conv1"), settings, x, w, noise, False, gain)
        x = found[name] = x if shortcut is None else x + shortcut
        if "torgb.weight" in block:
            part = block.under("torgb")
            style = dense(w, part.under("affine")) / math.sqrt(x.shape[0])
            rgb = correlate(x, modulated(part["weight"], style, False), 0) + part["bias"][:, None, None]
            rgb = found[f"{name}.torgb"] = activate(rgb, "linear", 1.0, settings.clamp)
            if image is not None:
                rgb = rgb + upfirdn(image, block["resample_filter"], 2, 1, (2, 1, 2, 1), 4)
            image = rgb
        side *= 2
    assert image is not None
    return {**found, "image": image}


def _convolve2(
    part: Part, settings: StyleGAN2Settings, x: Array, w: Array, noise: bool, up: bool, gain: float
) -> Array:
    weight = modulated(part["weight"], dense(w, part.under("affine")), True)
    if up:
        x = upfirdn(scatter2(x, weight), part["resample_filter"], padding=(1, 1, 1, 1), gain=4)
    else:
        x = correlate(x, weight, 1)
    if noise:
        x = x + part["noise_const"] * part["noise_strength"]
    return activate(x + part["bias"][:, None, None], settings.activation, gain, settings.clamp)


def stylegan3(
    tensors: Mapping[str, Tensor], settings: StyleGAN3Settings, z: Array, label: Array | None
) -> dict[str, Array]:
    """Every module's output for one sample, and ``image``."""
    net = Part(tensors)
    w = mapping(net.under("mapping"), settings.mapping, z, label)
    x = fourier(net.under("synthesis.input"), settings, w)
    found = {"input": x}
    for layer in settings.layers:
        part = net.under(f"synthesis.{layer.name}")
        weight, style = part["weight"], dense(w, part.under("affine"))
        if layer.to_rgb:
            weight = modulated(weight, style / math.sqrt(weight[0].size), False)
        else:
            weight = weight / np.sqrt((weight**2).mean(axis=(1, 2, 3), keepdims=True))
            weight = modulated(weight, style / np.sqrt((style**2).mean()), True)
        x = correlate(x, weight / np.sqrt(part["magnitude_ema"]), weight.shape[2] - 1)
        x = x + part["bias"][:, None, None]
        x = upfirdn(x, part.fir("up_filter"), layer.up, 1, layer.padding, layer.up**2)
        x = activate(x, "linear" if layer.to_rgb else "lrelu", 1.0, layer.clamp)
        x = upfirdn(x, part.fir("down_filter"), 1, layer.down)
        found[layer.name] = x
    return {**found, "image": x * settings.output_scale}


def fourier(part: Part, settings: StyleGAN3Settings, w: Array) -> Array:
    """Each wave evaluated at each transformed pixel."""
    style = dense(w, part.under("affine"))
    cosine, sine, x, y = style / np.hypot(style[0], style[1])
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    shift = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    matrix = turn @ shift @ part["transform"]
    given = settings.input
    out = np.zeros((len(part["phases"]), given.size, given.size))
    for row in range(given.size):
        for column in range(given.size):
            centre = (np.array([column, row]) - (given.size - 1) / 2) / given.sampling_rate
            point = (matrix @ [*centre, 1])[:2]
            out[:, row, column] = np.sin(2 * np.pi * (part["freqs"] @ point + part["phases"]))
    lengths = np.linalg.norm(part["freqs"] @ matrix[:2, :2], axis=1)
    falloff = 1 - (lengths - given.bandwidth) / (given.sampling_rate / 2 - given.bandwidth)
    out *= np.clip(falloff, 0, 1)[:, None, None]
    weight = part["weight"]
    mixed: Array = np.einsum("oc,chw->ohw", weight / math.sqrt(weight.shape[1]), out)
    return mixed
