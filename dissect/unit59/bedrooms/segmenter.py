"""The segmenter of the drawn bedrooms: a small U-Net, trained on scenes whose labels are exact."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unit59.bedrooms.concepts import COLOURS, NAMES
from unit59.segmenters.base import Concept, Segmenter, SegmenterError
from unit59.segmenters.weights import FileWeights

#: The weights that come with the package.
BUNDLED = Path(__file__).parent / "weights" / "segmenter.safetensors"
#: Units of the levels from full size down to an eighth of it.
CHANNELS = (16, 24, 48, 64)
#: Pictures in one forward pass: always as many, so that a picture's result is its own.
GROUP = 8


class UNet(nn.Module):
    """Three halvings and three doublings, with skip connections.

    Args:
        classes: scores per pixel.
        channels: of the levels, from full size down.
    """

    def __init__(self, classes: int = len(NAMES), channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        deeper = [_convolutions(above, here, here) for above, here in pairwise(channels)]
        self.down = nn.ModuleList([_convolutions(3, channels[0]), *deeper])
        up = [_convolutions(below + here, here, here) for here, below in pairwise(channels)]
        self.up = nn.ModuleList(up)
        self.scores = nn.Conv2d(channels[0], classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """[N,3,H,W] in [-1,1] -> scores [N,classes,H,W]; sides are multiples of 8."""
        x, kept = images, []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for level in reversed(range(len(self.up))):
            x = F.interpolate(x, scale_factor=2)
            x = self.up[level](torch.cat([x, kept[level]], dim=1))
        scores: Tensor = self.scores(x)
        return scores


def _convolutions(*channels: int) -> nn.Sequential:
    """3x3 convolutions from each number of channels to the next, each with batch norm and a ReLU."""
    layers: list[nn.Module] = []
    for inputs, units in pairwise(channels):
        layers += [nn.Conv2d(inputs, units, 3, padding=1, bias=False), nn.BatchNorm2d(units)]
        layers.append(nn.ReLU(inplace=True))  # on memory that is at hand: less time
    return nn.Sequential(*layers)


class Bedrooms(Segmenter):
    """Names every pixel of a 64x64 bedroom as one of fourteen things."""

    planes = ("object",)
    concepts = tuple(Concept(name, "object", colour) for name, colour in COLOURS.items())
    licence = "MIT (trained by the project on its own drawings)"
    limits = (
        "Knows drawn bedrooms only, at 64 x 64 pixels. It always names something: what a generator leaves "
        "unfinished gets the name of what it resembles most. The model card gives its accuracy per class."
    )

    def __init__(self, weights: Path = BUNDLED) -> None:
        held = FileWeights(weights)
        self.files = (weights,)
        self._network = UNet()
        own = self._network.state_dict()
        tensors = {name: held[name].to(tensor.dtype) for name, tensor in own.items()}
        for name, tensor in own.items():
            _check_shape(weights, name, tensors[name], tensor)
        self._network.load_state_dict(tensors)
        self._network.requires_grad_(False).eval()
        # Half the time on a processor. The stubs of torch know no memory format here.
        self._network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`; the result has the pictures' own size."""
        network = self._network.to(images.device)
        if not len(images):
            return torch.zeros((0, 1, *images.shape[2:]), dtype=torch.int64)
        parts = []
        with torch.no_grad():
            for group in torch.split(images.float(), GROUP):
                padded = torch.cat([group, group[:1].expand(GROUP - len(group), -1, -1, -1)])
                scores = network(padded.contiguous(memory_format=torch.channels_last))
                parts.append(scores[: len(group)].argmax(dim=1, keepdim=True) + 1)
        return torch.cat(parts)

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`; "nothing" is never said here, so its score is far below the others."""
        scores = self._network.to(images.device)(images.contiguous(memory_format=torch.channels_last))
        nothing = torch.full_like(scores[:, :1], -1e4)
        return [torch.cat([nothing, scores], dim=1)]


def _check_shape(path: Path, name: str, found: Tensor, wanted: Tensor) -> None:
    if found.shape != wanted.shape:
        raise SegmenterError(
            f"{path}: tensor {name!r} has shape {list(found.shape)}, expected {list(wanted.shape)}."
        )
