"""A layer's part: thresholds, agreement with concepts and its null, exemplars with their strips, overlaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unit59.edit.unit_pictures import VERSION as PICTURES
from unit59.edit.unit_pictures import draw_strips, tails_of_strips
from unit59.edit.workbench import Workbench
from unit59.handles import Units
from unit59.measure.agreement import null_scores
from unit59.results import LAYER_TABLES, LEVEL_TABLES, file_name
from unit59.studies.dissected import Dissected
from unit59.studies.layers.tables import layer_record, layer_tables
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables


class LayerPart(Part):
    """Agreement of one layer's units.

    Args:
        units: of the layer.
        bench: of the model; nothing is measured to make the part.
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "layer"

    def __init__(self, units: Units, bench: Workbench) -> None:
        self.units, self._bench = units, bench
        self.name = f"layers/{file_name(units.name)}"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        bench, measurer, layer = self._bench, self._bench.measurer, self.units.name
        return {
            "pictures": PICTURES,
            "units": layer,
            "edits": [bench.sweep_key(layer), bench.insert_key(layer)],
            "measures": [measurer.task(what, layer).key for what in ("exemplars", "threshold", "agreement")],
            # Similar units are looked for in all layers.
            "others": {each: measurer.task("threshold", each).key for each in measurer.cache.layers},
            "similar": measurer.recipe.similar,
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        layer, bench = self.units.name, model.bench
        measurer = bench.measurer
        similar = measurer.overlap().nearest(layer, measurer.recipe.similar)
        agreement = measurer.agreement(layer)
        null = null_scores(agreement)
        with model.step(f"{layer}: pictures", self.units.count, "units") as advance:
            strips, pictures = draw_strips(bench.sweep(layer), measurer, advance)
        frames = layer_tables(measurer, layer, agreement, null, strips, similar)
        record = layer_record(self.units.shown, frames["units.parquet"], null)
        return Tables(frames, record.model_dump(mode="json"), pictures)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return {**LAYER_TABLES, **LEVEL_TABLES}

    def cost(self) -> Cost:
        """Strips: the exemplars with the unit off, as many others with it on."""
        network, count = self._bench.cache.sampler.network, self._bench.measurer.recipe.exemplars
        return Cost(tails={self.units.name: tails_of_strips(self.units, network, count)})
