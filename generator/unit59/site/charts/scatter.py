"""Agreement against effect: does a unit that agrees with a concept also cause it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import SYMBOLS, cut, edge, legend_below, percent, points, rounded, rule, scale
from unit59.site.heads import heads
from unit59.site.views import ConceptView, LayerView, UnitView
from unit59.site.views.effects import Effect, LayerEffectsView, Relation
from unit59.stats.first import EVIDENCE

#: Dots in one chart at most: those with the largest effects, so that a page stays light.
MOST_DOTS = 2000


def label_effects_chart(view: LayerEffectsView) -> Chart | None:
    """Every measured unit's IoU with its label against what becomes of that label when it is off."""
    units = [unit for unit in view.layer.units if unit.number in view.on_labels]
    if not units:
        return None
    effects = [view.on_labels[unit.number] for unit in units]
    above = [each for unit, each in zip(units, effects, strict=True) if unit.verdict == "above"]
    change = sum(each.found for each in above)
    counted = (
        f"Of the {len(above)} measured units that agree with their label better than chance, {change} "
        f"change it when off ({EVIDENCE}). "
        if above
        else ""
    )
    return Chart(
        label=f"IoU of each measured unit of {view.layer.name} with its label, against its effect on it.",
        caption=(
            f"Each dot is a unit: its IoU with its label, and how that concept’s share of the picture "
            f"changes with the unit off; filled where {EVIDENCE}. "
            f"{counted}{_related(view.relation('label'), 'IoU and loss', 'take more of it away')}"
        ).rstrip(),
        data=[_dots([unit.iou for unit in units], [each.value for each in effects], effects, _names(units))],
        layout=_layout("IoU with its label", "change of its label, % of the picture"),
        head=[
            *heads("units", unit="", label="", iou=""),
            *heads("effects", effect="change of its label, %", low="95 % interval", q=""),
        ],
        rows=[_row(unit, each) for unit, each in zip(units, effects, strict=True)],
    )


def largest_effects_chart(view: LayerEffectsView) -> Chart | None:
    """Every measured unit's IoU with its label against its largest effect on any concept."""
    units = [unit for unit in view.layer.units if unit.number in view.largest]
    if not units:
        return None
    effects = [view.largest[unit.number] for unit in units]
    sizes = [abs(each.value) for each in effects]
    found = sum(each.found for each in effects)
    same = sum(each.found and each.concept == unit.concept for unit, each in zip(units, effects, strict=True))
    return Chart(
        label=f"IoU of each measured unit of {view.layer.name} against its largest effect on any concept.",
        caption=(
            "The same units against the size of their largest effect on any concept, in that concept’s "
            f"colour; filled where {EVIDENCE}. That is so for {found} of {len(units)}, {same} of them on "
            f"their own label. {_related(view.relation('any'), 'IoU and size', 'do more')}"
        ).rstrip(),
        data=[_dots([unit.iou for unit in units], sizes, effects, _names(units))],
        layout=_layout("IoU with its label", "largest effect, % of the picture"),
        head=[
            *heads("units", unit=""),
            *heads("effects", label=""),
            *heads("units", iou="IoU with its label"),
            *heads("effects", effect="change, %", low="95 % interval", q=""),
        ],
        rows=[_row(unit, each) for unit, each in zip(units, effects, strict=True)],
    )


@dataclass(frozen=True)
class ConceptInLayer:
    """One layer's measured units with one concept: IoU and effect by unit."""

    layer: LayerView
    ious: Mapping[int, float]
    effects: Mapping[int, Effect]


def concept_effects_chart(concept: ConceptView, places: Sequence[ConceptInLayer]) -> Chart | None:
    """IoU with a concept against the effect on it, of all measured units. None where none was measured."""
    everything = [(place, number) for place in places for number in place.effects]
    if not everything:
        return None
    kept = sorted(everything, key=lambda each: -abs(each[0].effects[each[1]].value))[:MOST_DOTS]
    data = _by_model(dict.fromkeys(place.layer.model.path for place in places), kept)
    left_out = len(everything) - len(kept)
    only = f" The {left_out} units with the smallest effects are left out of the picture." if left_out else ""
    return Chart(
        label=f"IoU with {concept.label} against the effect on it, of {len(everything)} units.",
        caption=(
            f"Each dot is a unit of any layer: its IoU with {concept.label}, and how much of the picture "
            f"{concept.label} gains or loses with the unit off; filled where {EVIDENCE}. "
            f"{_over_layers(concept, places)}{only}"
        ).rstrip(),
        data=data,
        layout={
            **_layout(f"IoU with {short(concept.label)}", "change when off, % of the picture"),
            "showlegend": len(data) > 1,
            "legend": legend_below(-0.3),
        },
        head=[
            *heads("ModelRecord", title="model"),
            *heads("LayerRecord", name="layer"),
            *heads("relations", units="units measured"),
            *heads("effects", found=EVIDENCE),
            *heads("relations", rho="correlation of IoU and loss"),
            *heads("effects", effect="largest loss"),
        ],
        rows=[_place_row(concept, place) for place in places if place.effects],
    )


