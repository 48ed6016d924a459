"""A unit's activation beside its style: which of them is the better handle on a concept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

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
class HandleEdit:
    """One edit of a unit or of its style, by what it changes most."""

    edit: str
    first: Effect | None
    on_concept: Effect | None  # the effect on the concept that handles are compared on


@dataclass(frozen=True)
class Handles:
    """The edits of a unit beside those of its style."""

    owner: EffectsView
    concept: ConceptView | None
    rows: list[HandleEdit]
    verdict: str


@dataclass(frozen=True)
class Sides:
    """By activation and by style, the strongest of the edits that were found to change a concept."""

    activation: Effect | None
    style: Effect | None

    @classmethod
    def of(cls, effects: Mapping[str, Effect]) -> Self:
        """From the effects on the concept by kind of edit."""
        found = {kind: each for kind, each in effects.items() if each.found}
        styles = [each for kind, each in found.items() if kind.startswith("style_")]
        others = [each for kind, each in found.items() if not kind.startswith("style_")]
        return cls(_largest(others), _largest(styles))

    @property
    def both(self) -> bool:
        """Whether an edit of either was found to change it."""
        return self.activation is not None and self.style is not None

    @property
    def better(self) -> Literal["activation", "style"] | None:
        """The only one, or the one that changes more, with intervals that do not overlap; else None."""
        if self.activation is None or self.style is None:
            return "activation" if self.activation else "style" if self.style else None
        activation, style = self.activation.size, self.style.size
        if style[0] > activation[1]:
            return "style"
        return "activation" if activation[0] > style[1] else None


def compare_handles(unit: UnitEffects | None, channel: UnitEffects, owner: EffectsView) -> Handles:
    """Whether a unit's activation or its style is the better handle on what any of their edits changes most.

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
    rows = [HandleEdit(EDITS[kind], both.first(kind), both.on(kind, concept)) for kind in both.effects]
    return Handles(owner, concept, rows, _better(both, concept, measured=unit is not None))


def _better(both: UnitEffects, concept: ConceptView | None, *, measured: bool) -> str:
    if concept is None:
        return "No evidence that either changes any concept."
    if not measured:
        return "Only its style was measured; the unit itself was beyond the budget."
    sides = Sides.of({kind: each for kind in both.effects if (each := both.on(kind, concept))})
    if sides.better is None:
        return f"Neither is clearly the better handle on {concept.label}: the intervals overlap."
    other = "style" if sides.better == "activation" else "activation"
    why = "it changes more of it" if sides.both else f"no evidence that the {other} changes it"
    return f"The {sides.better} is the better handle on {concept.label}: {why}."


def _largest(effects: Sequence[Effect]) -> Effect | None:
    return max(effects, key=lambda each: abs(each.value), default=None)
