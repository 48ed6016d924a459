"""Bad regions of pictures: marked by somebody, or found by what a conditional model was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.errors import Unit59Error
from unit59.foundation.sources import Folder, decode
from unit59.measure.asked import request_of
from unit59.samples.cache import SampleCache
from unit59.studies.base import StudyError

Halves = tuple[list[int], list[int]]


def mask_files(folder: Path) -> dict[int, Path]:
    """Masks by sample number: ``0012.png`` is sample 12.

    Raises:
        StudyError: no such folder, or a file's name is no number or one that another has.
    """
    try:
        source = Folder(folder)
    except Unit59Error as error:
        raise StudyError(f"artifacts: bad: {error}") from None
    found: dict[int, Path] = {}
    for name in source.files:
        if not (name.stem.isascii() and name.stem.isdigit()) or int(name.stem) in found:
            raise StudyError(
                f"artifacts: bad: {folder / name}: name each mask by its sample's number, once, such as "
                "0012.png."
            )
        found[int(name.stem)] = folder / name
    return found


def from_masks(cache: SampleCache, files: dict[int, Path], samples: int) -> Tensor:
    """Masks on the compared grid, bool [samples,h,w]: a cell is bad when half of it is white.

    Raises:
        StudyError: a mask cannot be read.
    """
    height, width = cache.grid
    bad = torch.zeros(samples, height, width, dtype=torch.bool)
    for number, path in files.items():
        try:
            picture = decode(path.read_bytes(), str(path)).convert("L")
        except (OSError, Unit59Error) as error:
            raise StudyError(f"artifacts: bad: {error}") from None
        white = torch.from_numpy(np.asarray(picture) > 127)[None, None].double()
        bad[number] = F.interpolate(white, size=(height, width), mode="area")[0, 0] >= 0.5
    return bad


def from_pictures(cache: SampleCache, numbers: Sequence[int], samples: int) -> Tensor:
    """Whole pictures, bool [samples,h,w]."""
    bad = torch.zeros(samples, *cache.grid, dtype=torch.bool)
    bad[list(numbers)] = True
    return bad


def from_labels(cache: SampleCache, samples: int) -> Tensor:
    """Pixels that show something else than was asked for, bool [samples,h,w]."""
    asked = request_of(cache)
    height, width = cache.grid
    parts = []
    for shard in cache.shards:
        numbers = range(shard.start, min(shard.stop, samples))
        if numbers:
            shown = cache.labels(np.array(numbers))[:, asked.plane].view(-1, height, width)
            parts.append(shown != asked.of_samples(numbers))
    return torch.cat(parts)


def in_halves(bad: Tensor) -> Halves:
    """Two halves of the samples, each with every other of those that have bad regions and of the rest."""
    some = bad.flatten(1).any(dim=1).numpy()
    groups: list[NDArray[np.intp]] = [np.flatnonzero(some), np.flatnonzero(~some)]
    # The rest starts with the other half, so that an odd one out here and there does not add up.
    first = np.concatenate([groups[0][::2], groups[1][1::2]])
    second = np.concatenate([groups[0][1::2], groups[1][::2]])
    return sorted(map(int, first)), sorted(map(int, second))