def _by_model(paths: Iterable[str], kept: Sequence[tuple[ConceptInLayer, int]]) -> list[dict[str, Any]]:
    """Dots of each model's units, in a symbol of its own."""
    data = []
    for symbol, path in zip(cycle(SYMBOLS), paths):
        shown = [(place, number) for place, number in kept if place.layer.model.path == path]
        if not shown:
            continue
        effects = [place.effects[number] for place, number in shown]
        dots = _dots(
            [place.ious.get(number, 0.0) for place, number in shown],
            [each.value for each in effects],
            effects,
            [f"{place.layer.name}, unit {number}" for place, number in shown],
            symbol,
        )
        data.append(dots | {"name": short(shown[0][0].layer.model.title)})
    return data


def _place_row(concept: ConceptView, place: ConceptInLayer) -> tuple[Any, ...]:
    effects, related = place.effects, _relation(concept, place)
    number = min(effects, key=lambda each: effects[each].value)
    found = sum(each.found for each in effects.values())
    lost = effects[number].value
    largest = f"{lost * 100:+.3f} %, unit {number}" if lost < 0 else "none"
    name = place.layer.model.title
    return name, place.layer.name, len(effects), found, str(related or "–"), largest


def _dots(
    x: Sequence[float],
    y: Sequence[float],
    effects: Sequence[Effect],
    names: list[str],
    symbol: str = "circle",
) -> dict[str, Any]:
    """Dots in the concepts' colours; y in shares, shown in percent."""
    return points(
        [rounded(value) for value in x],
        [percent(value) for value in y],
        hover="%{text} %{y:.3f} %, IoU %{x:.3f}",
        text=[f"{name}: {short(each.concept.label)}" for name, each in zip(names, effects, strict=True)],
        size=9,
        opacity=0.85,
        symbol=[symbol if each.found else f"{symbol}-open" for each in effects],
        color=[each.concept.colour if each.found else "@muted" for each in effects],
        line=edge(),
    )


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "xaxis": scale(x),
        "yaxis": scale(y, zero=False, zeroline=False),
        "shapes": [cut(), rule("y", 0)],
        "showlegend": False,
    }


def _names(units: Sequence[UnitView]) -> list[str]:
    return [f"unit {unit.number}" for unit in units]


def _row(unit: UnitView, effect: Effect) -> tuple[Any, ...]:
    low, high = effect.row.low or 0.0, effect.row.high or 0.0
    q = "–" if effect.row.q is None else f"{effect.row.q:.2g}"
    change = f"{effect.value * 100:+.3f}"
    return (
        unit.number,
        effect.concept.label,
        f"{unit.iou:.4f}",
        change,
        f"{low * 100:+.3f} – {high * 100:+.3f}",
        q,
    )


def _relation(concept: ConceptView, place: ConceptInLayer) -> Relation | None:
    return place.layer.effects.relation("concept", concept) if place.layer.effects else None


def _over_layers(concept: ConceptView, places: Sequence[ConceptInLayer]) -> str:
    """In how many layers agreement predicts the loss; of one layer in full."""
    more = f"take more of {concept.label} away"
    found = [each for place in places if place.effects and (each := _relation(concept, place))]
    known = [each for each in found if each.rho is not None]
    if len(known) < 2:
        return _related(next(iter(known or found), None), "IoU and loss", more)
    above, below = (sum(each.sign == sign for each in known) for sign in (1, -1))
    return (
        f"In {above or 'none'} of {len(known)} layers units that agree better {more} (the interval of "
        f"Spearman’s rank correlation of IoU and loss lies above 0), in {below or 'none'} they take less."
    )


def _related(found: Relation | None, of: str, more: str) -> str:
    """What a relation says; nothing where the results do not have it."""
    if found is None:
        return ""
    if found.rho is None:
        return "Too few units for a correlation."
    rank = f"Spearman’s rank correlation of {of} is {found}"
    if found.sign:
        return f"{rank}: units that agree better {more if found.sign > 0 else f'do not {more}, but less'}."
    return f"{rank}: no evidence that agreement predicts it."
