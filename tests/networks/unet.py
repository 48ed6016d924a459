"""pix2pix's U-Net out of torch's own modules, nested and named as the official one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """A level and everything below it; `model` is one flat sequence, as in the official state dict."""

    def __init__(self, layers: list[nn.Module], outermost: bool = False) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y if self.outermost else torch.cat([x, y], dim=1)


class UNet(nn.Module):
    """Widths ngf, 2 ngf, 4 ngf, then 8 ngf; dropout at level 5 and below, but not at the innermost."""

    def __init__(
        self,
        levels: int,
        width: int,
        norm: str = "batch",
        dropout: float = 0.5,
        colours: tuple[int, int] = (3, 3),
    ) -> None:
        super().__init__()
        norms: dict[str, Callable[[int], nn.Module]] = {
            "batch": nn.BatchNorm2d,
            "instance": nn.InstanceNorm2d,
            "none": lambda units: nn.Identity(),
        }
        make = norms[norm]
        bias = norm == "instance"
        widths = [width * min(2**level, 8) for level in range(levels)]
        block: list[nn.Module] = [
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[-2], widths[-1], 4, 2, 1, bias=bias),
            nn.ReLU(),
            nn.ConvTranspose2d(widths[-1], widths[-2], 4, 2, 1, bias=bias),
            make(widths[-2]),
        ]
        for level in range(levels - 1, 1, -1):
            outer, inner = widths[level - 2], widths[level - 1]
            block = [
                nn.LeakyReLU(0.2),
                nn.Conv2d(outer, inner, 4, 2, 1, bias=bias),
                make(inner),
                Block(block),
                nn.ReLU(),
                nn.ConvTranspose2d(2 * inner, outer, 4, 2, 1, bias=bias),
                make(outer),
                *([nn.Dropout(dropout)] if level >= 5 else []),
            ]
        first = nn.Conv2d(colours[0], widths[0], 4, 2, 1, bias=bias)
        last = nn.ConvTranspose2d(2 * widths[0], colours[1], 4, 2, 1)
        self.model = Block([first, Block(block), nn.ReLU(), last, nn.Tanh()], outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        """[N,C,H,W] -> [N,3,H,W]."""
        y: Tensor = self.model(x)
        return y


def random_unet(
    levels: int = 6,
    width: int = 4,
    norm: str = "batch",
    dropout: float = 0.5,
    colours: tuple[int, int] = (3, 3),
) -> UNet:
    """Random weights and statistics, in evaluation mode."""
    torch.manual_seed(levels)
    net = UNet(levels, width, norm, dropout, colours).requires_grad_(False).eval()
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand_like(tensor) + 0.5)
        elif tensor.is_floating_point():
            tensor.copy_(torch.randn_like(tensor) * (0.2 if tensor.dim() == 4 else 0.5))
    return net
