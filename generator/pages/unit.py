"""A unit's page: what it sees, what it does, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.charts import activation_chart, agreement_chart
from generator.site import Page, Site
from generator.views import LayerView, UnitView


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
    values = {row["unit"]: row for row in layer.results.activations.iter_rows(named=True)}
    alike = _alike(site, layer)
    for place, unit in enumerate(layer.units):
        found = agreements.get(unit.number, [])
        value = values.get(unit.number)
        label = unit.concept.label if unit.concept else "no label"
        yield Page(
            path=unit.path,
            title=f"Unit {unit.number} · {layer.name} · {layer.model.title}",
            description=describe(unit),
            template="unit.html",
            context={
                "unit": unit,
                "layer": layer,
                "model": layer.model,
                "changes": {kind: _changes(unit.row[f"{kind}_change"]) for kind in ("ablated", "inserted")},
                "agreements": found,
                "agreement": next((one for one in found if one.concept == unit.concept), None),
                "agreement_chart": agreement_chart(unit, found),
                "activation_chart": value
                and activation_chart(unit, value["low"], value["high"], value["counts"]),
                "alike": alike.get(unit.number, []),
                "previous": layer.units[place - 1] if place else None,
                "next": layer.units[place + 1] if place + 1 < len(layer.units) else None,
                "position": place + 1,
            },
            keywords=label,
        )


def _changes(values: list[float] | None) -> list[str]:
    """What stands below the pictures of a pair, one a sample."""
    return [f"change {value:.2f}" for value in values or []]


def describe(unit: UnitView) -> str:
    """What the unit agrees with, in one plain sentence."""
    name = f"Unit {unit.number} of {unit.layer.name} in {unit.layer.model.title}"
    if unit.concept is None or unit.verdict == "none":
        return f"{name} overlaps with none of the concepts."
    scores = f"IoU {unit.iou:.3f}, by chance {unit.row['null_iou'] or 0:.3f}"
    if unit.verdict == "above":
        return f"{name} agrees with {unit.concept.label}: {scores}."
    return f"{name} shows no evidence of a concept; the best is {unit.concept.label}: {scores}."


def _alike(site: Site, layer: LayerView) -> dict[int, list[Alike]]:
    layers = {view.name: view for view in layer.model.layers}
    found: dict[int, list[Alike]] = {}
    for row in layer.results.similar.sort("unit", "rank").iter_rows(named=True):
        other = layers.get(row["other_layer"])
        found.setdefault(row["unit"], []).append(
            Alike(
                layer=row["other_layer"],
                number=row["other_unit"],
                overlap=row["overlap"],
                unit=other.by_number.get(row["other_unit"]) if other else None,
            )
        )
    return found
