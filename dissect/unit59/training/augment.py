"""What makes drawn pictures look like generated ones: blur, noise, changed colours, compression."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

#: Edge of the blocks that JPEG transforms.
BLOCK = 8


def augment(images: Tensor, random: torch.Generator) -> Tensor:
    """Each picture changed in its own way, and about a quarter not at all.

    Args:
        images: [N,3,H,W] in [-1,1]; sides are multiples of 8.
        random: a CPU generator.

    Returns:
        The same shape, clamped to [-1,1].
    """
    strength = torch.rand(6, len(images), 1, 1, 1, generator=random)
    kept = strength[0] < 0.25
    changed = _colours(images, strength[1], random)
    changed = _blur(changed, 0.9 * strength[2])
    changed = _compress(changed, 0.25 * (strength[3] - 0.5).clamp(min=0))
    coarse = torch.randn(len(images), 3, 16, 16, generator=random)
    fine = torch.randn(images.shape, generator=random)
    cloud = F.interpolate(coarse, size=images.shape[2:], mode="bilinear", align_corners=False)
    changed = changed + 0.12 * strength[4].square() * fine + 0.12 * strength[5].square() * cloud
    return torch.where(kept, images, changed).clamp(-1, 1)


def _colours(images: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and a tint."""
    count = len(images)
    drawn = torch.rand(6, count, 1, 1, 1, generator=random) * 2 - 1
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (1 + 0.35 * strength * drawn[0])
    images = images * (1 + 0.2 * strength * drawn[1]) + 0.12 * strength * drawn[2]
    tint = torch.cat([drawn[3], drawn[4], drawn[5]], dim=1)
    return images + 0.07 * strength * tint


def _blur(images: Tensor, sigma: Tensor) -> Tensor:
    """A Gaussian of [N,1,1,1] pixels each, over five taps."""
    offsets = torch.arange(-2.0, 3.0)
    taps = torch.exp(-offsets.square() / (2 * sigma.view(-1, 1).clamp(min=1e-2).square()))
    taps = (taps / taps.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)
    count, channels, height, width = images.shape
    x = F.pad(images, (2, 2, 2, 2), mode="replicate").view(1, count * channels, height + 4, width + 4)
    x = F.conv2d(x, taps[:, None, :, None], groups=count * channels)
    x = F.conv2d(x, taps[:, None, None, :], groups=count * channels)
    return x.view(count, channels, height, width)


def _compress(images: Tensor, step: Tensor) -> Tensor:
    """JPEG's loss: the cosine transform of 8x8 blocks, rounded to coarser steps at higher frequencies."""
    count, channels, height, width = images.shape
    index = torch.arange(BLOCK, dtype=torch.float32)
    basis = torch.cos(math.pi / BLOCK * (index[None, :] + 0.5) * index[:, None])
    basis = basis * torch.where(index == 0, math.sqrt(1 / BLOCK), math.sqrt(2 / BLOCK))[:, None]
    blocks = images.view(count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = torch.einsum("uy,ncaybx,vx->ncaubv", basis, blocks, basis)
    coarse = (step.view(-1, 1, 1, 1, 1, 1) * (1 + (index[:, None, None] + index) / 2)).clamp(min=1e-3)
    blocks = (blocks / coarse).round() * coarse
    blocks = torch.einsum("uy,ncaubv,vx->ncaybx", basis, blocks, basis)
    return blocks.reshape(images.shape)
