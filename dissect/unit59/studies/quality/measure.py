"""From a recipe's `real` to a part of the results: the run's samples beside real pictures.

Only the real pictures are segmented here. What the samples show is in the cache already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl
import torch

from unit59.edit.workbench import Workbench
from unit59.foundation.pictures import sheet, sheet_shape, tile_edge
from unit59.foundation.random import stream
from unit59.measure.asked import AskedAgreement, AskedLabels, agreement_with_asked, count_asked
from unit59.recipe.sections import RecipeFile
from unit59.results.quality import QUALITY, QualityRecord
from unit59.samples.inputs import Inputs
from unit59.samples.shards import GROUP, SHARD, to_uint8
from unit59.stats.comparison import FLOOR, Comparison, Shares, area_shares, compare
from unit59.store import key_of
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables


class QualityPart(Part):
    """The part `quality` of a model's results.

    Args:
        file: the recipe.
        real: the real pictures.
        bench: of the model.
        reads: what a segmentation depends on, besides the picture.
    """

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "quality"
    name = "quality"

    def __init__(self, file: RecipeFile, real: Inputs, bench: Workbench, reads: Mapping[str, Any]) -> None:
        self.recipe, self.cache, self._bench, self._real = file.recipe, bench.cache, bench, real
        self._numbers = choose(len(real), 2 * self.recipe.samples, self.recipe.seed)
        self._real_key = key_of(real=real.fingerprint(self._numbers), numbers=self._numbers, **reads)

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        return {
            "real_pictures": self._real_key,
            "labels": self._bench.labels_key,
            "settings": self.recipe.model_dump(include={"samples", "seed", "bootstrap", "real"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """Segment the real pictures, and compare; the facts are a `QualityRecord`."""
        with model.step("real pictures", len(self._numbers), "pictures") as advance:
            shares = []
            for first in range(0, len(self._numbers), SHARD):
                shares.append(self._real_shares(first))
                advance(len(shares[-1]))
        concepts = self.cache.segmenter.concepts
        names = [concept.name for concept in concepts]
        found, asked = compare(names, self._generated_shares(), np.concatenate(shares)), self._asked()
        columns = {"agreement": asked.iou, "agreement_low": asked.low, "agreement_high": asked.high}
        table = found.table.rename({"concept": "label"}).with_columns(
            concept=pl.Series(range(1, len(names) + 1)),
            plane=pl.Series([concept.plane for concept in concepts]),
            **{name: pl.Series(values).fill_nan(None) for name, values in columns.items()},
        )
        picture, shape = self._sheet()
        facts = self._facts(found, asked, shape).model_dump(mode="json")
        return Tables({"quality.parquet": table}, facts, {"real.webp": picture})

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return {"quality.parquet": QUALITY}

    def cost(self) -> Cost:
        """The real pictures are segmented."""
        return Cost(segmented=len(self._numbers))

    def _facts(self, found: Comparison, asked: AskedAgreement, shape: tuple[int, int]) -> QualityRecord:
        mean, low, high = (None if np.isnan(value) else round(value, 6) for value in asked.mean)
        return QualityRecord(
            source=json.dumps(self.recipe.real, ensure_ascii=False, default=str),
            real=found.real,
            generated=found.generated,
            floor=FLOOR,
            # Sums over pictures round differently with the number of threads.
            distance=round(found.distance, 4),
            distance_of_halves=round(found.halves, 4),
            half=found.half,
            agreement=mean,
            agreement_low=low,
            agreement_high=high,
            sheet=shape,
        )

    # ---- what is counted

    def _real_shares(self, first: int) -> Shares:
        """Each concept's share of some real pictures, [n,C]."""
        numbers = self._numbers[first : first + SHARD]

        def count() -> dict[str, Any]:
            groups = (numbers[i : i + GROUP] for i in range(0, len(numbers), GROUP))
            with torch.no_grad():
                parts = [
                    self.cache.segment(self._real.load(group).to(self.cache.sampler.device))
                    for group in groups
                ]
            labels = torch.cat(parts).cpu().numpy()
            return {"shares": area_shares(labels, len(self.cache.segmenter.concepts))}

        return np.asarray(
            self._bench.measurer.remember("real", key_of(real=self._real_key, first=first), count)["shares"]
        )

    def _generated_shares(self) -> Shares:
        """Each concept's share of each sample, [N,C]."""
        concepts = len(self.cache.segmenter.concepts)
        parts = [area_shares(self._labels(shard)[..., None].numpy(), concepts) for shard in self.cache.shards]
        return np.concatenate(parts)

    def _labels(self, shard: range) -> torch.Tensor:
        return self.cache.labels(np.arange(shard.start, shard.stop))

    def _asked(self) -> AskedAgreement:
        """Agreement with the inputs' labels; of nothing, where there are no such labels."""
        concepts = len(self.cache.segmenter.concepts)
        labels = AskedLabels.of(self.cache)
        counts = [np.zeros((2, 1, concepts), np.int64)]
        if labels is not None:
            for shard in self.cache.shards:
                asked = labels.of_samples(shard).flatten(1).numpy()
                shown = self._labels(shard)[:, labels.plane].numpy()
                counts.append(np.stack(count_asked(asked, shown, concepts)))
        both, either = np.concatenate(counts[1:] or counts, axis=1)
        return agreement_with_asked(both, either, self.recipe.seed, self.recipe.bootstrap)

    def _sheet(self) -> tuple[bytes, tuple[int, int]]:
        """The first of the chosen pictures, as the samples' sheet shows them; and its shape."""
        rows, columns = sheet_shape(min(self.recipe.samples, len(self._numbers)))
        shown = to_uint8(self._real.load(self._numbers[: rows * columns])).numpy()
        edge = tile_edge(*self.cache.sampler.network.resolution)
        return sheet(list(shown), rows, edge), (rows, columns)


def choose(available: int, wanted: int, seed: int) -> list[int]:
    """Numbers of the real pictures to compare with, in random order.

    The order makes the two halves alike: files often lie sorted by what they show. Twice as many as samples
    are wanted, so that a half has as many.
    """
    draw = stream(seed, "choice of real pictures")
    return [int(number) for number in draw.choice(available, min(available, wanted), replace=False)]
