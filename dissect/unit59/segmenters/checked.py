"""A user's own segmenter, held to the contract at every call."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unit59.foundation.own_code import own_calls
from unit59.foundation.printable import is_printable
from unit59.segmenters.base import LONGEST_NAME, MOST_CONCEPTS, Concept, Segmenter, SegmenterError


class Checked(Segmenter):
    """Any object with `planes`, `concepts` and `segment`, as a `Segmenter`.

    Args:
        name: as in the recipe, for messages.
        inner: the object.
        code: see `Segmenter.code`.
        root: below it lies the code, whose lines messages name.

    Raises:
        SegmenterError: it does not have what a segmenter has.
    """

    def __init__(self, name: str, inner: Any, code: str = "", root: Path | None = None) -> None:
        for attribute in ("planes", "concepts", "segment"):
            if not hasattr(inner, attribute):
                raise SegmenterError(f"segmenter {name}: {type(inner).__name__} has no {attribute!r}.")
        self.name, self.inner, self.code, self._root = name, inner, code, root
        self.planes = tuple(inner.planes)
        self.concepts = tuple(_concept(name, number, each) for number, each in enumerate(inner.concepts, 1))
        self.files = tuple(map(Path, getattr(inner, "files", ())))
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
        for file in self.files:
            if not file.is_file():
                raise self._fail(f"its `files` names {file}, which is no file.")
        # The plane that each value belongs to; 0, nothing, fits all of them.
        self._plane_of = torch.tensor([-1] + [self.planes.index(concept.plane) for concept in self.concepts])
        #: Size of the result by size of the pictures: the same at every call.
        self._sizes: dict[tuple[int, int], tuple[int, int]] = {}

    def segment(self, images: Tensor) -> Tensor:
        """The inner segmenter's result, after a check of its shape, type and values.

        Raises:
            SegmenterError: it raised, or the result is not what `Segmenter.segment` promises.
        """
        with own_calls(SegmenterError, f"segmenter {self.name}: segment", self._root):
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
        given, size = (images.shape[2], images.shape[3]), (found.shape[2], found.shape[3])
        if (before := self._sizes.setdefault(given, size)) != size:
            raise self._fail(
                f"segment returned maps of {size[0]} x {size[1]} for pictures of {given[0]} x {given[1]}, "
                f"and of {before[0]} x {before[1]} at an earlier call; they must have one size."
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
        """The inner segmenter's scores, if it has any, after a check.

        Raises:
            SegmenterError: it raised, or they are not what `Segmenter.logits` promises.
        """
        if not hasattr(self.inner, "logits"):
            return super().logits(images)
        with own_calls(SegmenterError, f"segmenter {self.name}: logits", self._root):
            given = list(self.inner.logits(images))
        if len(given) != len(self.planes):
            raise self._fail(f"logits returned {len(given)} entries for {len(self.planes)} planes.")
        for plane, scores in zip(self.planes, given, strict=True):
            if scores is not None:
                self._check_scores(plane, scores, images)
        return given

    def _check_scores(self, plane: str, scores: Any, images: Tensor) -> None:
        channels = 1 + sum(concept.plane == plane for concept in self.concepts)
        if not isinstance(scores, Tensor) or not scores.is_floating_point():
            what = scores.dtype if isinstance(scores, Tensor) else type(scores).__name__
            raise self._fail(f"logits returned {what} for plane {plane!r}, expected float32, or None.")
        if scores.dim() != 4 or scores.shape[:2] != (len(images), channels) or 0 in scores.shape[2:]:
            raise self._fail(
                f"logits returned shape {list(scores.shape)} for plane {plane!r} and {len(images)} pictures, "
                f"expected [{len(images)}, {channels}, h, w]: nothing, then the plane's concepts."
            )
        if images.requires_grad and torch.is_grad_enabled() and not scores.requires_grad:
            raise self._fail(
                f"logits for plane {plane!r} carry no gradient back to the pictures. Compute them without "
                "detach() and no_grad(), or return None for this plane."
            )
        if not bool(torch.isfinite(scores.detach()).all()):
            raise self._fail(f"logits for plane {plane!r} hold values that are no numbers (NaN or infinite).")

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


def check_concepts(segmenter: Segmenter, name: str) -> None:
    """Refuse what cannot be kept or shown of a segmenter, wherever names come from (files of weights, too).

    Raises:
        SegmenterError: there are too many concepts, a name is too long or stands twice in a plane, or a text
            holds what cannot be printed.
    """
    if len(segmenter.concepts) > MOST_CONCEPTS:
        raise SegmenterError(
            f"segmenter {name}: {len(segmenter.concepts)} concepts; at most {MOST_CONCEPTS} can be kept."
        )
    for what, text in (("licence", segmenter.licence), ("limits", segmenter.limits)):
        if not is_printable(text.replace("\n", " ")):
            raise SegmenterError(
                f"segmenter {name}: its {what} has a character that cannot be printed: {text[:200]!r}."
            )
    seen: dict[tuple[str, str], int] = {}
    for number, concept in enumerate(segmenter.concepts, 1):
        first = seen.setdefault((concept.name, concept.plane), number)
        if first != number:
            raise SegmenterError(
                f"segmenter {name}: concepts {first} and {number} of plane {concept.plane[:200]!r} are both "
                f"named {concept.name[:200]!r}. Name one anew."
            )
        for what, text in (("name", concept.name), ("plane", concept.plane)):
            if len(text) > LONGEST_NAME:
                raise SegmenterError(
                    f"segmenter {name}: concept {number} has a {what} of {len(text)} characters; at most "
                    f"{LONGEST_NAME} can be shown. Name it anew."
                )
            if not is_printable(text):
                raise SegmenterError(
                    f"segmenter {name}: concept {number} has the {what} {text!r}, with a character that "
                    "cannot be printed. Name it anew."
                )


def _concept(name: str, number: int, given: Any) -> Concept:
    parts = [getattr(given, key, None) for key in ("name", "plane", "colour")]
    text, plane, colour = (part if isinstance(part, str) else "" for part in parts)
    if not text.strip() or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise SegmenterError(
            f"segmenter {name}: concept {number} is {given!r}; "
            "it needs a name, a plane and a colour '#rrggbb'."
        )
    return Concept(text, plane, colour)
