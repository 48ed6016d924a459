"""The encoders of MIT's scene-parsing models: ResNets (He et al. 2016) with a deep stem and no classifier.

Depth, block kind and widths are read from the names and shapes of the tensors.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from unit59.segmenters.weights import FileWeights


class ResNet(nn.Module):
    """An encoder of four stages behind a stem of three 3x3 convolutions.

    Args:
        weights: names and shapes to build from (`FileWeights.fill` brings the numbers).
        dilated: the last two stages keep the resolution and widen their kernels' reach instead, so that
            the total stride is 8 and not 32 (Yu et al. 2017).
    """

    def __init__(self, weights: FileWeights, *, dilated: bool = False) -> None:
        super().__init__()
        self.stride = 8 if dilated else 32
        width = 3
        for number in (1, 2, 3):
            into, width = width, weights.shape(f"conv{number}.weight")[0]
            stride = 2 if number == 1 else 1
            setattr(self, f"conv{number}", nn.Conv2d(into, width, 3, stride, 1, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(width))
        strides = (1, 2, 1, 1) if dilated else (1, 2, 2, 2)
        dilations = (1, 1, 2, 4) if dilated else (1, 1, 1, 1)
        #: Channels of each stage's output.
        self.widths: list[int] = []
        for number, (stride, dilation) in enumerate(zip(strides, dilations, strict=True), start=1):
            blocks = []
            for index in range(max(1, weights.count(f"layer{number}.{{}}.conv1.weight"))):
                # A dilated stage's first block reaches half as far: its strided convolution lost the stride.
                reach = (max(1, dilation // 2) if index == 0 else dilation, dilation)
                step = stride if index == 0 else 1
                blocks.append(Block(weights, f"layer{number}.{index}", width, step, reach))
                width = blocks[-1].width
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            self.widths.append(width)

    def forward(self, x: Tensor) -> list[Tensor]:
        """[N,3,H,W] to the four stages' outputs, finest first."""
        for number in (1, 2, 3):
            x = F.relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
        x = F.max_pool2d(x, 3, 2, 1)
        stages = []
        for number in (1, 2, 3, 4):
            x = getattr(self, f"layer{number}")(x)
            stages.append(x)
        return stages


class Block(nn.Module):
    """A residual block: convolutions of 1x1, 3x3, 1x1 (bottleneck) or 3x3, 3x3 (basic).

    Args:
        weights: to read the widths from.
        prefix: of the block's names.
        into: channels of the input.
        stride: of the first 3x3 convolution, and of the shortcut.
        reach: dilation of the first and of the second 3x3 convolution.
    """

    def __init__(
        self, weights: FileWeights, prefix: str, into: int, stride: int, reach: tuple[int, int]
    ) -> None:
        super().__init__()
        if f"{prefix}.conv3.weight" in weights:
            plan = [(1, 1, 1), (3, stride, reach[0]), (1, 1, 1)]
        else:
            plan = [(3, stride, reach[0]), (3, 1, reach[1])]
        self.depth = len(plan)
        self.width = into
        for number, (kernel, step, dilation) in enumerate(plan, start=1):
            before, self.width = self.width, weights.shape(f"{prefix}.conv{number}.weight")[0]
            padding = dilation if kernel == 3 else 0
            conv = nn.Conv2d(before, self.width, kernel, step, padding, dilation, bias=False)
            setattr(self, f"conv{number}", conv)
            setattr(self, f"bn{number}", nn.BatchNorm2d(self.width))
        self.downsample: nn.Module | None = None
        if stride != 1 or into != self.width:
            conv = nn.Conv2d(into, self.width, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(self.width))

    def forward(self, x: Tensor) -> Tensor:
        """[N,C,H,W] to the block's output."""
        shortcut = x if self.downsample is None else self.downsample(x)
        for number in range(1, self.depth + 1):
            x = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x))
            if number < self.depth:
                x = F.relu(x)
        return F.relu(x + shortcut)
