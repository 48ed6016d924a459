"""A unit's page: what it sees, what it does, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unit59.results.rows import ActivationRow, SimilarRow, rows
from unit59.site.charts import Chart, ConceptEffect, activation_chart, agreement_chart, effects_chart
from unit59.site.content import Published
from unit59.site.pages.effects import change_words, effect_words, how_measured, not_measured, rate_cell
from unit59.site.pages.handles import compare_handles
from unit59.site.pages.unit_data import unit_data
from unit59.site.render import number, signed
from unit59.site.site import Page, Site
from unit59.site.studies import Finding
from unit59.site.views import LayerView, UnitView
from unit59.site.views.effects import Effect, UnitEffects
from unit59.stats.first import EVIDENCE

#: Concepts in the chart of a unit's effects, and rows in its table of rates.
MOST_CONCEPTS, MOST_RATES = 16, 12


@dataclass(frozen=True)
class Alike:
    """Another unit whose masks overlap this one's; `unit` is None where its layer is not in the site."""

    layer: str
    number: int
    overlap: float
    unit: UnitView | None


def unit_pages(site: Site, layer: LayerView) -> Iterator[Page]:
    """`models/<model>/<layer>/<unit>/` for every unit of the layer, in channel order."""
    agreements = dict(layer.agreements())
    values = {row.unit: row for row in rows(layer.results.activations, ActivationRow)}
    alike = _alike(site, layer)
    effects = dict(layer.effects.units()) if layer.effects else {}
    others = [(each, dict(each.effects.units())) for each in layer.model.handles if each.beside == layer.name]
    named = _named(site, layer)
    for place, unit in enumerate(layer.units):
        found = agreements.get(unit.number, [])
        value = values.get(unit.number)
        label = unit.concept.label if unit.concept else "no label"
        does = effects.get(unit.number)
        yield Page(
            path=unit.path,
            title=f"Unit {unit.number} · {layer.name} · {layer.model.title}",
            description=describe(unit),
            template="unit.html",
            context={
                "unit": unit,
                "layer": layer,
                "model": layer.model,
                "changes": {
                    "ablated": _changes(unit.row.ablated_change),
                    "inserted": _changes(unit.row.inserted_change),
                },
                "agreements": found,
                "agreement": next((one for one in found if one.concept == unit.concept), None),
                "agreement_chart": agreement_chart(unit, found),
                "activation_chart": value and activation_chart(unit, value.low, value.high, value.counts),
                "effects": does,
                "causes": _causes(unit, does),
                "handles": [
                    compare_handles(does, units[unit.number], owner)
                    for owner, units in others
                    if unit.number in units
                ],
                "named": named.get(unit.number, []),
                "alike": alike.get(unit.number, []),
                "previous": layer.units[place - 1] if place else None,
                "next": layer.units[place + 1] if place + 1 < len(layer.units) else None,
                "position": place + 1,
            },
            keywords=label,
            files=[*strips_of(site, unit), (f"{unit.path}/data.json", unit_data(unit, found, does))],
            shell=layer.path,
        )


def strips_of(site: Site, unit: UnitView) -> list[Published]:
    """The strips of pictures that the unit's page shows."""
    picture = unit.layer.results.picture
    kinds = [kind for kind in site.strips if unit.has_strip(kind)]
    return [
        (unit.strip(kind), content)
        for kind in kinds
        for _, content in unit.layer.model.published("", [(kind, picture(unit.number, kind))])
    ]


def _named(site: Site, layer: LayerView) -> dict[int, list[Finding]]:
    """By unit, the searches whose verdict names it."""
    found: dict[int, list[Finding]] = {}
    for finding in site.findings:
        if finding.model is layer.model and finding.record.layer == layer.name:
            for unit in finding.record.causes:
                found.setdefault(unit, []).append(finding)
    return found


def _changes(values: list[float] | None) -> list[str]:
    """What stands below the pictures of a pair, one a sample."""
    return [f"change {value:.2f}" for value in values or []]


