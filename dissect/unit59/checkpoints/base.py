"""What a checkpoint is once it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from unit59.foundation.errors import Unit59Error


class CheckpointError(Unit59Error):
    """A file that cannot be loaded: names the file and the tensor or opcode."""


class RefusedError(Exception):
    """What is wrong at one place; the reader that knows file and place makes a `CheckpointError` of it."""


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint file, as plain data.

    Attributes:
        path: the file.
        container: torch-zip, torch-legacy, pickle or safetensors.
        content: dicts, lists, tuples, numbers, strings, tensors and arrays; objects of classes that a
            published format uses stand as inert records of their state.
        metadata: safetensors metadata; empty for other containers.
    """

    path: Path
    container: str
    content: Any
    metadata: Mapping[str, str] = field(default_factory=dict)

    def fail(self, what: str) -> CheckpointError:
        """An error that names this file."""
        return CheckpointError(f"{self.path}: {what}")

    def state_dict(self, *nested_under: str) -> dict[str, Tensor] | None:
        """The content as {name: tensor}, at the top or under one of the given keys, or None."""
        for candidate in (self.content, *(_get(self.content, key) for key in nested_under)):
            if (
                isinstance(candidate, Mapping)
                and candidate
                and all(isinstance(key, str) for key in candidate)
                and all(isinstance(value, Tensor) for value in candidate.values())
            ):
                return dict(candidate)
        return None


def _get(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, Mapping) else None
