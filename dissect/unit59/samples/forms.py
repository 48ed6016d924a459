"""How a recipe names pictures: a folder of images, LSUN's databases, pairs of label map and image.

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

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unit59.foundation.sources import Database, Folder, InputError
from unit59.foundation.suggest import explain_setting, nearest
from unit59.samples.inputs import Inputs, Pairs, Pictures, Preparation
from unit59.samples.label_maps import SegmentedPictures
from unit59.segmenters import SegmenterError, load_segmenter


class Form(BaseModel, ABC):
    """One way to name inputs; a form is told by the key that only it has."""

    model_config = ConfigDict(extra="forbid")

    size: Annotated[int, Field(ge=4, le=8192)] | None = None
    fit: Literal["crop", "squash"] | None = None
    resample: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"

    @abstractmethod
    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        """The inputs.

        Args:
            base: the folder that relative paths start from.
            size: height and width that the model takes, where the form gives no other.

        Raises:
            InputError: there is nothing to read there.
        """

    def preparation(
        self,
        size: tuple[int, int],
        fit: Literal["crop", "squash"],
        half: Literal["left", "right"] | None = None,
    ) -> Preparation:
        """How pictures are prepared; `size` and `fit` where the form gives no others."""
        height, width = (self.size, self.size) if self.size else size
        return Preparation(height, width, self.fit or fit, self.resample, half)


class _FolderForm(Form):
    folder: Path

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        return Pictures(Folder(base / self.folder), self.preparation(size, "crop"))


class _LsunForm(Form):
    lsun: Path

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        return Pictures(Database(base / self.lsun), self.preparation(size, "crop"))


class _AlignedForm(Form):
    pairs: Path
    direction: Literal["AtoB", "BtoA"] = "AtoB"

    def open(self, base: Path, size: tuple[int, int]) -> Inputs:
        source = Folder(base / self.pairs)
        left, right = (Pictures(source, self.preparation(size, "squash", half)) for half in ("left", "right"))
        return Pairs(left, right) if self.direction == "AtoB" else Pairs(right, left)


class _TwoFoldersForm(Form):
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


class _SegmentedForm(Form):
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
        return SegmentedPictures(pictures, segmenter, str(self.by), self.plane)


def _stems(folder: Folder) -> set[str]:
    """The names without suffixes, each once."""
    stems = [path.with_suffix("").as_posix() for path in folder.files]
    for before, after in pairwise(stems):
        if before == after:
            raise InputError(f"{folder.folder}: {after!r} is there with two suffixes; which is meant?")
    return set(stems)


#: A form is told by the first key, which only it has. That of the bundled world is imported when a recipe
#: asks for it, as a user's own code is.
_FORMS: dict[str, type[Form] | str] = {
    "folder": _FolderForm,
    "lsun": _LsunForm,
    "pairs": _AlignedForm,
    "labels": _TwoFoldersForm,
    "segmented": _SegmentedForm,
    "bedrooms": "unit59.bedrooms.inputs:ScenesForm",
}


def _form(kind: str) -> type[Form]:
    found = _FORMS[kind]
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        form: type[Form] = getattr(import_module(module), attribute)
        return form
    return found


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
    form = _form(kinds[0])
    try:
        chosen = form.model_validate(dict(spec))
    except ValidationError as error:
        raise InputError(f"inputs: {kinds[0]}: {explain_setting(error, form)}") from None
    return chosen.open(base, size)


def load_real(spec: Any, base: Path, size: tuple[int, int]) -> Inputs:
    """Open real pictures; see `load_inputs`.

    Of pairs these are the pictures that the model should make. Of bedrooms they are scenes of their own, so
    that a model that was given label maps is not judged on the same rooms.
    """
    opened = load_inputs(spec, base, size)
    wanted: Inputs = getattr(opened, "wanted", opened)
    return wanted
