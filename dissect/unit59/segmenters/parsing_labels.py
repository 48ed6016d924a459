"""The classes of unified parsing, in GAN Dissection's numbering."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor

from unit59.segmenters.base import Concept, SegmenterError
from unit59.segmenters.palette import colour_of

#: The objects whose parts GAN Dissection tells.
OWNERS = ("sky", "building", "person")

_Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=2)]


class _LabelsFile(BaseModel):
    """``labels.json``; the first name of every list but the scenes' is ``-``, for none of them."""

    object: _Names
    material: _Names
    scene: list[str]
    object_part: dict[str, _Names]


@dataclass(frozen=True)
class Owner:
    """An object with parts.

    Attributes:
        number: of the object.
        channels: its parts' channels in the part head.
        parts: the number of each channel's concept; 0 is none.
    """

    number: int
    channels: slice
    parts: tuple[int, ...]


class ParsingLabels:
    """Names and numbers: 0 nothing, then objects, materials, and parts not named like an object.

    Args:
        path: of the file, for messages.
        content: its parsed content.

    Raises:
        SegmenterError: an owner of parts is no object, or a list does not start with none.
    """

    def __init__(self, path: Path, content: _LabelsFile) -> None:
        for plane, names in (("object", content.object), ("material", content.material)):
            if names[0] != "-":
                raise SegmenterError(
                    f"{path}: {plane}: the first name is {names[0]!r}, expected '-' for none."
                )
        self.path = path
        self._content = content
        self._objects = content.object[1:]
        self._materials = content.material[1:]
        numbers = {"-": 0} | {name: number for number, name in enumerate(self._objects, 1)}
        first = 1 + len(self._objects) + len(self._materials)
        parts: list[str] = []
        owners: list[Owner] = []
        start = 0
        for name, names in content.object_part.items():
            if name not in numbers:
                raise SegmenterError(f"{path}: object_part names {name!r}, which is no object.")
            if name in OWNERS:
                for part in names:
                    if part not in numbers:
                        numbers[part] = first + len(parts)
                        parts.append(part)
                channels = slice(start, start + len(names))
                owners.append(Owner(numbers[name], channels, tuple(numbers[part] for part in names)))
            start += len(names)
        self._part_channels = start
        self.owners = tuple(owners)
        self.concepts = tuple(
            Concept(name, plane, colour_of(name))
            for plane, names in (("object", self._objects), ("material", self._materials), ("part", parts))
            for name in names
        )

    def classes(self) -> dict[str, int]:
        """Channels that each head of the network must have."""
        return {
            "object": len(self._content.object),
            "material": len(self._content.material),
            "part": self._part_channels,
            "scene": len(self._content.scene),
        }

    def number(self, objects: Tensor, materials: Tensor, parts: list[Tensor]) -> Tensor:
        """Scores to concept numbers.

        Args:
            objects: [N,objects,h,w].
            materials: [N,materials,h,w].
            parts: one [N,parts,h,w] for each of `owners`.

        Returns:
            int64 [N,3,h,w]: object, material, part.
        """
        thing = objects.argmax(1)
        stuff = materials.argmax(1)
        stuff = torch.where(stuff > 0, stuff + len(self._objects), 0)
        part = torch.zeros_like(thing)
        for owner, scores in zip(self.owners, parts, strict=True):
            numbers = torch.tensor(owner.parts, device=scores.device)[scores.argmax(1)]
            part = torch.where(thing == owner.number, numbers, part)
        return torch.stack([thing, stuff, part], 1)


def read_labels(path: Path) -> ParsingLabels:
    """Read ``labels.json``.

    Raises:
        SegmenterError: unreadable, or not of that form.
    """
    try:
        content = _LabelsFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the top"
        raise SegmenterError(f"{path}: {place}: {first['msg']}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SegmenterError(f"{path}: not a readable JSON file: {error}.") from None
    return ParsingLabels(path, content)
