"""Where in the picture an edit works: a box, a mask, a concept; and what of a layer's map that is."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, model_validator
from torch import Tensor

from unit59.foundation.errors import Unit59Error
from unit59.foundation.sources import decode
from unit59.foundation.suggest import nearest
from unit59.segmenters import Segmenter


class EditError(Unit59Error):
    """An edit that says something it may not, or that does not fit the layer."""


class Where(BaseModel):
    """A part of the picture: a box, a mask or a concept."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    box: tuple[float, float, float, float] | None = None
    """Top, left, bottom, right as shares of the picture's height and width."""
    mask: Path | None = None
    """A grey picture; what is lighter than the middle grey belongs."""
    concept: str | None = None
    """Where the segmenter finds it in the unedited picture."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(part is not None for part in (self.box, self.mask, self.concept)) != 1:
            raise ValueError("give one of box, mask and concept")
        if self.box is not None:
            top, left, bottom, right = self.box
            if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
                raise ValueError("a box is top, left, bottom, right in 0..1, top < bottom, left < right")
        return self


def region(where: Where | None, size: tuple[int, int], labels: Tensor, segmenter: Segmenter) -> Tensor | None:
    """Where an edit works, on a layer's map: bool [N or 1,1,h,w], or None for everywhere.

    A cell of the map belongs when any part of it lies in the region: a concept smaller than a cell of a
    coarse layer is covered whole.

    Args:
        where: of the edit.
        size: height and width of the layer's map.
        labels: segmentations [N,P,h,w] of the unedited pictures.
        segmenter: that made them.

    Raises:
        EditError: there is no such concept, or the mask cannot be read.
        InputError: the mask is no picture.
    """
    if where is None:
        return None
    if where.box is not None:
        return _box(where.box, size)
    if where.mask is not None:
        shape = _mask(where.mask)
    else:
        assert where.concept is not None  # noqa: S101  # the model's check
        number = concept_number(segmenter, where.concept)
        shape = (labels == number).any(dim=1, keepdim=True).float()
    return F.adaptive_max_pool2d(shape, size) > 0.5


def concept_number(segmenter: Segmenter, name: str) -> int:
    """The number of a concept.

    Raises:
        EditError: the segmenter has none of that name.
    """
    names = [concept.name for concept in segmenter.concepts]
    if name not in names:
        raise EditError(f"there is no concept {name!r}{nearest(name, names)}")
    return names.index(name) + 1


def _box(box: tuple[float, float, float, float], size: tuple[int, int]) -> Tensor:
    top, left, bottom, right = box
    rows, columns = torch.arange(size[0]), torch.arange(size[1])
    down = (rows + 1 > top * size[0]) & (rows < bottom * size[0])
    across = (columns + 1 > left * size[1]) & (columns < right * size[1])
    return (down[:, None] & across[None, :])[None, None]


def _mask(path: Path) -> Tensor:
    """A mask picture as {0,1} [1,1,H,W]."""
    try:
        picture = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise EditError(f"{path}: {error.strerror or error}.") from None
    return torch.from_numpy(np.asarray(picture.convert("L")) > 127)[None, None].float()
