"""What an image processor of the `transformers` library does to a picture, from its configuration alone.

Done in torch, on the pictures' device, so that no torchvision is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

#: Pillow's numbers for its filters; torch has no Lanczos, and bicubic comes nearest.
_MODES = {0: "nearest-exact", 1: "bicubic", 2: "bilinear", 3: "bicubic"}
MAX_SIDE = 8192


@dataclass(frozen=True)
class Preprocessing:
    """Scaling and normalisation.

    Attributes:
        size: (height, width) to scale to; None leaves the proportions to `short`.
        short: short side to scale to; None (and no `size`) keeps the picture's own.
        longest: bound on the long side.
        multiple: both sides are rounded up to a multiple of this.
        mode: how it is scaled.
        factor: from 0..255 to what `mean` and `std` are in.
        mean: of each channel, or None.
        std: of each channel, or None.
        flip: the network wants blue, green, red.
    """

    size: tuple[int, int] | None = None
    short: int | None = None
    longest: int | None = None
    multiple: int = 1
    mode: str = "bilinear"
    factor: float = 1 / 255
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    flip: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any], short: int | None = None) -> Preprocessing:
        """From the content of ``preprocessor_config.json``; `short` overrides its size.

        Raises:
            TypeError, ValueError, KeyError: a field is not of the usual form.
        """
        size = config.get("size") if config.get("do_resize", True) else None
        given: dict[str, Any] = {}
        if short is not None:
            given["short"] = short
        elif isinstance(size, Mapping) and "height" in size:
            given["size"] = (_side(size["height"]), _side(size["width"]))
        elif isinstance(size, Mapping):
            longest = size.get("longest_edge", config.get("max_size"))
            given["short"] = _side(size["shortest_edge"])
            given["longest"] = None if longest is None else _side(longest)
        elif size is not None:
            given["size"] = (_side(size), _side(size))
        normal = config.get("do_normalize", True)
        return cls(
            **given,
            multiple=_side(
                config.get("size_divisor") or config.get("ensure_multiple_of") or (32 if short else 1)
            ),
            mode=_MODES[int(config.get("resample", 2))],
            factor=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
            mean=_channels(config["image_mean"]) if normal else None,
            std=_channels(config["image_std"]) if normal else None,
            flip=bool(config.get("do_flip_channel_order", False)),
        )

    def __call__(self, images: Tensor) -> Tensor:
        """[N,3,H,W] in [-1,1] to what the network takes."""
        pixels = (images.float().clamp(-1, 1) + 1) * 127.5
        shape = self.seen(images.shape[2], images.shape[3])
        if shape != tuple(images.shape[2:]):
            if self.mode == "nearest-exact":
                pixels = F.interpolate(pixels, shape, mode=self.mode)
            else:
                pixels = F.interpolate(pixels, shape, mode=self.mode, align_corners=False, antialias=True)
                pixels = pixels.clamp(0, 255)
        pixels = pixels * self.factor
        if self.mean is not None and self.std is not None:
            mean, std = (images.new_tensor(value)[None, :, None, None] for value in (self.mean, self.std))
            pixels = (pixels - mean) / std
        return pixels.flip(1) if self.flip else pixels

    def seen(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which a picture of this size is seen."""
        if self.size:
            height, width = self.size
        elif self.short:
            low, high = min(height, width), max(height, width)
            short = float(self.short)
            if self.longest:
                short = min(short, self.longest * low / high)
            # As the library: the short side is rounded, the long one cut off.
            sides = {high: int(short * high / low), low: round(short)}
            height, width = sides[height], sides[width]
        height, width = (-(-side // self.multiple) * self.multiple for side in (height, width))
        return height, width


def _side(value: Any) -> int:
    side = int(value)
    if not 1 <= side <= MAX_SIDE:
        raise ValueError(f"a size of {side}")
    return side


def _channels(value: Any) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in value)
    if len(numbers) != 3:
        raise ValueError(f"{len(numbers)} numbers for three channels")
    return numbers
