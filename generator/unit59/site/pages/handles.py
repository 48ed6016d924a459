"""A unit's activation beside its style: which of them is the better handle on a concept."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.site.views import ConceptView
from unit59.site.views.effects import Effect, EffectsView, UnitEffects

#: What each kind of edit does.
EDITS = {
    "ablate": "unit off",
    "insert": "unit on",
    "style_neutral": "style at its mean",
    "style_down": "style shifted down",
    "style_up": "style shifted up",
}


@dataclass(frozen=True)
class Handle:
    """One edit of a unit or of its style, by what it changes most."""

    edit: str
    first: Effect | None
    on_concept: Effect | None  # the effect on the concept that handles are compared on


@dataclass(frozen=True)
class Handles:
    """The edits of a unit beside those of its style."""

    owner: EffectsView
    concept: ConceptView | None
    rows: list[Handle]
    verdict: str


def compare_handles(unit: UnitEffects | None, channel: UnitEffects, owner: EffectsView) -> Handles:
    """Whether a unit's activation or its style is the better handle.

    Both are compared on the concept that any of their edits changes most: the better one changes it more,
    with intervals that do not overlap.

    Args:
        unit: its effects; None where it was not measured.
        channel: the effects of its style channel.
        owner: the layer whose style that is.
    """
    edits = {**(unit.effects if unit else {}), **channel.effects}
    told = {**(unit.told if unit else {}), **channel.told}
    both = UnitEffects({kind: edits[kind] for kind in EDITS if kind in edits}, told)
    firsts = [first for kind in both.effects if (first := both.first(kind))]
    top = max(firsts, key=lambda each: abs(each.value), default=None)
    concept = top.concept if top else None
    rows = [Handle(EDITS[kind], both.first(kind), both.on(kind, concept)) for kind in both.effects]
    return Handles(owner, concept, rows, _better(both, concept, measured=unit is not None))


def _better(both: UnitEffects, concept: ConceptView | None, *, measured: bool) -> str:
    if concept is None:
        return "No evidence that either changes any concept."
    sides: dict[str, Effect] = {}
    for kind in both.effects:
        effect, side = both.on(kind, concept), "style" if kind.startswith("style_") else "activation"
        if effect and effect.found and (side not in sides or abs(effect.value) > abs(sides[side].value)):
            sides[side] = effect
    if not measured:
        return "Only its style was measured; the unit itself was beyond the budget."
    if len(sides) == 1:
        only = next(iter(sides))
        other = "style" if only == "activation" else "activation"
        return f"The {only} is the better handle on {concept.label}: no evidence that the {other} changes it."
    style, activation = sides["style"].size, sides["activation"].size
    if style[0] > activation[1]:
        return f"The style is the better handle on {concept.label}: it changes more of it."
    if activation[0] > style[1]:
        return f"The activation is the better handle on {concept.label}: it changes more of it."
    return f"Neither is clearly the better handle on {concept.label}: the intervals overlap."
