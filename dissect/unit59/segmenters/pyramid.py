"""The decoders' shared trunk: pyramid pooling, then a feature pyramid (UPerNet, Xiao et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unit59.segmenters.weights import FileWeights

#: Bins a side of the pyramid pooling module (Zhao et al. 2017).
BINS = (1, 2, 3, 6)
#: (map [N,C,H,W], bins) -> [N,C,bins,bins]
Pool = Callable[[Tensor, int], Tensor]


class ConvNorm(nn.Sequential):
    """A convolution that keeps the size, batch norm, ReLU; its width is read from the weights."""

    def __init__(self, weights: FileWeights, name: str, into: int, kernel: int) -> None:
        self.width = weights.shape(f"{name}.0.weight")[0]
        conv = nn.Conv2d(into, self.width, kernel, padding=kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(self.width), nn.ReLU())


def classifier(weights: FileWeights, name: str, into: int) -> nn.Conv2d:
    """A 1x1 convolution to classes; their number is read from the weights."""
    return nn.Conv2d(into, weights.shape(f"{name}.weight")[0], 1)


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear, half-pixel centres."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


class FeaturePyramid(nn.Module):
    """UPerNet up to the convolution that fuses its levels.

    Args:
        weights: the decoder's, to read the widths from.
        widths: channels of the encoder's four stages, finest first.
        pool: how the coarsest stage is pooled.
    """

    def __init__(self, weights: FileWeights, widths: Sequence[int], pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        *finer, top = widths
        pooled = [ConvNorm(weights, f"ppm_conv.{index}", top, 1) for index in range(len(BINS))]
        self.ppm_conv = nn.ModuleList(pooled)
        self.ppm_last_conv = ConvNorm(weights, "ppm_last_conv", top + sum(block.width for block in pooled), 3)
        #: Channels of every level.
        self.width = self.ppm_last_conv.width
        into = [ConvNorm(weights, f"fpn_in.{index}", size, 1) for index, size in enumerate(finer)]
        out = [ConvNorm(weights, f"fpn_out.{index}.0", self.width, 3) for index in range(len(finer))]
        self.fpn_in = nn.ModuleList(into)
        self.fpn_out = nn.ModuleList(nn.Sequential(block) for block in out)
        #: Channels of all levels side by side.
        self.joined = self.width + sum(block.width for block in out)

    def levels(self, stages: Sequence[Tensor]) -> list[Tensor]:
        """The encoder's stages to as many levels, finest first; the last is the pooled top."""
        *finer, top = stages
        pooled = [top]
        for bins, conv in zip(BINS, self.ppm_conv, strict=True):
            pooled.append(conv(resize(self.pool(top, bins), top.shape[2:])))
        running = self.ppm_last_conv(torch.cat(pooled, 1))
        levels = [running]
        for stage, into, out in zip(finer[::-1], self.fpn_in[::-1], self.fpn_out[::-1], strict=True):
            running = into(stage) + resize(running, stage.shape[2:])
            levels.insert(0, out(running))
        return levels

    @staticmethod
    def join(levels: Sequence[Tensor]) -> Tensor:
        """All levels side by side at the finest one's size: [N,joined,h,w]."""
        return torch.cat([resize(level, levels[0].shape[2:]) for level in levels], 1)
