"""A unit's activation beside its style, or another kind of units: which is the better handle on a concept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unit59.site.views import ConceptView, HandleView
from unit59.site.views.effects import Effect, UnitEffects

ACTIVATION = "activation"


def edits_of(handle: str = "") -> dict[str, str]:
    """What each kind of edit does to a unit's activation, or to another kind of units, by its name."""
    if not handle:
        return {"ablate": "unit off", "insert": "unit on"}
    shifts = {"neutral": "at its mean", "down": "shifted down", "up": "shifted up"}
    return {kind: f"{handle} {words}" for kind, words in shifts.items()}


@dataclass(frozen=True)
class HandleEdit:
    """One edit of a unit or of what belongs to it, by what it changes most."""

    edit: str
    first: Effect | None
    on_concept: Effect | None  # the effect on the concept that handles are compared on


@dataclass(frozen=True)
class Handles:
    """The edits of a unit beside those of what belongs to it."""

    owner: HandleView
    concept: ConceptView | None
    rows: list[HandleEdit]
    verdict: str


def compare_handles(unit: UnitEffects | None, other: UnitEffects, owner: HandleView) -> Handles:
    """Whether a unit's activation or another handle on it is the better one.

    Both are compared on the concept that any of their edits changes most: the better one changes it more,
    with intervals that do not overlap.

    Args:
        unit: its effects; None where it was not measured.
        other: the effects of the other handle's unit of its number.
        owner: these units.
    """
    words = {**edits_of(), **edits_of(owner.title)}
    edits = {**(unit.effects if unit else {}), **other.effects}
    told = {**(unit.told if unit else {}), **other.told}
    both = UnitEffects({kind: edits[kind] for kind in words if kind in edits}, told)
    firsts = [first for kind in both.effects if (first := both.first(kind))]
    top = max(firsts, key=lambda each: abs(each.value), default=None)
    concept = top.concept if top else None
    rows = [HandleEdit(words[kind], both.first(kind), both.on(kind, concept)) for kind in both.effects]
    if unit is None:
        verdict = f"Only its {owner.title} was measured; the unit itself was beyond the budget."
    else:
        verdict = _better(both, concept, owner.title)
    return Handles(owner, concept, rows, verdict)


def _better(both: UnitEffects, concept: ConceptView | None, other: str) -> str:
    if concept is None:
        return "No evidence that either changes any concept."
    sides: dict[str, Effect] = {}
    for kind in both.effects:
        effect, side = both.on(kind, concept), ACTIVATION if kind in edits_of() else other
        if effect and effect.found and (side not in sides or abs(effect.value) > abs(sides[side].value)):
            sides[side] = effect
    label = concept.label
    if len(sides) == 1:
        (only,) = sides
        missing = other if only == ACTIVATION else ACTIVATION
        return f"The {only} is the better handle on {label}: no evidence that the {missing} changes it."
    better = larger(sides)
    if better:
        return f"The {better} is the better handle on {label}: it changes more of it."
    return f"Neither is clearly the better handle on {label}: the intervals overlap."


def larger(sides: Mapping[str, Effect]) -> str | None:
    """The side whose effect's size lies above all others', intervals and all; None where none does."""
    for side, effect in sides.items():
        if all(effect.size[0] > each.size[1] for name, each in sides.items() if name != side):
            return side
    return None
