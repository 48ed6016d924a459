"""Layers that StyleGAN2 and StyleGAN3 share: activations, dense layers, modulated convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unit59.networks.weights import Weights

Activation = Literal["linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish"]

#: Each activation, and the gain behind it that about keeps the variance.
ACTIVATIONS: dict[Activation, tuple[Callable[[Tensor], Tensor], float]] = {
    "linear": (lambda x: x, 1.0),
    "relu": (torch.relu, math.sqrt(2)),
    "lrelu": (lambda x: F.leaky_relu(x, 0.2), math.sqrt(2)),
    "tanh": (torch.tanh, 1.0),
    "sigmoid": (torch.sigmoid, 1.0),
    "elu": (F.elu, 1.0),
    "selu": (F.selu, 1.0),
    "softplus": (F.softplus, 1.0),
    "swish": (F.silu, math.sqrt(2)),
}

EPSILON = 1e-8


def activate(x: Tensor, activation: Activation, gain: float = 1.0, clamp: float | None = None) -> Tensor:
    """The activation times its own gain and `gain`, then limited to ±(clamp · gain)."""
    function, own = ACTIVATIONS[activation]
    x = function(x)
    if own * gain != 1:
        x = x * (own * gain)
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)


def modulated_conv(
    x: Tensor, weight: Tensor, style: Tensor, convolve: Callable[[Tensor, Tensor], Tensor], demodulate: bool
) -> Tensor:
    """A convolution whose input channels are scaled by a style (Karras et al. 2020, section 2.2).

    Scaling the activations in front and the result behind equals scaling the weights, and lets all
    samples of a batch share one convolution.

    Args:
        x: [N,in,h,w].
        weight: [out,in,k,k].
        style: [N,in].
        convolve: the convolution, given (x, weight).
        demodulate: divide each output channel by the norm of its scaled weights.
    """
    x = convolve(x * style[:, :, None, None], weight)
    if demodulate:
        energy = weight.square().sum(dim=(2, 3))  # [out,in]
        x = x * (style.square() @ energy.t() + EPSILON).rsqrt()[:, :, None, None]
    return x


class Dense(nn.Module):
    """A fully connected layer whose weights are scaled as it runs (equalized learning rate)."""

    def __init__(
        self,
        weights: Weights,
        inputs: int | None,
        outputs: int | None,
        rate: float = 1.0,
        activation: Activation = "linear",
    ) -> None:
        super().__init__()
        self.weight = weights.parameter("weight", outputs, inputs)
        self.outputs, self.inputs = self.weight.shape
        self.bias = weights.parameter("bias", self.outputs)
        self._scale = rate / math.sqrt(self.inputs)
        self._rate = rate
        self._activation: Activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """[N,inputs] -> [N,outputs]."""
        return activate(F.linear(x, self.weight * self._scale, self.bias * self._rate), self._activation)
