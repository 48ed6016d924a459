"""UPerNet of unified perceptual parsing (Xiao et al. 2018), as GAN Dissection uses it.

Three planes: objects, materials and parts of sky, building and person. Files: ``encoder_epoch_40.pth``,
``decoder_epoch_40.pth`` and ``labels.json`` of ``upp-resnet50-upernet``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from unit59.checkpoints.published import how_to_get
from unit59.segmenters.base import Segmenter, SegmenterError
from unit59.segmenters.parsing_labels import read_labels
from unit59.segmenters.pooling import precise_roi_pool
from unit59.segmenters.pyramid import ConvNorm, FeaturePyramid, classifier, resize
from unit59.segmenters.resnet import ResNet
from unit59.segmenters.weights import FileWeights

#: The published files, and what they may be called.
FILES = {
    "encoder_epoch_40.pth": "*encoder_epoch_*.pth",
    "decoder_epoch_40.pth": "*decoder_epoch_*.pth",
    "labels.json": "*labels.json",
}
#: Mean of the training pictures, blue, green, red in 0..255.
MEAN_BGR = (102.9801, 115.9465, 122.7717)


class UnifiedParsing(Segmenter):
    """Objects, materials and parts, numbered as in GAN Dissection.

    0 is nothing, then come the objects, the materials, and the parts that are not named like an object
    (a building's window is the object window). The part plane is filled where the object plane shows the
    part's owner. So a merged part stands in the part plane under its object's number.

    Args:
        folder: with one ``*encoder_epoch_*.pth``, one ``*decoder_epoch_*.pth`` and one ``*labels.json``.
        segsizes: short side that the picture is brought to for the network, by adaptive average pooling;
            the class probabilities of several sizes are summed.
        downsample: the segmentation is the picture's size divided by this.

    Raises:
        SegmenterError: a file is missing, or its tensors are not those of the architecture.
        CheckpointError: a file cannot be read.
    """

    licence = "BSD 3-Clause (MIT CSAIL, unifiedparsing); trained on Broden+ (ADE20K, Pascal, OpenSurfaces)"
    limits = (
        "Trained on photographs of scenes: on close-ups, drawings and distorted pictures it still names "
        "every pixel. Parts are told only for sky, building and person."
    )
    planes = ("object", "material", "part")

    def __init__(
        self,
        *,
        folder: Path,
        segsizes: Annotated[list[Annotated[int, Field(ge=32, le=2048)]], Field(min_length=1)] | None = None,
        downsample: Annotated[int, Field(ge=1)] = 1,
    ) -> None:
        self.segsizes = segsizes or [256]
        self.downsample = downsample
        top, bottom, names = _files(folder)
        self.labels = read_labels(names)
        self.concepts = self.labels.concepts
        encoder, decoder = FileWeights(top), FileWeights(bottom)
        self.files = (self.labels.path, encoder.path, decoder.path)
        with torch.device("meta"):
            self.encoder = ResNet(encoder)
            self.decoder = ParsingDecoder(decoder, self.encoder.widths)
        encoder.fill(self.encoder)
        decoder.fill(self.decoder)
        for head, classes in self.labels.classes().items():
            found = decoder.shape(f"{head}_head.{2 if head == 'scene' else 1}.weight")[0]
            if found != classes:
                raise SegmenterError(
                    f"{decoder.path}: {found} {head} classes, but {self.labels.path} names {classes}."
                )

    @torch.no_grad()
    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`: int64 [N,3,H//downsample,W//downsample].

        The pictures go through the network one by one, so that a picture's result is the same to the bit
        in every batch.
        """
        size = self._size(images)
        found = [self.labels.number(*self.scores(image[None], size)) for image in images]
        return torch.cat(found) if found else torch.zeros((0, 3, *size), dtype=torch.int64)

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`; None for parts, which hang on the best object."""
        size = self._size(images)
        scores = [self.scores(image[None], size) for image in images]
        return [torch.cat([one[0] for one in scores]), torch.cat([one[1] for one in scores]), None]

    def _size(self, images: Tensor) -> tuple[int, int]:
        height, width = (side // self.downsample for side in images.shape[2:])
        if height == 0 or width == 0:
            raise SegmenterError(
                f"upernet: downsample {self.downsample} leaves nothing of {list(images.shape[2:])}."
            )
        return height, width

    def scores(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Logarithms of the class probabilities' sums over `segsizes`.

        Args:
            images: [N,3,H,W] in [-1,1].
            size: of the result.

        Returns:
            Objects [N,objects,h,w], materials [N,materials,h,w], and for each owner in
            `ParsingLabels.owners` its parts [N,parts,h,w].
        """
        self.encoder.to(images.device)
        self.decoder.to(images.device)
        mean = images.new_tensor(MEAN_BGR)[None, :, None, None]
        pixels = ((images.float() + 1) / 2 * 255).flip(1) - mean
        short = min(images.shape[2:])
        total: list[Tensor] = []
        for segsize in self.segsizes:
            height, width = (round(side * segsize / short) for side in images.shape[2:])
            logits = self.decoder(self.encoder(F.adaptive_avg_pool2d(pixels, (height, width))))
            groups = [logits["object"], logits["material"]]
            groups += [logits["part"][:, owner.channels] for owner in self.labels.owners]
            scores = [resize(group, size).log_softmax(1) for group in groups]
            total = list(map(torch.logaddexp, total, scores)) if total else scores
        return total[0], total[1], total[2:]


class ParsingDecoder(FeaturePyramid):
    """UPerNet's four heads over precise RoI pooling.

    Args:
        weights: names and shapes to build from.
        widths: channels of the encoder's stages.
    """

    def __init__(self, weights: FileWeights, widths: Sequence[int]) -> None:
        super().__init__(weights, widths, precise_roi_pool)
        self.conv_fusion = ConvNorm(weights, "conv_fusion", self.joined, 3)
        scene = ConvNorm(weights, "scene_head.0", self.width, 3)
        self.scene_head = nn.Sequential(
            scene, nn.AdaptiveAvgPool2d(1), classifier(weights, "scene_head.2", scene.width)
        )
        self.object_head = _head(weights, "object_head", self.conv_fusion.width)
        self.part_head = _head(weights, "part_head", self.conv_fusion.width)
        self.material_head = _head(weights, "material_head", self.width)

    def forward(self, stages: Sequence[Tensor]) -> dict[str, Tensor]:
        """The encoder's stages to logits [N,classes,h,w] by head (scene: [N,classes,1,1])."""
        levels = self.levels(stages)
        fused = self.conv_fusion(self.join(levels))
        return {
            "scene": self.scene_head(levels[-1]),
            "object": self.object_head(fused),
            "part": self.part_head(fused),
            "material": self.material_head(levels[0]),
        }


def _head(weights: FileWeights, name: str, into: int) -> nn.Sequential:
    block = ConvNorm(weights, f"{name}.0", into, 3)
    return nn.Sequential(block, classifier(weights, f"{name}.1", block.width))


def _files(folder: Path) -> list[Path]:
    """The encoder, the decoder and the labels.

    Raises:
        SegmenterError: one is missing, or there are two.
    """
    found = [sorted(folder.glob(pattern)) for pattern in FILES.values()]
    missing = [folder / name for name, files in zip(FILES, found, strict=True) if not files]
    if missing:
        raise SegmenterError(how_to_get(*missing))
    for pattern, files in zip(FILES.values(), found, strict=True):
        if len(files) > 1:
            names = ", ".join(path.name for path in files)
            raise SegmenterError(f"{folder}: expected one file {pattern}, found {names}.")
    return [files[0] for files in found]
