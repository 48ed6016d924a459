"""What a caller passes to a network that starts from latent codes, checked and put into place."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unit59.networks.base import NetworkError


def latent_codes(inputs: Tensor, size: int, like: Tensor) -> Tensor:
    """`inputs` as [N, size] float32 on the device of `like`.

    Raises:
        NetworkError: of another shape.
    """
    if inputs.dim() != 2 or inputs.shape[1] != size:
        raise NetworkError(f"the network takes z [N, {size}], got {list(inputs.shape)}.")
    return inputs.to(like.device, torch.float32)


def label_vectors(labels: Tensor | None, count: int, size: int, like: Tensor) -> Tensor | None:
    """`labels` as [count, size] float32, or None for a network without labels.

    Raises:
        NetworkError: labels are missing, not wanted, or of another shape.
    """
    if labels is None or labels.numel() == 0:
        if size:
            raise NetworkError(f"the network is conditional: it takes labels [{count}, {size}].")
        return None
    if not size:
        raise NetworkError("the network takes no labels.")
    if labels.shape != (count, size):
        raise NetworkError(f"the network takes labels [{count}, {size}], got {list(labels.shape)}.")
    return labels.to(like.device, torch.float32)


def truncate(w: Tensor, average: Tensor, psi: float, cutoff: int | None) -> Tensor:
    """Pull the codes of the layers below `cutoff` towards the average (Karras et al. 2019, appendix B).

    Args:
        w: [N, layers, w_size].
        average: [w_size].
        psi: 1 leaves everything as it is, 0 gives the average.
        cutoff: how many layers are pulled; None is all.

    Raises:
        NetworkError: `psi` is no number.
    """
    if not math.isfinite(psi):
        raise NetworkError(f"psi={psi}: expected a number.")
    end = w.shape[1] if cutoff is None else max(cutoff, 0)
    if psi == 1.0 or not end:
        return w
    return torch.cat([average + (w[:, :end] - average) * psi, w[:, end:]], dim=1)
