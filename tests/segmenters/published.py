"""Weights in the published layout for tests: real-size names with random numbers, or changed small ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FIXTURES = Path(__file__).parents[1] / "fixtures"


def random_weights(shapes: Path, seed: int = 59, shrink: int = 1) -> dict[str, Tensor]:
    """Tensors by the names and shapes of a JSON file, scaled so that activations stay moderate.

    Args:
        shapes: {name: shape}.
        seed: of the numbers.
        shrink: divides every channel count but the picture's 3 and the classes' 150.
    """
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor] = {}
    for name, shape in json.loads(shapes.read_text()).items():
        small = [
            size if index > 1 or size in (1, 3, 150) else size // shrink for index, size in enumerate(shape)
        ]
        if name.endswith("num_batches_tracked"):
            made[name] = torch.zeros(small, dtype=torch.int64)
        elif name.endswith(("running_var", "_running_iter")) or (len(small) == 1 and name.endswith("weight")):
            made[name] = torch.rand(small, generator=generator) + 0.5
        else:
            fan_in = max(1, torch.Size(small[1:]).numel())
            made[name] = torch.randn(small, generator=generator) * (2 / fan_in) ** 0.5
    return made


def saved(tensors: Mapping[str, Tensor], path: Path) -> Path:
    """The file, as `torch.save` writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(tensors), path)
    return path


def fullsize_labels() -> dict[str, Any]:
    """A `labels.json` of the published counts, with made-up names but for those that have a meaning."""
    owners = {
        "sky": ["-", "cloud"],
        "building": ["-", "window", "roof"],
        "person": ["-", *(f"limb {i}" for i in range(20))],
    }
    rest = 427 - sum(map(len, owners.values()))
    return {
        "object": ["-", *owners, "window", *(f"object {i}" for i in range(331))],
        "material": ["-", *(f"material {i}" for i in range(25))],
        "scene": [f"scene {i}" for i in range(365)],
        "object_part": {**owners, "object 0": ["-", *(f"part {i}" for i in range(rest - 1))]},
    }
