"""Pictures as a model's inputs: a folder of images, LSUN's databases, (label map, image) pairs.

In a recipe, under ``inputs``::

    {folder: images}                               # image files, sorted by name
    {lsun: bedroom_train_lmdb}                     # an LMDB folder
    {pairs: facades/test, direction: BtoA}         # one picture with A and B side by side
    {labels: facades/labels, images: facades/real} # two folders with the same names
    {segmented: {lsun: church_lmdb}, by: ade20k}   # label maps that a segmenter makes of pictures
    {bedrooms: 1024}                               # label maps of the bundled world's held-out scenes

each with ``size``, ``fit`` and ``resample`` if wanted. Any picture becomes float32 [3,H,W] in [-1,1].

The same forms name real pictures under ``real``: of pairs the pictures, of bedrooms further held-out scenes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from unit59.bedrooms.inputs import LabelMaps, RealScenes
from unit59.foundation.sources import Database, Folder, InputError, Source, decode
from unit59.foundation.suggest import nearest
from unit59.samples.segmented import Segmented
from unit59.segmenters import SegmenterError, load_segmenter

__all__ = ["InputError", "Inputs", "Labelled", "Pairs", "Pictures", "decode", "load_inputs", "load_real"]

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
class Labelled(Protocol):
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

    def targets(self, numbers: Sequence[int]) -> Tensor:
        """The real pictures, float32 [N,3,H,W] in [-1,1]; see `Pictures.load`."""
        return self.wanted.load(numbers)


# ---- from a recipe


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=4, le=8192)] | None = None
    fit: Literal["crop", "squash"] | None = None
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"

    def preparation(
        self,
        size: tuple[int, int],
        fit: Literal["crop", "squash"],
        half: Literal["left", "right"] | None = None,
    ) -> Preparation:
        height, width = (self.size, self.size) if self.size else size
        return Preparation(height, width, self.fit or fit, self.resample, half)


class _FolderForm(_Form):
    folder: Path

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        return Pictures(Folder(base / self.folder), self.preparation(size, "crop"))


class _LsunForm(_Form):
    lsun: Path

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        return Pictures(Database(base / self.lsun), self.preparation(size, "crop"))


class _AlignedForm(_Form):
    pairs: Path
    direction: Literal["AtoB", "BtoA"] = "AtoB"

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        source = Folder(base / self.pairs)
        left, right = (Pictures(source, self.preparation(size, "squash", half)) for half in ("left", "right"))
        return Pairs(left, right) if self.direction == "AtoB" else Pairs(right, left)


class _TwoFoldersForm(_Form):
    labels: Path
    images: Path

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        labels, images = Folder(base / self.labels), Folder(base / self.images)
        given, wanted = _stems(labels), _stems(images)
        for stem in sorted(given ^ wanted):
            has, lacks = (labels, images) if stem in given else (images, labels)
            raise InputError(f"{has.folder}: {stem!r} has no counterpart of that name in {lacks.folder}.")
        prepare = self.preparation(size, "squash")
        return Pairs(Pictures(labels, prepare), Pictures(images, prepare))


class _SegmentedForm(_Form):
    segmented: Any
    by: Any
    plane: str | None = None

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        pictures = load_inputs(self.segmented, base, (self.size, self.size) if self.size else size)
        if not isinstance(pictures, Pictures):
            raise InputError("inputs: segmented: expected pictures, `folder:` or `lsun:`.")
        try:
            segmenter = load_segmenter(self.by, base)
        except SegmenterError as error:
            raise InputError(f"inputs: by: {error}") from error
        if self.plane not in {None, *segmenter.planes}:
            has = ", ".join(segmenter.planes)
            raise InputError(f"inputs: plane: there is no {self.plane!r}; the segmenter has {has}.")
        return Segmented(pictures, segmenter, str(self.by), self.plane)


class _BedroomsForm(_Form):
    bedrooms: Annotated[int, Field(ge=1)]

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        return LabelMaps(self.bedrooms, self.size or size[0])


def _stems(folder: Folder) -> set[str]:
    """The names without suffixes, each once."""
    stems = [path.with_suffix("").as_posix() for path in folder.files]
    for before, after in pairwise(stems):
        if before == after:
            raise InputError(f"{folder.folder}: {after!r} is there with two suffixes; which is meant?")
    return set(stems)


#: A form is told by the first key, which only it has.
_FORMS: dict[
    str, type[_FolderForm | _LsunForm | _AlignedForm | _TwoFoldersForm | _SegmentedForm | _BedroomsForm]
] = {
    "folder": _FolderForm,
    "lsun": _LsunForm,
    "pairs": _AlignedForm,
    "labels": _TwoFoldersForm,
    "segmented": _SegmentedForm,
    "bedrooms": _BedroomsForm,
}


def load_inputs(spec: Any, base: Path, size: tuple[int, int]) -> Inputs:
    """Open the inputs that a recipe names.

    Args:
        spec: a mapping as in the module's text; a path alone is a folder of images.
        base: the folder that relative paths start from.
        size: height and width that the model takes, where the spec gives no other.

    Raises:
        InputError: an unknown or missing option, or nothing to read there.
    """
    if isinstance(spec, str | Path):
        spec = {"folder": spec}
    if not isinstance(spec, Mapping):
        raise InputError(f"inputs: expected a mapping such as `folder: images`, got {spec!r}.")
    kinds = [key for key in _FORMS if key in spec]
    if len(kinds) != 1:
        keys = [str(key) for key in spec]
        hint = nearest(keys[0], _FORMS) if keys and not kinds else "."
        raise InputError(f"inputs: expected exactly one of {', '.join(_FORMS)}, got {', '.join(keys)}{hint}")
    form = _FORMS[kinds[0]]
    try:
        chosen = form.model_validate(dict(spec))
    except ValidationError as error:
        # A misspelt option explains a missing one, so it comes first.
        first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        option = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            known = form.model_fields
            raise InputError(
                f"inputs: {kinds[0]} has no option {option!r}{nearest(option, known)} "
                f"It has {', '.join(known)}."
            ) from None
        raise InputError(f"inputs: option {option}: {first['msg']} (got {first['input']!r}).") from None
    return chosen.open(base, size)


def load_real(spec: Any, base: Path, size: tuple[int, int]) -> Inputs:
    """Open real pictures; see `load_inputs`.

    Of pairs these are the pictures that the model should make. Of bedrooms they are scenes of their own, so
    that a model that was given label maps is not judged on the same rooms.
    """
    opened = load_inputs(spec, base, size)
    if isinstance(opened, LabelMaps):
        return RealScenes(len(opened), opened.size)
    return opened.wanted if isinstance(opened, Pairs | Segmented) else opened
