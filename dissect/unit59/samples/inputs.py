"""Numbered pictures as a model's inputs, float32 [3,H,W] in [-1,1]; pairs of what is given and wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from unit59.foundation.sources import InputError, Source, decode

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


class Inputs(Protocol):
    """Numbered pictures."""

    def __len__(self) -> int: ...

    def load(self, numbers: Sequence[int]) -> Tensor:
        """The numbered pictures, float32 [N,3,H,W] in [-1,1]."""

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """A hash of the numbered pictures' bytes and of how they are prepared."""


@runtime_checkable
class LabelledInputs(Protocol):
    """Inputs that say what each pixel is to show.

    Attributes:
        concepts: names; label v is ``concepts[v - 1]``, 0 is nothing.
    """

    concepts: Sequence[str]

    def labels(self, numbers: Sequence[int]) -> Tensor:
        """The numbered inputs' labels, int64 [N,H,W]."""


@dataclass(frozen=True)
class Preparation:
    """From a decoded picture to a model's input.

    Attributes:
        height: of the result.
        width: of the result.
        fit: ``crop`` the middle to the result's proportions first, or ``squash`` both sides.
        resample: how it is scaled; a picture that has the size already is left alone.
        half: which half of the picture is meant, before all this.
    """

    height: int
    width: int
    fit: Literal["crop", "squash"] = "crop"
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"
    half: Literal["left", "right"] | None = None

    def __call__(self, picture: Image.Image) -> Tensor:
        """float32 [3,height,width] in [-1,1]."""
        if self.half:
            middle = picture.width // 2
            left = 0 if self.half == "left" else middle
            picture = picture.crop((left, 0, left + middle, picture.height))
        if self.fit == "crop":
            scale = min(picture.width / self.width, picture.height / self.height)
            width, height = round(self.width * scale), round(self.height * scale)
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            picture = picture.crop((left, top, left + width, top + height))
        if picture.size != (self.width, self.height):
            picture = picture.resize((self.width, self.height), _RESAMPLING[self.resample])
        levels = torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)
        return (levels.float() / 255 - 0.5) / 0.5


class Pictures:
    """A source's pictures, prepared for a model.

    Args:
        source: where they lie.
        prepare: what is done to each.
    """

    def __init__(self, source: Source, prepare: Preparation) -> None:
        self.source, self.prepare = source, prepare

    def __len__(self) -> int:
        return len(self.source)

    def load(self, numbers: Sequence[int]) -> Tensor:
        """The numbered pictures, float32 [N,3,H,W] in [-1,1].

        Raises:
            InputError: there is no such number, or a picture cannot be read; names it.
        """
        shape = (0, 3, self.prepare.height, self.prepare.width)
        return torch.stack([self._one(number) for number in numbers]) if numbers else torch.zeros(shape)

    def fingerprint(self, numbers: Sequence[int]) -> str:
        """A hash of the numbered pictures' bytes and of how they are prepared."""
        whole = hashlib.sha256(repr(self.prepare).encode())
        for number in numbers:
            whole.update(hashlib.sha256(self.source.read(number)).digest())
        return whole.hexdigest()

    def _one(self, number: int) -> Tensor:
        if not 0 <= number < len(self):
            raise InputError(f"there is no input number {number}: there are {len(self)}.")
        picture = decode(self.source.read(number), self.source.name(number))
        if min(picture.size) < (2 if self.prepare.half else 1):
            raise InputError(f"{self.source.name(number)}: {picture.width} x {picture.height} pixels.")
        return self.prepare(picture)


class Pairs:
    """What a picture-to-picture model is given, and the picture that goes with it.

    Args:
        given: the model's inputs (label maps, for one).
        wanted: the real pictures.
    """

    def __init__(self, given: Pictures, wanted: Pictures) -> None:
        self.given, self.wanted = given, wanted
        self.load, self.fingerprint = given.load, given.fingerprint

    def __len__(self) -> int:
        return len(self.given)
