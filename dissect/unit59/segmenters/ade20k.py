"""The ADE20K models of MIT's semantic-segmentation-pytorch (Zhou et al. 2018): one plane, 150 objects.

Encoders: ResNet-18, 50 and 101 with a deep stem, plain or dilated. Decoders: UPerNet, pyramid pooling
(PPM) and a single convolution (C1), the latter two with or without deep supervision.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from unit59.checkpoints.published import how_to_get
from unit59.segmenters.base import NEVER, Concept, Segmenter, SegmenterError
from unit59.segmenters.palette import colour_of
from unit59.segmenters.pyramid import BINS, ConvNorm, FeaturePyramid, classifier, resize
from unit59.segmenters.resnet import ResNet
from unit59.segmenters.weights import FileWeights

#: Of the training pictures, red, green, blue in 0..1.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Short sides that the official evaluation averages over.
SIZES = (300, 375, 450, 525, 600)

_Side = Annotated[int, Field(ge=32, le=4096)]


class ADE20K(Segmenter):
    """Objects and stuff of ADE20K. Every pixel gets a concept: concept k is row k of ``object150_info.csv``.

    Args:
        encoder: ``encoder_epoch_*.pth``.
        decoder: ``decoder_epoch_*.pth``.
        names: a file with the classes' names, for other classes than the 150: a CSV with a column
            ``Name`` (synonyms behind a ``;`` are left out), or one name a line.
        sizes: short sides at which the picture is seen; the probabilities are averaged.
        longest: bound on the long side.
        dilated: whether the encoder is the dilated one, which the tensors do not tell. By default it is,
            unless the decoder is UPerNet: so are all published pairs.

    Raises:
        SegmenterError: a file is missing, or its tensors are not those of a known architecture.
        CheckpointError: a file cannot be read.
    """

    licence = (
        "BSD 3-Clause (MIT CSAIL, semantic-segmentation-pytorch); ADE20K images: non-commercial research"
    )
    limits = (
        "Trained on photographs of scenes; it names every pixel, and what is none of its 150 classes gets "
        "the most similar one."
    )
    planes = ("object",)

    def __init__(
        self,
        *,
        encoder: Path,
        decoder: Path,
        names: Path | None = None,
        sizes: Annotated[list[_Side], Field(min_length=1)] | None = None,
        longest: _Side = 1000,
        dilated: bool | None = None,
    ) -> None:
        self.sizes, self.longest = sizes or list(SIZES), longest
        missing = [path for path in (encoder, decoder) if not path.is_file()]
        if missing:
            raise SegmenterError(how_to_get(*missing))
        top, bottom = FileWeights(encoder), FileWeights(decoder)
        self.files = (encoder, decoder, *([names] if names else []))
        kind = _kind(bottom)
        with torch.device("meta"):
            self.encoder = ResNet(top, dilated=kind is not UPerNet if dilated is None else dilated)
            self.decoder = kind(bottom, self.encoder.widths)
        top.fill(self.encoder)
        bottom.fill(self.decoder)
        self.concepts = tuple(
            Concept(name, "object", colour_of(name))
            for name in class_names(names, self.decoder.classes, decoder)
        )

    @torch.no_grad()
    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`: int64 [N,1,H,W], 1 to 150.

        The pictures go through the network one by one, so that a picture's result is the same to the bit
        in every batch.
        """
        found = [self.scores(image[None]).argmax(1, keepdim=True) + 1 for image in images]
        return torch.cat(found) if found else torch.zeros((0, 1, *images.shape[2:]), dtype=torch.int64)

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`; nothing never wins."""
        scores = torch.cat([self.scores(image[None]) for image in images])
        return [torch.cat([torch.full_like(scores[:, :1], NEVER), scores], 1)]

    def scores(self, images: Tensor) -> Tensor:
        """Logarithms of the class probabilities' means over `sizes`.

        Args:
            images: [N,3,H,W] in [-1,1].

        Returns:
            [N,classes,H,W].
        """
        self.encoder.to(images.device)
        self.decoder.to(images.device)
        mean, std = (images.new_tensor(value)[None, :, None, None] for value in (MEAN, STD))
        pixels = ((images.float() + 1) / 2 - mean) / std
        total = torch.tensor(-torch.inf, device=images.device)
        for short in self.sizes:
            shape = seen_size(images.shape[2:], short, self.longest, self.encoder.stride)
            seen = F.interpolate(pixels, shape, mode="bilinear", align_corners=False, antialias=True)
            logits = self.decoder(self.encoder(seen))
            scores = resize(logits, images.shape[2:]).log_softmax(1) - math.log(len(self.sizes))
            total = torch.logaddexp(total, scores)
        return total


def seen_size(shape: Sequence[int], short: int, longest: int, multiple: int) -> tuple[int, int]:
    """Height and width at which a picture is seen: scaled to a short side, rounded up to a multiple."""
    scale = min(short / min(shape), longest / max(shape))
    height, width = (-(-int(side * scale) // multiple) * multiple for side in shape)
    return max(height, multiple), max(width, multiple)


class UPerNet(FeaturePyramid):
    """UPerNet with one head."""

    def __init__(self, weights: FileWeights, widths: Sequence[int]) -> None:
        super().__init__(weights, widths, F.adaptive_avg_pool2d)
        block = ConvNorm(weights, "conv_last.0", self.joined, 3)
        last = classifier(weights, "conv_last.1", block.width)
        self.conv_last = nn.Sequential(block, last)
        self.classes = last.out_channels

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """The encoder's stages to logits [N,classes,h,w]."""
        logits: Tensor = self.conv_last(self.join(self.levels(stages)))
        return logits


class PPM(nn.Module):
    """Pyramid pooling (Zhao et al. 2017) over the coarsest stage."""

    def __init__(self, weights: FileWeights, widths: Sequence[int]) -> None:
        super().__init__()
        top = widths[-1]
        pooled = [Pooled(weights, f"ppm.{index}", top, bins) for index, bins in enumerate(BINS)]
        self.ppm = nn.ModuleList(pooled)
        hidden = weights.shape("conv_last.0.weight")[0]
        last = classifier(weights, "conv_last.4", hidden)
        self.conv_last = nn.Sequential(
            nn.Conv2d(top + sum(block.width for block in pooled), hidden, 3, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Dropout2d(),
            last,
        )
        self.classes = last.out_channels
        _supervise(self, weights, widths[-2])

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """The encoder's stages to logits [N,classes,h,w]."""
        top = stages[-1]
        pooled = [resize(block(top), top.shape[2:]) for block in self.ppm]
        logits: Tensor = self.conv_last(torch.cat([top, *pooled], 1))
        return logits


class Pooled(nn.Sequential):
    """Average pooling to bins x bins, 1x1 convolution, batch norm, ReLU."""

    def __init__(self, weights: FileWeights, name: str, into: int, bins: int) -> None:
        self.width = weights.shape(f"{name}.1.weight")[0]
        conv = nn.Conv2d(into, self.width, 1, bias=False)
        super().__init__(nn.AdaptiveAvgPool2d(bins), conv, nn.BatchNorm2d(self.width), nn.ReLU())


class C1(nn.Module):
    """One convolution over the coarsest stage."""

    def __init__(self, weights: FileWeights, widths: Sequence[int]) -> None:
        super().__init__()
        self.cbr = ConvNorm(weights, "cbr", widths[-1], 3)
        self.conv_last = classifier(weights, "conv_last", self.cbr.width)
        self.classes = self.conv_last.out_channels
        _supervise(self, weights, widths[-2])

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """The encoder's stages to logits [N,classes,h,w]."""
        logits: Tensor = self.conv_last(self.cbr(stages[-1]))
        return logits


def _supervise(decoder: nn.Module, weights: FileWeights, into: int) -> None:
    """Give the deep supervision's tensors, which only training uses, their place."""
    if "conv_last_deepsup.weight" in weights:
        block = ConvNorm(weights, "cbr_deepsup", into, 3)
        decoder.cbr_deepsup = block
        decoder.conv_last_deepsup = classifier(weights, "conv_last_deepsup", block.width)


def _kind(weights: FileWeights) -> Callable[[FileWeights, Sequence[int]], UPerNet | PPM | C1]:
    for sign, kind in (("ppm_last_conv.0", UPerNet), ("ppm.0.1", PPM), ("cbr.0", C1)):
        if f"{sign}.weight" in weights:
            return kind
    raise SegmenterError(f"{weights.path}: no decoder known here (UPerNet, PPM, C1; HRNet is not).")


def class_names(path: Path | None, classes: int, decoder: Path) -> list[str]:
    """One name a class, from a file or, for 150 classes, ADE20K's own.

    Raises:
        SegmenterError: the file cannot be read, or the number of names is another.
    """
    if path is None:
        names = files("unit59.segmenters").joinpath("ade20k150.txt").read_text("utf-8").splitlines()
    else:
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SegmenterError(f"{path}: not a readable text file: {error}.") from None
        try:
            rows = list(csv.reader(lines))
        except csv.Error as error:
            raise SegmenterError(f"{path}: not a readable CSV file: {error}.") from None
        if rows and "Name" in rows[0]:
            column = rows[0].index("Name")
            names = [row[column].split(";")[0].strip() for row in rows[1:] if len(row) > column]
        else:
            names = [line.strip() for line in lines if line.strip()]
    if len(names) != classes:
        source = path or "ADE20K"
        raise SegmenterError(
            f"{decoder}: {classes} classes, but {source} has {len(names)} names; "
            "give the option `names` a file with one a line."
        )
    return names
