"""A layer's part: thresholds, agreement with concepts and its null, exemplars with their strips, overlaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unit59.edit.tail import in_groups
from unit59.edit.unit_pictures import VERSION as PICTURES
from unit59.edit.unit_pictures import draw_strips
from unit59.handles import Units
from unit59.measure.agreement import null_scores
from unit59.measure.layer import Measurer
from unit59.results import LAYER_TABLES, file_name
from unit59.studies.dissected import Dissected
from unit59.studies.layers.tables import layer_record, layer_tables
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables


class LayerPart(Part):
    """Agreement of one layer's units.

    Args:
        units: of the layer.
        measurer: of the model; nothing is measured to make the part.
        labels_key: hash of what samples and segmentations depend on.
    """

    version: ClassVar[int] = 2

    def __init__(self, units: Units, measurer: Measurer, labels_key: str) -> None:
        self.units, self._measurer, self._labels_key = units, measurer, labels_key
        self.name = f"layers/{file_name(units.name)}"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        measurer, recipe = self._measurer, self._measurer.recipe
        return {
            "pictures": PICTURES,
            "labels": self._labels_key,
            "units": self.units.name,
            "activities": measurer.activities_key(self.units.name),
            # Similar units are looked for in all layers.
            "others": {layer: measurer.activities_key(layer) for layer in measurer.cache.layers},
            **recipe.model_dump(include={"seed", "shuffles", "bootstrap", "similar"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        layer, bench = self.units.name, model.bench
        measurer, cache = bench.measurer, bench.cache
        found = measurer.activities(layer)
        similar = measurer.overlap().nearest(layer, measurer.recipe.similar)
        agreement = measurer.agreement(layer, found)
        null = null_scores(agreement)
        with model.step(f"{layer}: pictures", self.units.count, "units") as advance:
            strips, pictures = draw_strips(bench.sweep(layer), found, advance)
        frames = layer_tables(cache.segmenter, found, agreement, null, strips, similar)
        record = layer_record(self.units.shown, frames["units.parquet"], null)
        return Tables(frames, record.model_dump(mode="json"), pictures)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return LAYER_TABLES

    def cost(self) -> Cost:
        """Strips: the exemplars with the unit off, as many others with it on."""
        strip = in_groups(self._measurer.recipe.exemplars)
        return Cost(tails={self.units.name: 2 * strip * self.units.count})
