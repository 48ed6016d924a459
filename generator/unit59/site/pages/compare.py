"""The comparison page: chosen units side by side, and all layers in one table."""

from __future__ import annotations

from unit59.site.site import Entrance, Page, Site


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
        nav=Entrance("Compare", 5),
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
