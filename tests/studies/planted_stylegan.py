"""A StyleGAN in which it is known where noise comes in and what amplifies it.

It is linear but for its norms (a leaky ReLU of slope 1), and noise comes in at the layers that say so only.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from unit59.foundation.progress import Reporter
from unit59.networks.files import save
from unit59.networks.stylegan import StyleGAN, StyleGANSettings
from unit59.networks.weights import Weights
from unit59.recipe.sections import read_recipe
from unit59.run import Options, dissect

UNITS, LATENT = 16, 6
#: layer0 and layer1 of 4x4, layer2 and layer3 of 8x8, and so on.
SIDES = (4, 4, 8, 8, 16, 16)

RECIPE = """\
model: planted
title: A planted StyleGAN
summary: Linear but for its norms.
checkpoint: planted.safetensors
segmenter: colours
samples: 24
seed: 4
layers: [layer0, layer3]
shuffles: 3
bootstrap: 20
exemplars: 4
studies:
{studies}
"""


def network(strengths: dict[int, float]) -> StyleGAN:
    """The network; `strengths` of the noise by layer's number, 0 where there is none."""
    generator = torch.Generator().manual_seed(2)

    def draw(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=generator) * scale

    made = {
        "mapping.0.weight": draw(LATENT, LATENT),
        "mapping.0.bias": torch.zeros(LATENT),
        "w_average": torch.zeros(LATENT),
        "output.weight": draw(3, UNITS, 1, 1, scale=0.05),
        "output.bias": torch.zeros(3),
    }
    for index, side in enumerate(SIDES):
        size = (
            (1, UNITS, 4, 4)
            if index == 0
            else (UNITS, UNITS, 4, 4)
            if index % 2 == 0
            else (UNITS, UNITS, 3, 3)
        )
        made |= {
            f"blocks.{index}.weight": draw(*size, scale=1.0 if index == 0 else 0.1),
            f"blocks.{index}.bias": torch.zeros(UNITS),
            f"blocks.{index}.noise": draw(1, 1, side, side),
            f"blocks.{index}.noise_strength": torch.full((UNITS,), strengths.get(index, 0.0)),
            f"blocks.{index}.style.weight": draw(2 * UNITS, LATENT, scale=0.1),
            f"blocks.{index}.style.bias": torch.zeros(2 * UNITS),
        }
    paths = [f"layer{index}" for index in range(len(SIDES))]
    return StyleGAN(StyleGANSettings(mapping_layers=1, slope=1.0, blur=None, paths=paths), Weights(made))


def run(folder: Path, strengths: dict[int, float], studies: str) -> Path:
    """Dissect it; the results folder of the model."""
    save(network(strengths), folder / "planted.safetensors")
    path = folder / "planted.yaml"
    path.write_text(RECIPE.format(studies=studies))
    return dissect(read_recipe(path), Options(folder / "results", folder / "cache"), Reporter(quiet=True))
