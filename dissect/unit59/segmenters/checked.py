"""A user's own segmenter, held to the contract at every call."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unit59.segmenters.base import Concept, Segmenter, SegmenterError


class Checked(Segmenter):
    """Any object with `planes`, `concepts` and `segment`, as a `Segmenter`.

    Args:
        name: as in the recipe, for messages.
        inner: the object.

    Raises:
        SegmenterError: it does not have what a segmenter has.
    """

    def __init__(self, name: str, inner: Any) -> None:
        for attribute in ("planes", "concepts", "segment"):
            if not hasattr(inner, attribute):
                raise SegmenterError(f"segmenter {name}: {type(inner).__name__} has no {attribute!r}.")
        self.name = name
        self.inner = inner
        self.planes = tuple(inner.planes)
        self.concepts = tuple(_concept(name, number, each) for number, each in enumerate(inner.concepts, 1))
        self.files = (*map(Path, getattr(inner, "files", ())), *_source(inner))
        self.licence = str(getattr(inner, "licence", ""))
        self.limits = str(getattr(inner, "limits", ""))
        if not self.planes or not all(isinstance(plane, str) for plane in self.planes):
            raise self._fail(f"planes must be names, got {inner.planes!r}.")
        if len(set(self.planes)) < len(self.planes):
            raise self._fail(f"a plane is named twice in {self.planes!r}.")
        for number, concept in enumerate(self.concepts, 1):
            if concept.plane not in self.planes:
                raise self._fail(
                    f"concept {number} ({concept.name!r}) stands in plane {concept.plane!r}, "
                    f"but planes are {', '.join(self.planes)}."
                )
        # The plane that each value belongs to; 0, nothing, fits all of them.
        self._plane_of = torch.tensor([-1] + [self.planes.index(concept.plane) for concept in self.concepts])

    def segment(self, images: Tensor) -> Tensor:
        """The inner segmenter's result, after a check of its shape, type and values.

        Raises:
            SegmenterError: the result is not what `Segmenter.segment` promises.
        """
        found = self.inner.segment(images)
        if not isinstance(found, Tensor):
            raise self._fail(f"segment returned {type(found).__name__}, expected a torch tensor.")
        if found.is_floating_point() or found.is_complex() or found.dtype == torch.bool:
            raise self._fail(f"segment returned {found.dtype}, expected int64.")
        if found.dim() != 4 or found.shape[:2] != (len(images), len(self.planes)) or 0 in found.shape[2:]:
            raise self._fail(
                f"segment returned shape {list(found.shape)} for {len(images)} pictures, "
                f"expected [{len(images)}, {len(self.planes)}, h, w] (planes {', '.join(self.planes)})."
            )
        found = found.long()
        low, high = (int(found.min()), int(found.max())) if len(found) else (0, 0)
        if low < 0 or high > len(self.concepts):
            raise self._fail(
                f"segment returned the value {low if low < 0 else high}; "
                f"values are 0 (nothing) to {len(self.concepts)} (the last concept)."
            )
        self._check_planes(found)
        return found

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """The inner segmenter's scores, if it has any."""
        given = self.inner.logits(images) if hasattr(self.inner, "logits") else super().logits(images)
        if len(given) != len(self.planes):
            raise self._fail(f"logits returned {len(given)} entries for {len(self.planes)} planes.")
        return list(given)

    def _check_planes(self, found: Tensor) -> None:
        table = self._plane_of.to(found.device)
        for index, plane in enumerate(self.planes):
            values = found[:, index]
            stray = values[(table[values] != index) & (values > 0)]
            if len(stray):
                number = int(stray[0])
                concept = self.concepts[number - 1]
                raise self._fail(
                    f"segment put {number} ({concept.name!r}, plane {concept.plane!r}) into plane {plane!r}."
                )

    def _fail(self, what: str) -> SegmenterError:
        return SegmenterError(f"segmenter {self.name}: {what}")


def _source(inner: Any) -> list[Path]:
    """The file of a user's class: a change in it changes the results."""
    try:
        file = inspect.getsourcefile(type(inner))
    except TypeError:  # made in C, or on the spot
        return []
    return [Path(file)] if file and Path(file).is_file() else []


def _concept(name: str, number: int, given: Any) -> Concept:
    parts = [getattr(given, key, None) for key in ("name", "plane", "colour")]
    text, plane, colour = (part if isinstance(part, str) else "" for part in parts)
    if not text.strip() or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise SegmenterError(
            f"segmenter {name}: concept {number} is {given!r}; "
            "it needs a name, a plane and a colour '#rrggbb'."
        )
    return Concept(text, plane, colour)