@dataclass(frozen=True)
class UnitCauses:
    """What the page says of a unit's effects; without `effects` only why they were not measured."""

    why_not: str = ""
    off: Effect | None = None  # the largest effects that are found
    on: Effect | None = None
    nothing: str = ""  # where none is found off, the largest all the same
    words: dict[str, str] | None = None  # of these two, by kind
    charts: list[Chart] | None = None
    rates: list[tuple[str, ...]] | None = None  # rows of a table: how often concepts go and come
    pictures: list[str] | None = None  # below each picture of the strip


def _causes(unit: UnitView, effects: UnitEffects | None) -> UnitCauses:
    view = unit.layer.effects
    if effects is None or view is None:
        return UnitCauses(why_not=not_measured(view))
    off, on, largest = effects.first("ablate"), effects.first("insert"), effects.largest("ablate")
    found = {kind: first for kind, first in (("ablate", off), ("insert", on)) if first}
    return UnitCauses(
        off=off,
        on=on,
        nothing=f"the largest change is that {largest.concept.label} {change_words(largest)}"
        if largest and largest.value and not off
        else "no concept changes by a single pixel",
        words={kind: effect_words(one) for kind, one in found.items()},
        charts=[chart for kind in ("ablate", "insert") if (chart := _effects_chart(unit, effects, kind))],
        rates=_rates(unit, effects),
        pictures=[f"{off.concept.label} {signed(value)}" for value in effects.sample_effects] if off else [],
    )


def _effects_chart(unit: UnitView, effects: UnitEffects, kind: str) -> Chart | None:
    state = "off" if kind == "ablate" else "on"
    view = unit.layer.effects
    return effects_chart(
        label=f"What changes with unit {unit.number} {state}, by concept.",
        caption=(
            f"Unit {state}: mean change of each concept’s share of the picture, with 95 % interval; filled "
            f"where {EVIDENCE}. The bars hold 95 % of the layer’s other measured units. "
            f"{how_measured(view.record, kind) if view else ''}."
        ),
        effects=[ConceptEffect.of(each.concept, each.row) for each in effects.effects.get(kind, [])],
        others="other units",
        most=MOST_CONCEPTS,
    )


def _rates(unit: UnitView, effects: UnitEffects) -> list[tuple[str, ...]]:
    """The concepts that go or come at all or that an effect was found on, and the unit's label."""
    shown: list[tuple[str, ...]] = []
    inserted = {each.concept.slug: each for each in effects.effects.get("insert", [])}
    for off in effects.effects.get("ablate", []):
        on = inserted.get(off.concept.slug)
        known = [each for each in (off, on) if each is not None]
        hits = sum((each.row.erased or 0) + (each.row.inserted or 0) for each in known)
        if hits or off.concept == unit.concept or any(each.found for each in known):
            came = (rate_cell(on.insertion), number(on.row.side, 2)) if on else ("–", "–")
            shown.append((off.concept.label, rate_cell(off.erasure), number(off.row.side, 2), *came))
    return shown[:MOST_RATES]


def describe(unit: UnitView) -> str:
    """What the unit agrees with and what it does, in plain sentences."""
    does = unit.off
    if does is None or does.concept is None:
        return _describe_agreement(unit)
    return (
        f"{_describe_agreement(unit)} Switched off, it changes {does.concept.label} by {signed(does.value)}."
    )


def _describe_agreement(unit: UnitView) -> str:
    name = f"Unit {unit.number} of {unit.layer.name} in {unit.layer.model.title}"
    if unit.concept is None or unit.verdict == "none":
        return f"{name} overlaps with none of the concepts."
    scores = f"IoU {unit.iou:.3f}, by chance {unit.row.null_iou or 0:.3f}"
    if unit.verdict == "above":
        return f"{name} agrees with {unit.concept.label}: {scores}."
    return f"{name} shows no evidence of a concept; the best is {unit.concept.label}: {scores}."


def _alike(site: Site, layer: LayerView) -> dict[int, list[Alike]]:
    layers = {view.name: view for view in layer.model.layers}
    found: dict[int, list[Alike]] = {}
    for row in rows(layer.results.similar.sort("unit", "rank"), SimilarRow):
        other = layers.get(row.other_layer)
        found.setdefault(row.unit, []).append(
            Alike(
                layer=row.other_layer,
                number=row.other_unit,
                overlap=row.overlap,
                unit=other.by_number.get(row.other_unit) if other else None,
            )
        )
    return found
