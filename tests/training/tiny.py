"""Training recipes small enough for a test."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

#: A recipe of each family that a test can run in a second.
RECIPES = {
    "stylegan": """\
name: tiny
family: stylegan
channels: [6, [5, 4], 3]
critic_channels: [4, 4, 3]
latent: 5
penalty_every: 3
save_seconds: 0.01
phases:
  - {side: 8, images: 40, batch: 4}
  - {side: 16, images: 64, fade: 32, batch: 8}
""",
    "progan": """\
name: tiny
family: progan
channels: [6, 4]
critic_channels: [4, 4]
latent: 5
save_seconds: 0.01
phases:
  - {side: 4, images: 24, batch: 4}
  - {side: 8, images: 48, fade: 24, batch: 4}
""",
    "pix2pix": """\
name: tiny
family: pix2pix
levels: 6
channels: 2
critic_channels: 2
images: 24
batch: 2
save_seconds: 0.01
""",
    "segmenter": """\
name: tiny
family: segmenter
images: 24
batch: 4
save_seconds: 0.01
""",
}


def write_recipe(folder: Path, family: str) -> Path:
    path = folder / f"{family}.yaml"
    path.write_text(RECIPES[family])
    return path


class Random:
    """Pictures of noise, by number."""

    def __init__(self, size: int) -> None:
        self.size = size

    def load(self, numbers: range) -> Tensor:
        rows = [
            torch.rand(3, self.size, self.size, generator=torch.Generator().manual_seed(i)) for i in numbers
        ]
        return torch.stack(rows) * 2 - 1
