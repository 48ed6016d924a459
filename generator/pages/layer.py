"""A layer's page: what its units stand for, and the gallery of them."""

from __future__ import annotations

from generator.charts import count_concepts, iou_distribution, units_per_concept
from generator.site import Page, Site
from generator.views import LayerView


def layer_page(site: Site, layer: LayerView) -> Page:
    """`models/<model>/<layer>/`."""
    siblings = layer.model.layers
    place = siblings.index(layer)
    units = layer.best_first()
    concepts = {unit.concept.slug: unit.concept for unit in units if unit.concept is not None}
    return Page(
        path=layer.path,
        title=f"{layer.name} · {layer.model.title}",
        description=(
            f"{layer.record.above_null} of the {layer.record.units} units of {layer.name} in "
            f"{layer.model.title} agree with a concept better than chance."
        ),
        template="layer.html",
        context={
            "layer": layer,
            "model": layer.model,
            "units": units,
            "counts": count_concepts(units),
            "concepts": sorted(concepts.values(), key=lambda view: (view.plane, view.label)),
            "charts": [chart for chart in (units_per_concept(layer), iou_distribution(layer)) if chart],
            "previous": siblings[place - 1] if place else None,
            "next": siblings[place + 1] if place + 1 < len(siblings) else None,
        },
        keywords=layer.record.path,
    )
