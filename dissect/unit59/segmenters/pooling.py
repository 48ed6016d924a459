"""Precise RoI pooling (Jiang et al. 2018, "Acquisition of localization confidence") over whole maps.

The map is read as a continuous, bilinearly interpolated function with values at integer coordinates and
zero beyond them; a bin is the exact mean of that function over its rectangle. Bilinear interpolation is
separable, so pooling a map F is A·F·Bᵀ with one small matrix a side, and needs no kernel of its own.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def precise_roi_pool(x: Tensor, bins: int) -> Tensor:
    """Mean over bins x bins rectangles of the region [0,W] x [0,H] of each map.

    Args:
        x: [N,C,H,W].
        bins: a side.

    Returns:
        [N,C,bins,bins].
    """
    rows, columns = (averaging(size, bins).to(x) for size in x.shape[2:])
    return rows @ x @ columns.T


@lru_cache(maxsize=256)
def averaging(size: int, bins: int) -> Tensor:
    """The matrix A, float64 [bins,size]: bin b's mean of the hat function around pixel i.

    A[b,i] = 1/(e-a) ∫ from a to e of max(0, 1-|t-i|) dt, with a = size·b/bins and e = size·(b+1)/bins.
    """
    edges = torch.arange(bins + 1, dtype=torch.float64)[:, None] * size / bins
    t = (edges - torch.arange(size, dtype=torch.float64)).clamp(-1, 1)
    integral = torch.where(t < 0, (1 + t) ** 2 / 2, 1 - (1 - t) ** 2 / 2)
    return (integral[1:] - integral[:-1]) * bins / size
