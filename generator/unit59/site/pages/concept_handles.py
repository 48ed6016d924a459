"""A concept's best handles: which activation, and which style or other unit, changes most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from unit59.site.pages.handles import ACTIVATION, edits_of, larger
from unit59.site.views import ConceptView, HandleView, LayerView, ModelView
from unit59.site.views.effects import Effect


@dataclass(frozen=True)
class Best:
    """The strongest of one kind of edit, over all measured units of a model."""

    edit: str
    units: LayerView | HandleView
    number: int
    effect: Effect
    measured: int  # how many units it is the strongest of


@dataclass(frozen=True)
class ConceptHandles:
    """Best edits of activations and of other handles on one concept, and which is the better one."""

    others: list[str]
    rows: list[Best]
    verdict: str


def concept_handles(model: ModelView, concept: ConceptView) -> ConceptHandles | None:
    """From the measured effects; None where no other handle was measured."""
    others: dict[str, list[HandleView]] = {}
    for handle in model.handles:
        others.setdefault(handle.title, []).append(handle)
    if not others:
        return None
    sides = {ACTIVATION: _best_edits(model.layers, concept, edits_of())}
    sides |= {title: _best_edits(units, concept, edits_of(title)) for title, units in others.items()}
    found = {
        side: max(known, key=lambda effect: abs(effect.value))
        for side, rows in sides.items()
        if (known := [row.effect for row in rows if row.effect.found])
    }
    rows = [row for each in sides.values() for row in each]
    return ConceptHandles(list(others), rows, _verdict(concept.label, found, list(others)))


def _best_edits(
    places: Sequence[LayerView | HandleView], concept: ConceptView, edits: Mapping[str, str]
) -> list[Best]:
    """By edit the unit that changes the concept most, of those found; else the largest."""
    rows = []
    for kind, words in edits.items():
        measured = [
            Best(words, units, number, effect, 0)
            for units in places
            for number, effect in (units.effects.on(concept, kind) if units.effects else {}).items()
        ]
        if measured:
            best = max(measured, key=lambda each: (each.effect.found, abs(each.effect.value)))
            rows.append(replace(best, measured=len(measured)))
    return rows


def _verdict(label: str, found: Mapping[str, Effect], others: Sequence[str]) -> str:
    """Better is what changes more of the concept, with intervals that do not overlap."""
    every = " or ".join(others)
    if not found:
        return f"No evidence that any single unit or {every} changes {label}."
    if len(found) == 1:
        (only,) = found
        rest = [side for side in (ACTIVATION, *others) if side != only]
        return f"The {only}: no evidence that any single {' or '.join(rest)} changes {label}."
    better = larger(found)
    if better:
        return f"The {better}: its best edit changes more of {label} than any other’s."
    return "None is clearly the better one: the intervals of their best edits overlap."
