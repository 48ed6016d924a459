"""Checkpoints of a training: tensors as safetensors, the rest as JSON in their header; nothing executes.

A checkpoint is written whole or not at all, with a checksum. It holds everything that the next step depends
on; random numbers depend on the step's number (`unit59.training.randomness`), so no state of theirs is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import write_atomically
from unit59.training.recipe import TrainingRecipe

VERSION = "1"


class TrainingError(Unit59Error):
    """A training that cannot go on; names the file and the way out."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint.

    Attributes:
        step: how many steps are done.
        seconds: how long they took.
        tensors: what a trainer's `tensors` gave.
    """

    step: int
    seconds: float
    tensors: Mapping[str, Tensor]


def joined(**parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Several sets of named tensors as one: ``PART:NAME``."""
    return {
        f"{part}:{name}": tensor.detach() for part, held in parts.items() for name, tensor in held.items()
    }


def separated(tensors: Mapping[str, Tensor]) -> Mapping[str, dict[str, Tensor]]:
    """What `joined` joined; a part without tensors is empty."""
    parts: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, tensor in tensors.items():
        part, _, name = key.partition(":")
        parts[part][name] = tensor
    return parts


def write(path: Path, saved: Saved, recipe: TrainingRecipe) -> None:
    """Write a checkpoint atomically.

    Raises:
        OSError: there is no room.
    """
    tensors = {name: tensor.contiguous().cpu() for name, tensor in saved.tensors.items()}
    state = json.dumps(
        {"key": _key(recipe, saved.step), "step": saved.step, "seconds": round(saved.seconds, 1)}
    )
    metadata = {"unit59_training": VERSION, "state": state, "sha256": _checksum(state, tensors)}
    write_atomically(path, save(tensors, metadata))


def read(path: Path, recipe: TrainingRecipe) -> Saved | None:
    """The checkpoint, or None if there is none yet.

    Raises:
        TrainingError: damaged, or of another recipe.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        state = json.loads(metadata["state"])
        step, seconds = int(state["step"]), float(state["seconds"])
        # Earlier versions wrote none.
        if "sha256" in metadata and metadata["sha256"] != _checksum(metadata["state"], tensors):
            raise ValueError("its checksum does not match")
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise TrainingError(
            f"{path}: not a checkpoint of a training ({error}). Delete it to start anew."
        ) from None
    if metadata.get("unit59_training") != VERSION or state.get("key") != _key(recipe, step):
        raise TrainingError(
            f"{path}: belongs to other settings. Give the recipe another name, or delete {path.parent} "
            "to start anew."
        )
    return Saved(step, seconds, tensors)


def _checksum(state: str, tensors: Mapping[str, Tensor]) -> str:
    """A hash of everything that a checkpoint holds."""
    found = hashlib.sha256(state.encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _key(recipe: TrainingRecipe, step: int) -> str:
    """A hash of everything in a recipe that the weights after `step` steps depend on."""
    text = json.dumps(recipe.settings(step), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
