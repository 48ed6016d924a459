"""StyleGAN3's input (Karras et al. 2021, section 3.1): plane waves that a style can turn and shift."""

from __future__ import annotations

import math

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from unit59.networks.modulated import Dense
from unit59.networks.weights import Weights


class InputSettings(BaseModel):
    """What the input's tensors do not say.

    Attributes:
        size: side of the map in pixels, margins included.
        sampling_rate: pixels a unit of length; the picture proper has length 1.
        bandwidth: frequency up to which waves keep their amplitude; from there it falls to 0 at half the
            sampling rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    size: int = Field(ge=1, le=4096)
    sampling_rate: float = Field(gt=0, le=1 << 20)
    bandwidth: float = Field(ge=0, le=1 << 20)


class FourierInput(nn.Module):
    """The first map [N,units,size,size].

    Args:
        settings: see `InputSettings`.
        weights: named as in the official code, below ``synthesis.input.``

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    def __init__(self, settings: InputSettings, weights: Weights) -> None:
        super().__init__()
        self.settings = settings
        self.weight = weights.parameter("weight", None, None)
        self.units, waves = self.weight.shape
        self.affine = Dense(weights.under("affine."), None, 4)
        self.transform: Tensor
        self.register_buffer("transform", weights.take("transform", 3, 3))
        self.freqs: Tensor
        self.register_buffer("freqs", weights.take("freqs", waves, 2))
        self.phases: Tensor
        self.register_buffer("phases", weights.take("phases", waves))

    def forward(self, style: Tensor) -> Tensor:
        """The map for a style [N,4]: the rotation's cosine and sine (of any length), then the shift x, y.

        `transform`, a user's own 3x3 transformation of the plane, is applied before the style's.
        """
        matrix = _rotation_after_shift(style) @ self.transform  # [N,3,3]
        # A wave sin(2π(f·p + φ)) at the transformed point A p + b is one of frequency Aᵀf and phase φ + f·b.
        phases = self.phases + matrix[:, :2, 2] @ self.freqs.t()  # [N,waves]
        freqs = self.freqs @ matrix[:, :2, :2]  # [N,waves,2]
        half, band = self.settings.sampling_rate / 2, self.settings.bandwidth
        amplitudes = (1 - (freqs.norm(dim=2) - band) / (half - band)).clamp(0, 1)
        points = self._grid()  # [size*size,2]
        waves = torch.sin(2 * math.pi * (points @ freqs.transpose(1, 2) + phases[:, None]))
        mixed = (waves * amplitudes[:, None]) @ (self.weight.t() / math.sqrt(self.weight.shape[1]))
        side = self.settings.size
        # Contiguous: a convolution may round differently on another layout of the same numbers.
        x: Tensor = mixed.transpose(1, 2).reshape(len(style), self.units, side, side).contiguous()
        return x

    def _grid(self) -> Tensor:
        """Pixel centres (x, y), row by row; the origin is the middle of the map."""
        size = self.settings.size
        steps = torch.arange(size, dtype=torch.float32, device=self.weight.device)
        line = (steps - (size - 1) / 2) / self.settings.sampling_rate
        y, x = torch.meshgrid(line, line, indexing="ij")
        return torch.stack([x, y], dim=-1).reshape(-1, 2)


def _rotation_after_shift(style: Tensor) -> Tensor:
    """[N,4] -> [N,3,3]: the plane shifted by (-x, -y), then turned."""
    cosine, sine, x, y = (style / style[:, :2].norm(dim=1, keepdim=True)).unbind(dim=1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], dim=1)
    shift = torch.stack([one, zero, -x, zero, one, -y, zero, zero, one], dim=1)
    return turn.view(-1, 3, 3) @ shift.view(-1, 3, 3)
