"""A concept's best handles: which activation, and which style channel, takes most of it away or brings it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unit59.site.pages.handles import EDITS, Sides
from unit59.site.views import ConceptView, LayerView, ModelView
from unit59.site.views.effects import Effect


@dataclass(frozen=True)
class Best:
    """The strongest of one kind of edit, over all measured units of a model."""

    edit: str
    layer: LayerView
    number: int
    effect: Effect
    measured: int  # how many units or channels it is the strongest of


@dataclass(frozen=True)
class ConceptHandles:
    """Best edits of activations and of styles on one concept, and which is the better handle."""

    rows: list[Best]
    verdict: str


def concept_handles(model: ModelView, concept: ConceptView) -> ConceptHandles | None:
    """From the measured effects; None where no style channel was measured."""
    if not any(layer.effects and layer.effects.styles for layer in model.layers):
        return None
    best = {kind: found for kind in EDITS if (found := _best(model, concept, kind))}
    sides = Sides.of({kind: each.effect for kind, each in best.items()})
    return ConceptHandles(list(best.values()), _verdict(concept.label, sides))


def _best(model: ModelView, concept: ConceptView, kind: str) -> Best | None:
    """The unit whose edit changes the concept most, of those found; else the largest."""
    measured = list(_measured(model, concept, kind))
    if not measured:
        return None
    layer, number, effect = max(
        measured, key=lambda each: (each[2].found, abs(each[2].value), -each[0].record.number, -each[1])
    )
    return Best(EDITS[kind], layer, number, effect, len(measured))


def _measured(model: ModelView, concept: ConceptView, kind: str) -> Iterator[tuple[LayerView, int, Effect]]:
    for layer in model.layers:
        for number, effect in (layer.effects.on(concept, kind) if layer.effects else {}).items():
            yield layer, number, effect


def _verdict(label: str, sides: Sides) -> str:
    if not (sides.activation or sides.style):
        return f"No evidence that any single unit or style channel changes {label}."
    if sides.better is None:
        return "Neither is clearly the better one: the intervals of their best edits overlap."
    other = "style channel" if sides.better == "activation" else "single unit’s activation"
    if sides.both:
        return f"The {sides.better}: its best edit changes more of {label} than any {other} does."
    return f"The {sides.better}: no evidence that any {other} changes {label}."
