"""A concept's best handles: which activation, and which style channel, takes most of it away or brings it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unit59.site.pages.handles import EDITS
from unit59.site.views import ConceptView, LayerView, ModelView
from unit59.site.views.effects import Effect

#: A style's edits beside the activation's.
ACTIVATION, STYLE = ("ablate", "insert"), ("style_neutral", "style_down", "style_up")


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
    rows = [best for kind in EDITS if (best := _best(model, concept, kind))]
    sides = {
        name: max(
            (row for row in rows if row.edit in {EDITS[kind] for kind in kinds} and row.effect.found),
            key=lambda row: abs(row.effect.value),
            default=None,
        )
        for name, kinds in (("activation", ACTIVATION), ("style", STYLE))
    }
    return ConceptHandles(rows, _verdict(concept.label, sides["activation"], sides["style"]))


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


def _verdict(label: str, activation: Best | None, style: Best | None) -> str:
    """Better is what changes more of the concept, with intervals that do not overlap."""
    if activation is None and style is None:
        return f"No evidence that any single unit or style channel changes {label}."
    if style is None:
        return f"The activation: no evidence that any style channel changes {label}."
    if activation is None:
        return f"The style: no evidence that any single unit’s activation changes {label}."
    one, other = activation.effect.size, style.effect.size
    if one[0] > other[1]:
        return f"The activation: its best edit changes more of {label} than any style channel’s."
    if other[0] > one[1]:
        return f"The style: its best edit changes more of {label} than any activation’s."
    return "Neither is clearly the better one: the intervals of their best edits overlap."
