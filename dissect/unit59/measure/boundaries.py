"""Where one concept ends and another begins: boundaries of label maps, and how well two maps' agree.

The boundary measure of segmentations (Csurka et al. 2013, "What is a good evaluation measure for semantic
segmentation?"): a boundary pixel counts as found when the other map has one at most so many pixels away.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

#: How far, in pixels in each direction, a boundary may have moved and still be the same.
TOLERANCE = 1


def boundaries(labels: Tensor) -> Tensor:
    """Pixels whose right or lower neighbour has another label: bool [N,h,w], from labels int [N,h,w]."""
    found = torch.zeros_like(labels, dtype=torch.bool)
    found[:, :, :-1] |= labels[:, :, :-1] != labels[:, :, 1:]
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return found


def count_boundaries(asked: Tensor, shown: Tensor) -> NDArray[np.int64]:
    """Per picture: boundary pixels asked for, those found; boundary pixels shown, those asked for.

    Args:
        asked: labels int [N,h,w].
        shown: labels int [N,h,w].

    Returns:
        [N,4].
    """
    first, second = boundaries(asked), boundaries(shown)
    parts = (first, first & _near(second), second, second & _near(first))
    return np.stack([part.sum(dim=(1, 2)).numpy() for part in parts], axis=1).astype(np.int64)


def _near(lines: Tensor) -> Tensor:
    """Pixels with a boundary at most `TOLERANCE` away in each direction."""
    grown = F.max_pool2d(lines[:, None].float(), 2 * TOLERANCE + 1, stride=1, padding=TOLERANCE)
    return grown[:, 0] > 0
