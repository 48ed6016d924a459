"""Tensors out of a file that nobody vouches for: right name, right shape, float32, in memory of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unit59.networks.base import NetworkError, require

#: Larger pictures than any published generator's; keeps a damaged file from asking for terabytes.
MAX_RESOLUTION = 4096


class Weights:
    """Named tensors or arrays, handed out checked.

    Args:
        tensors: by name.
        prefix: goes before every name that is asked for.
        fresh: whether the tensors were made for the network that takes them, and need no copy.
    """

    def __init__(self, tensors: Mapping[str, Any], prefix: str = "", *, fresh: bool = False) -> None:
        self._tensors, self._prefix, self._fresh = tensors, prefix, fresh

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._tensors

    def under(self, prefix: str) -> Weights:
        """The same tensors, their names beginning with `prefix`."""
        return Weights(self._tensors, self._prefix + prefix, fresh=self._fresh)

    def take(self, name: str, *shape: int | None) -> Tensor:
        """The tensor of that name and shape (None: any size), as contiguous float32 of its own memory.

        Raises:
            NetworkError: it is missing, no tensor of numbers, or of another shape.
        """
        value = require(self._tensors, self._prefix + name)
        if isinstance(value, int | float):
            value = np.array(value, np.float32)
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            with np.errstate(over="ignore", invalid="ignore"):  # a double beyond float32 is infinite there
                value = torch.from_numpy(np.array(value, np.float32, order="C"))  # rights the byte order too
        elif isinstance(value, Tensor) and not value.is_complex():
            if not self._fresh or value.dtype != torch.float32 or not value.is_contiguous():
                value = value.to(torch.float32).clone(memory_format=torch.contiguous_format)
        else:
            raise NetworkError(f"tensor {self._prefix + name!r} holds no numbers")
        found = tuple(value.shape)
        if len(found) != len(shape) or any(
            want not in (None, size) for want, size in zip(shape, found, strict=True)
        ):
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise NetworkError(f"tensor {self._prefix + name!r} has shape {list(found)}, expected [{wanted}]")
        if 0 in found:
            raise NetworkError(f"tensor {self._prefix + name!r} is empty")
        tensor: Tensor = value
        return tensor

    def parameter(self, name: str, *shape: int | None) -> nn.Parameter:
        """`take`, as a parameter that is not trained."""
        return nn.Parameter(self.take(name, *shape), requires_grad=False)


class Convolution(nn.Module):
    """`weight` and `bias` of a convolution or dense layer; `units_at`: the weight's dimension of outputs."""

    def __init__(self, weights: Weights, *shape: int | None, units_at: int = 0) -> None:
        super().__init__()
        self.weight = weights.parameter("weight", *shape)
        self.bias = weights.parameter("bias", self.weight.shape[units_at])


def to_rgb(weights: Weights, units: int) -> Convolution:
    """The 1x1 convolution [3 or 1, units, 1, 1] that makes the picture.

    Raises:
        NetworkError: it is missing or makes something else.
    """
    convolution = Convolution(weights, None, units, 1, 1)
    if convolution.bias.shape[0] not in (1, 3):
        raise NetworkError(f"pictures of {convolution.bias.shape[0]} channels")
    return convolution


def upsampling_kernel(weight: Tensor) -> Tensor:
    """The transposed convolution (stride 2, padding 1) that equals nearest x2 followed by a 3x3 convolution.

    Each input pixel becomes a 2x2 block, so the 3x3 kernel meets it at four offsets: the sum of its four
    shifts is one 4x4 kernel, and takes 4 multiplications a pixel in place of 9. Along one axis, tap a of the
    sum is the tap 2-a of the kernel plus its tap 3-a, as far as there are such.

    Args:
        weight: [out, in, 3, 3] of the convolution.

    Returns:
        [in, out, 4, 4] for `conv_transpose2d`.
    """
    axis = weight.new_tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
    outputs, inputs = weight.shape[:2]
    taps = weight.transpose(0, 1).reshape(inputs * outputs, 9) @ torch.kron(axis, axis).t()
    return taps.view(inputs, outputs, 4, 4)
