"""The comparison page: chosen units side by side, and all layers in one table."""

from __future__ import annotations

from typing import Any

from unit59.site.site import Page, Site
from unit59.site.views import LayerView


def compare_page(site: Site) -> Page:
    """`compare/`: the page's address says what it compares, its script fetches it."""
    best = {
        layer.path: max((unit for unit in layer.units), key=lambda unit: unit.iou, default=None)
        for layer in site.layers
    }
    return Page(
        path="compare",
        title="Compare",
        description="Units, layers and models side by side.",
        template="compare.html",
        context={
            "best": best,
            "examples": [unit for unit in best.values() if unit is not None][:4],
            "choices": [
                {
                    "path": layer.path,
                    "name": f"{layer.model.title} · {layer.name}",
                    "units": layer.record.units,
                }
                for layer in site.layers
            ],
        },
    )


def layer_script(layer: LayerView) -> dict[str, Any]:
    """What the comparison's script needs of one layer."""
    record = layer.model.record
    return {
        "layer": layer.path,
        "title": f"{layer.name} · {layer.model.title}",
        "tile": record.tile,
        "units": {
            unit.number: {
                "label": unit.concept.label if unit.concept else None,
                "colour": unit.concept.colour if unit.concept else None,
                "verdict": unit.verdict,
                "iou": unit.row["iou"],
                "low": unit.row["iou_low"],
                "high": unit.row["iou_high"],
                "null": unit.row["null_iou"],
                "null_99": unit.row["null_99"],
                "samples": unit.row["exemplars"] or [],
                "changed": unit.ablated_change,
            }
            for unit in layer.units
        },
    }
