"""The part `model`: facts about what was dissected, the concepts in its samples, a sheet of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from unit59.foundation.pictures import sheet, sheet_shape, tile_edge
from unit59.results.schema import CONCEPTS
from unit59.studies.dissected import Dissected
from unit59.studies.layers.tables import concept_table
from unit59.studies.model.tell import WORDS
from unit59.studies.part import Part
from unit59.studies.tables import Tables


class ModelPart(Part):
    """What was dissected.

    Args:
        facts: the fields of `ModelRecord` that are known before anything is measured.
        labels_key: hash of what samples and segmentations depend on.
    """

    kind: ClassVar[str] = "model"
    name = "model"

    def __init__(self, facts: Mapping[str, Any], labels_key: str) -> None:
        self._facts = {name: fact for name, fact in facts.items() if name not in WORDS}
        self._labels_key = labels_key

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        return {"facts": self._facts, "labels": self._labels_key}

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        cache = model.bench.cache
        area, presence, pixels = model.bench.measurer.concepts()
        concepts = concept_table(cache.segmenter, area, presence, pixels, cache.samples)
        rows, columns = sheet_shape(cache.samples)
        shown = cache.pictures(np.arange(rows * columns))
        picture = sheet(list(shown), rows, tile_edge(*model.network.resolution))
        return Tables({"concepts.parquet": concepts}, self._facts, {"samples.webp": picture})

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return {"concepts.parquet": CONCEPTS}
