"""The modules of StyleGAN2's synthesis network, resolution by resolution, named as in the official code."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from unit59.networks.base import NetworkError
from unit59.networks.filters import upfirdn, upsample2
from unit59.networks.mapping import MappingSettings
from unit59.networks.modulated import Activation, Dense, activate, modulated_conv
from unit59.networks.weights import MAX_RESOLUTION, Weights

#: Residual branches are added at this gain, which keeps the variance.
RESIDUAL_GAIN = math.sqrt(0.5)


class StyleGAN2Settings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        mapping: the mapping network's.
        resolution: side of the picture.
        architecture: ``skip`` sums pictures of all resolutions, ``resnet`` has residual blocks, ``orig``
            neither.
        activation: of the convolutions.
        clamp: largest magnitude of an activation; None is any.
        noise: whether the convolutions have noise inputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mapping: MappingSettings
    resolution: int = Field(ge=4, le=MAX_RESOLUTION)
    architecture: Literal["orig", "skip", "resnet"]
    activation: Activation
    clamp: float | None = Field(gt=0, le=1e30)
    noise: bool

    @property
    def sides(self) -> list[int]:
        """Sides of the blocks: 4, 8, …, resolution.

        Raises:
            NetworkError: the resolution is no power of two.
        """
        if self.resolution & (self.resolution - 1):
            raise NetworkError(f"a resolution of {self.resolution} is no power of two")
        return [2**power for power in range(2, self.resolution.bit_length())]


class ModulatedConvolution(nn.Module):
    """A 3x3 convolution with style, noise and bias; `up` doubles the size on the way."""

    def __init__(
        self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int, up: bool
    ) -> None:
        super().__init__()
        self.settings, self.side = settings, side
        self.weight = weights.parameter("weight", None, inputs, 3, 3)
        self.units = self.weight.shape[0]
        self.bias = weights.parameter("bias", self.units)
        self.affine = Dense(weights.under("affine."), None, inputs)
        if settings.noise:
            self.noise_strength = weights.parameter("noise_strength")
            self.noise_const: Tensor
            self.register_buffer("noise_const", weights.take("noise_const", side, side))
        self.resample_filter: Tensor | None
        self.register_buffer("resample_filter", _fir(weights) if up else None)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, gain: float) -> Tensor:
        """[N,in,h,w], style [N,in], noise [1 or N,1,side,side] -> [N,units,side,side]."""
        x = modulated_conv(x, self.weight, style, self._convolve, demodulate=True)
        if noise is not None:
            x = x + noise * self.noise_strength
        x = x + self.bias[:, None, None]
        return activate(x, self.settings.activation, gain, self.settings.clamp)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.resample_filter is None:
            return F.conv2d(x, weight, padding=1)
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        taps = self.resample_filter.shape[0]
        before, after = (taps + 1) // 2 - 1, (taps - 2) // 2
        return upfirdn(x, self.resample_filter, padding=(before, after, before, after), gain=4.0)


class ToRGB(nn.Module):
    """A 1x1 convolution with style to the colours; no demodulation, no activation."""

    def __init__(self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int) -> None:
        super().__init__()
        self.settings, self.side = settings, side
        self.weight = weights.parameter("weight", None, inputs, 1, 1)
        self.units = self.weight.shape[0]
        self.bias = weights.parameter("bias", self.units)
        self.affine = Dense(weights.under("affine."), None, inputs)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N,in,side,side], style [N,in] -> [N,colours,side,side]."""
        style = style / math.sqrt(self.weight.shape[1])
        x = modulated_conv(x, self.weight, style, F.conv2d, demodulate=False)
        return activate(x + self.bias[:, None, None], "linear", clamp=self.settings.clamp)


class Skip(nn.Module):
    """The shortcut of a residual block: a 1x1 convolution, then twice the size. It has no clamp."""

    def __init__(self, weights: Weights, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = weights.parameter("weight", outputs, inputs, 1, 1)
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", _fir(weights))

    def forward(self, x: Tensor) -> Tensor:
        """[N,in,h,w] -> [N,out,2h,2w]."""
        scale = RESIDUAL_GAIN / math.sqrt(self.weight.shape[1])
        return upsample2(F.conv2d(x, self.weight * scale), self.resample_filter)


class SynthesisBlock(nn.Module):
    """All modules of one resolution, named as in the official code."""

    def __init__(self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int) -> None:
        super().__init__()
        residual = settings.architecture == "resnet" and side > 4
        self.inputs, self.side = inputs, side
        if side == 4:
            self.const = weights.parameter("const", None, 4, 4)
            channels = self.const.shape[0]
        else:
            self.conv0 = ModulatedConvolution(settings, weights.under("conv0."), inputs, side, up=True)
            channels = self.conv0.units
        self.conv1 = ModulatedConvolution(settings, weights.under("conv1."), channels, side, up=False)
        self.units = self.conv1.units
        self.skip = Skip(weights.under("skip."), inputs, self.units) if residual else None
        colours = settings.architecture == "skip" or side == settings.resolution
        self.torgb = ToRGB(settings, weights.under("torgb."), self.units, side) if colours else None
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", _fir(weights))


def _fir(weights: Weights) -> Tensor:
    fir = weights.take("resample_filter", None, None)
    if fir.shape[0] != fir.shape[1] or fir.shape[0] > 64:
        raise NetworkError(f"a resample filter of shape {list(fir.shape)} is not supported")
    return fir
