"""The drawn bedrooms as tensors: pictures, and label maps in the concepts' colours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.bedrooms.concepts import COLOURS, NAMES
from unit59.bedrooms.scenes import Scenes, draw
from unit59.samples.forms import Form

#: Scenes of the first seed are trained on. Those of the others only judge: as label maps that a model is
#: given, and as real pictures that generated ones are compared with.
TRAINED, HELD_OUT, COMPARED = 59, 60, 61
#: Scenes whose labels stay in memory: at 64 pixels, 16 MiB.
KEPT = 4096


class LabelMaps:
    """Held-out label maps as a picture-to-picture network's inputs.

    Args:
        count: how many.
        size: height and width.
    """

    concepts: Sequence[str] = NAMES

    def __init__(self, count: int, size: int) -> None:
        self._count, self.size = count, size
        self._known: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return self._count

    def load(self, numbers: Sequence[int]) -> Tensor:
        """The numbered label maps, float32 [N,3,size,size] in [-1,1]."""
        return _as_input(coloured(self._drawn(numbers)))

    @property
    def wanted(self) -> RealScenes:
        """Real pictures to compare with: scenes of their own, as many."""
        return RealScenes(self._count, self.size)

    def labels(self, numbers: Sequence[int]) -> Tensor:
        """What each pixel is asked to show, int64 [N,size,size]."""
        return torch.from_numpy(self._drawn(numbers)).long()

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """A hash of the numbered label maps."""
        return hashlib.sha256(coloured(self._drawn(numbers)).tobytes()).hexdigest()

    def _drawn(self, numbers: Sequence[int]) -> NDArray[np.uint8]:
        """Labels uint8 [N,size,size]; those of `KEPT` scenes stay in memory, as runs ask again and again."""
        missing = [number for number in dict.fromkeys(numbers) if number not in self._known]
        if len(self._known) + len(missing) > KEPT:
            self._known, missing = {}, list(dict.fromkeys(numbers))
        self._known |= zip(missing, draw(missing, HELD_OUT, self.size).labels, strict=True)
        return np.array([self._known[number] for number in numbers], np.uint8).reshape(
            -1, self.size, self.size
        )


class ScenesForm(Form):
    """``{bedrooms: 1024}``: so many label maps."""

    bedrooms: Annotated[int, Field(ge=1)]

    def open(self, base: Path, size: tuple[int, int]) -> LabelMaps:
        """See `Form.open`."""
        return LabelMaps(self.bedrooms, self.size or size[0])


class RealScenes:
    """Held-out scenes as real pictures; none of them is among the label maps.

    Args:
        count: how many.
        size: height and width.
    """

    def __init__(self, count: int, size: int) -> None:
        self._count, self._size = count, size

    def __len__(self) -> int:
        return self._count

    def load(self, numbers: Sequence[int]) -> Tensor:
        """The numbered pictures, float32 [N,3,size,size] in [-1,1]."""
        return pictures(draw(numbers, COMPARED, self._size))

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """A hash of the numbered pictures."""
        return hashlib.sha256(draw(numbers, COMPARED, self._size).pictures.tobytes()).hexdigest()


def pictures(scenes: Scenes) -> Tensor:
    """The scenes' pictures, float32 [N,3,H,W] in [-1,1]."""
    return _as_input(scenes.pictures)


def label_maps(scenes: Scenes) -> Tensor:
    """The scenes' label maps in the concepts' colours, float32 [N,3,H,W] in [-1,1]."""
    return _as_input(coloured(scenes.labels))


def coloured(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Label maps [N,H,W] as pictures [N,H,W,3] in the concepts' colours; nothing is black."""
    codes = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in COLOURS.values()]
    palette = np.array([[0, 0, 0], *codes], np.uint8)
    found: NDArray[np.uint8] = palette[labels]
    return found


def _as_input(levels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(levels).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
