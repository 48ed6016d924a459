"""Concepts as the pages see them: one page and one colour each, over all models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from unit59.results import ModelResults
from unit59.results.rows import ConceptRow, rows
from unit59.site.addresses import distinct, slug

#: Colours for concepts whose segmenter gave none that can be used.
SPARE_COLOURS = ("#3b7ea1", "#b0643c", "#5b8c5a", "#8a6bb1", "#b8963e", "#4f9d9d", "#a8506b", "#6b7280")


@dataclass(frozen=True)
class ConceptView:
    """A concept, the same over all models: it has one page and one colour."""

    label: str
    plane: str
    colour: str
    slug: str

    @property
    def path(self) -> str:
        """Its page."""
        return f"concepts/{self.slug}"


def shared_concepts(results: Iterable[ModelResults]) -> dict[tuple[str, str], ConceptView]:
    """One view for each (plane, label), with a slug that no other has."""
    colours: dict[tuple[str, str], str] = {}
    for model in results:
        for row in rows(model.concepts.sort("concept"), ConceptRow):
            colours.setdefault((row.plane, row.label), row.colour or "")
    slugs = distinct({(plane, label): slug(label) for plane, label in colours})
    return {
        (plane, label): ConceptView(label, plane, _usable(colour, number), slugs[plane, label])
        for number, ((plane, label), colour) in enumerate(colours.items())
    }


def _usable(colour: str, number: int) -> str:
    """The colour if it is `#rrggbb` (it ends up in style attributes), else a spare one."""
    return colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else SPARE_COLOURS[number % len(SPARE_COLOURS)]
