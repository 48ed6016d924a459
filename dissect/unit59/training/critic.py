"""The discriminators: of the progressively grown generators, and PatchGAN for pictures made from pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Equalised(nn.Module):
    """A convolution whose weights are N(0,1), scaled when used (Karras et al. 2018, section 4.1).

    Args:
        inputs: channels.
        units: channels.
        kernel: its edge; a kernel as large as its map is a dense layer.
        random: draws the weights.
        halves: whether each 2x2 block of the result is averaged (folded into one kernel with stride 2).
        padding: zeros around.
        gain: sqrt(2) before a leaky ReLU, 1 where none follows.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        kernel: int,
        random: torch.Generator,
        *,
        halves: bool = False,
        padding: int = 0,
        gain: float = math.sqrt(2),
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(units, inputs, kernel, kernel, generator=random))
        self.bias = nn.Parameter(torch.zeros(units))
        self.gain, self.halves, self.padding = gain / math.sqrt(inputs * kernel**2), halves, padding

    def forward(self, x: Tensor) -> Tensor:
        """[N,inputs,h,w] -> [N,units,h',w']."""
        weight = self.weight * self.gain
        if not self.halves:
            return F.conv2d(x, weight, self.bias, padding=self.padding)
        # Averaging 2x2 results is one kernel, wider by one: the mean of its four shifts.
        wide = F.pad(weight, (1, 1, 1, 1))
        weight = (wide[:, :, 1:, 1:] + wide[:, :, :-1, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, :-1]) / 4
        return F.conv2d(x, weight, self.bias, stride=2, padding=self.padding)


class GrowingCritic(nn.Module):
    """The discriminator of Progressive GAN and StyleGAN, for every size up to the largest.

    Args:
        channels: of the blocks for 4x4, 8x8, … pictures.
        random: draws the weights.
    """

    #: Samples whose spread makes the minibatch statistic (Karras et al. 2018, section 3).
    GROUP = 4
    #: From this size on a block has one convolution and not two: at full size they cost most and see least.
    SINGLE_FROM = 32

    def __init__(self, channels: Sequence[int], random: torch.Generator) -> None:
        super().__init__()
        sides = [4 * 2**index for index in range(len(channels))]
        self.colours, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        for index, (side, units) in enumerate(zip(sides, channels, strict=True)):
            self.colours[str(side)] = Equalised(3, units, 1, random)
            if index:
                below = channels[index - 1]
                own = [Equalised(units, below, 3, random, padding=1, halves=True), nn.LeakyReLU(0.2)]
                if side < self.SINGLE_FROM:
                    own = [Equalised(units, units, 3, random, padding=1), nn.LeakyReLU(0.2), *own]
                self.blocks[str(side)] = nn.Sequential(*own)
        first = channels[0]
        self.blocks["4"] = nn.Sequential(
            Equalised(first + 1, first, 3, random, padding=1),
            nn.LeakyReLU(0.2),
            Equalised(first, first, 4, random),
            nn.LeakyReLU(0.2),
            Equalised(first, 1, 1, random, gain=1),
        )

    def forward(self, images: Tensor, alpha: float = 1.0) -> Tensor:
        """Scores [N] of pictures [N,3,s,s]; `alpha` below 1 blends in the path of the next smaller size."""
        side = images.shape[2]
        x = F.leaky_relu(self.colours[str(side)](images), 0.2)
        while side > 4:
            x = self.blocks[str(side)](x)
            side //= 2
            if alpha < 1:
                smaller = F.leaky_relu(self.colours[str(side)](F.avg_pool2d(images, 2)), 0.2)
                x, alpha = smaller + alpha * (x - smaller), 1.0
        scores: Tensor = self.blocks["4"](self._with_spread(x))
        return scores.flatten()

    def _with_spread(self, x: Tensor) -> Tensor:
        """Append one map: how much the samples of a group differ, so that a collapse shows."""
        count, _, height, width = x.shape
        size = math.gcd(count, self.GROUP)
        groups = x.reshape(size, count // size, *x.shape[1:])
        spread = (groups.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        return torch.cat([x, spread.repeat(size)[:, None, None, None].expand(-1, 1, height, width)], dim=1)
