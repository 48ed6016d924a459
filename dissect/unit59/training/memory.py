"""How tensors lie in memory: channels last makes convolutions on a CPU up to a third faster."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def channels_last(tensor: Tensor) -> Tensor:
    """The same tensor, one pixel's channels side by side if it has four dimensions."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def arrange(module: nn.Module) -> None:
    """Lay a module's parameters channels last."""
    for parameter in module.parameters():
        parameter.data = channels_last(parameter.data)
