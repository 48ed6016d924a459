"""A tiny DCGAN with random weights and a recipe for it: the whole pipeline in a second, no downloads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unit59.foundation.progress import Reporter
from unit59.recipe.sections import read_recipe
from unit59.run import Options, dissect

RECIPE = """\
model: {model}
title: A tiny DCGAN
summary: Random weights; says nothing about anything.
checkpoint: {weights}
segmenter: colours
layers: {layers}
samples: {samples}
seed: {seed}
shuffles: 3
bootstrap: 20
exemplars: {exemplars}
{more}
"""


def tensors(seed: int = 0, widths: tuple[int, ...] = (6, 5, 4), latent: int = 7) -> dict[str, Tensor]:
    """A state dict of the DCGAN tutorial: three hidden layers, 32x32 pictures."""
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor] = {}
    sizes = (latent, *widths, 3)
    for index, (size_in, size_out) in enumerate(pairwise(sizes)):
        made[f"main.{3 * index}.weight"] = torch.randn(size_in, size_out, 4, 4, generator=generator) * 0.4
        if size_out != 3:
            norm = f"main.{3 * index + 1}"
            made[f"{norm}.weight"] = torch.rand(size_out, generator=generator) + 0.5
            made[f"{norm}.bias"] = torch.randn(size_out, generator=generator) * 0.2
            made[f"{norm}.running_mean"] = torch.zeros(size_out)
            made[f"{norm}.running_var"] = torch.ones(size_out)
            made[f"{norm}.num_batches_tracked"] = torch.tensor(1)
    return made


def write_recipe(folder: Path, name: str = "tiny.yaml", **values: Any) -> Path:
    """The recipe and its weights in `folder`."""
    weights = folder / "tiny.pth"
    if not weights.exists():
        torch.save({"netG_state_dict": tensors()}, weights)
    filled = {
        "model": "tiny",
        "weights": "tiny.pth",
        "layers": "all",
        "samples": 70,
        "seed": 3,
        "exemplars": 4,
        "more": "",
        **values,
    }
    path = folder / name
    path.write_text(RECIPE.format(**filled))
    return path


class Listening(Reporter):
    """A quiet reporter that remembers what it was told to say."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Remember a line."""
        self.said.append(text)


def run(
    folder: Path,
    results: str = "results",
    cache: str = "cache",
    batch: int = 64,
    report: Reporter | None = None,
    **values: Any,
) -> Path:
    """Dissect it; the results folder of the model."""
    options = Options(folder / results, folder / cache, batch=batch)
    return dissect(read_recipe(write_recipe(folder, **values)), options, report or Reporter(quiet=True))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a model's results but the log of the run."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
