"""What a change does to a picture, apart: which concepts are where, and how the rest looks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def effects(before: Tensor, after: Tensor, labels: tuple[Tensor, Tensor], window: int) -> Tensor:
    """Object and texture effects of a change.

    The texture effect is the mean absolute change of the pixels that kept their concept. Its slow part, the
    mean of the change over the window around a pixel (over those pixels of it that kept their concept), is a
    change of colour; what is left is a change of detail. The two are means of absolute values: they do not
    add up to the whole.

    Args:
        before: pictures uint8 [N,H,W,3].
        after: pictures uint8 [N,H,W,3].
        labels: one plane of the segmentations, before and after, int [N,h,w] each.
        window: side in pixels, odd.

    Returns:
        float64 [N,4], columns as in `unit59.studies.textures.numbers`: share of the pixels whose concept
        changed; texture, colour and detail effect in levels of 0..255, 0 where no pixel kept its concept.
    """
    kept = labels[0] == labels[1]
    objects = 1 - kept.double().mean(dim=(1, 2))
    size = (int(before.shape[1]), int(before.shape[2]))
    mask = F.interpolate(kept[:, None].double(), size=size, mode="nearest-exact")
    change = (after.double() - before.double()).permute(0, 3, 1, 2) * mask
    slow = _sum(change, window) / _sum(mask, window).clamp(min=1e-9) * mask
    pixels = 3 * mask.sum(dim=(1, 2, 3)).clamp(min=1)
    means = [part.abs().sum(dim=(1, 2, 3)) / pixels for part in (change, slow, change - slow)]
    return torch.stack([objects, *means], dim=1)


def _sum(x: Tensor, window: int) -> Tensor:
    """Sums over the window around each pixel, up to a factor; beyond the border is nothing."""
    return F.avg_pool2d(x, window, stride=1, padding=window // 2)


def window_of(height: int, width: int) -> int:
    """A sixteenth of the picture's shorter side, odd, at least 3."""
    return max(3, min(height, width) // 16 | 1)


def smooth(noise: Tensor, window: int) -> Tensor:
    """Noise [N,3,H,W] without detail: one value a window, bilinear between; deviation about as before."""
    height, width = int(noise.shape[2]), int(noise.shape[3])
    coarse = noise[:, :, : max(2, height // window), : max(2, width // window)]
    return F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
