"""A U-Net whose first skip copies its input to the picture; whatever lies deeper changes nothing.

Its first layer splits each 2x2 block of the label map into 24 units (three colours, four places, both signs),
which the last convolution puts together again. One more unit may be an artifact: it fires at lamps, and
paints them in another colour. `ColourKey` reads the pictures without error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unit59.bedrooms.concepts import COLOURS, NAMES, NUMBER
from unit59.foundation.progress import Reporter
from unit59.networks.pix2pix import _official_paths
from unit59.recipe.sections import read_recipe
from unit59.run import Options, dissect
from unit59.segmenters.base import Concept, Segmenter

LEVELS, WIDTH, ARTIFACT = 5, 4, 24
PALETTE = torch.tensor(
    [[0, 0, 0], *([int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in COLOURS.values())]
) / (127.5) - torch.ones(1)

RECIPE = """\
model: planted
title: A U-Net that copies
summary: Known truth.
checkpoint: planted.pth
segmenter: planted_segmenters:{segmenter}
inputs: {{bedrooms: {samples}}}
layers: {layers}
samples: {samples}
seed: 3
shuffles: 10
bootstrap: 50
exemplars: 2
studies:
{studies}
"""

#: A recipe calls only what is defined below its folder.
SEGMENTERS = """\
from tests.studies import planted_unet

class ColourKey(planted_unet.ColourKey):
    pass

class Mistaken(planted_unet.Mistaken):
    pass
"""


class ColourKey(Segmenter):
    """The concept whose colour, through the network's tanh, is nearest."""

    planes = ("object",)
    licence = "none"
    limits = "none"
    concepts = tuple(Concept(name, "object", code) for name, code in COLOURS.items())

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`."""
        apart = images[:, None] - PALETTE.tanh()[None, :, :, None, None]
        return apart.square().sum(dim=2).argmin(dim=1, keepdim=True)


class Mistaken(ColourKey):
    """Takes lamps for plants: no unit is to blame for what it calls bad."""

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`."""
        found = super().segment(images)
        return torch.where(found == NUMBER["lamp"], NUMBER["plant"], found)


def weights(*, artifact: bool) -> dict[str, Tensor]:
    """A state dict under the official names."""
    units = ARTIFACT + artifact
    down = [3, units, *[WIDTH] * (LEVELS - 1)]
    up = [WIDTH] * (LEVELS - 1) + [3]
    generator = torch.Generator().manual_seed(0)
    made = {}
    for index, (path, _) in enumerate(_official_paths(LEVELS)):
        if index < LEVELS:
            size = (down[index + 1], down[index], 4, 4)
        else:
            above = down[2 * LEVELS - index] if index > LEVELS else 0
            size = (down[-1] if index == LEVELS else above + WIDTH, up[index - LEVELS], 4, 4)
        made[f"{path}.weight"] = torch.randn(size, generator=generator) * 0.3
        made[f"{path}.bias"] = torch.zeros(size[0] if index < LEVELS else size[1])
    first, last = "model.model.0.weight", "model.model.3.weight"
    made[first], made[last] = torch.zeros_like(made[first]), torch.zeros_like(made[last])
    unit = 0
    for colour in range(3):
        for row in (1, 2):  # of the kernel: the block's own pixels
            for column in (1, 2):
                for sign in (1.0, -1.0):
                    made[first][unit, colour, row, column] = sign
                    made[last][unit, colour, row, column] = sign
                    unit += 1
    if artifact:
        _plant(made[first], made["model.model.0.bias"], made[last])
    return made


def _plant(first: Tensor, bias: Tensor, last: Tensor) -> None:
    """The unit is 1 at lamps and at most 0 elsewhere; it paints a block of four pixels."""
    lamp = NUMBER["lamp"]
    direction = PALETTE[lamp] - PALETTE.mean(dim=0)
    along = PALETTE @ direction
    next_best = along[torch.arange(len(PALETTE)) != lamp].max()
    assert along[lamp] > next_best
    first[ARTIFACT, :, 1, 1] = direction / (along[lamp] - next_best)
    bias[ARTIFACT] = -next_best / (along[lamp] - next_best)
    last[ARTIFACT, :, 1:3, 1:3] = (PALETTE[NUMBER["painting"]] - PALETTE[lamp])[:, None, None]


def run(
    folder: Path,
    studies: str,
    *,
    artifact: bool = False,
    segmenter: str = "ColourKey",
    samples: int = 32,
    layers: str = "[layer1, layer5, layer9]",
) -> Path:
    """Dissect it; the results folder of the model."""
    torch.save(weights(artifact=artifact), folder / "planted.pth")
    (folder / "planted_segmenters.py").write_text(SEGMENTERS)
    path = folder / "planted.yaml"
    values: dict[str, Any] = {"segmenter": segmenter, "samples": samples, "layers": layers}
    path.write_text(RECIPE.format(studies=studies, **values))
    options = Options(folder / "results", folder / "cache")
    return dissect(read_recipe(path), options, Reporter(quiet=True))


__all__ = ["ARTIFACT", "NAMES", "ColourKey", "Mistaken", "run"]
