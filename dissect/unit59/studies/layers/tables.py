"""From measurements to the results' tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.unit_pictures import UnitStrips
from unit59.measure.agreement import Agreement, Null, agrees, best_concepts, interval, iou, iqr, union_of
from unit59.measure.layer import Measurer
from unit59.measure.level_agreement import LevelAgreement
from unit59.measure.levels import SHARES
from unit59.networks import Layer
from unit59.results import INTERPRETABLE_IOU
from unit59.results.schema import LayerRecord, NullSummary
from unit59.segmenters import Segmenter
from unit59.stats.histograms import score_histogram


def concept_table(
    segmenter: Segmenter, area: NDArray[np.int64], presence: NDArray[np.int64], pixels: int, samples: int
) -> pl.DataFrame:
    """One row a concept: how much of the pictures it takes, in how many it shows."""
    concepts = segmenter.concepts
    return pl.DataFrame(
        {
            "concept": range(1, len(concepts) + 1),
            "label": [concept.name for concept in concepts],
            "plane": [concept.plane for concept in concepts],
            "colour": [concept.colour for concept in concepts],
            "share": area / pixels,
            "presence": presence / samples,
        }
    )


def layer_tables(
    measurer: Measurer,
    layer: str,
    agreement: Agreement,
    null: Null,
    strips: Mapping[int, UnitStrips],
    similar: Mapping[int, list[tuple[str, int, float]]],
) -> dict[str, pl.DataFrame]:
    """All tables of a layer, by file name."""
    scores, activity = Scores(measurer.cache.segmenter, agreement, null), measurer.activity(layer)
    start, width = activity.edges
    tables = {
        "units.parquet": scores.units(measurer, layer, strips),
        "agreement.parquet": scores.pairs(),
        "activations.parquet": pl.DataFrame(
            {
                "unit": range(len(activity.low)),
                "low": start,
                "high": start + width * activity.used,
                "counts": [
                    each[:used].tolist() for each, used in zip(activity.counts, activity.used, strict=True)
                ],
            }
        ),
        "similar.parquet": pl.DataFrame(
            [
                (unit, rank, other_layer, other, overlap)
                for unit, rows in similar.items()
                for rank, (other_layer, other, overlap) in enumerate(rows, start=1)
            ],
            schema=["unit", "rank", "other_layer", "other_unit", "overlap"],
            orient="row",
        ),
    }
    if isinstance(agreement, LevelAgreement):
        tables["levels.parquet"] = scores.levels(agreement, measurer.levels(layer))
    return tables


def layer_record(layer: Layer, units: pl.DataFrame, null: Null) -> LayerRecord:
    """The layer's line in `model.json`."""
    passing = (null.best >= INTERPRETABLE_IOU).sum(axis=1)
    return LayerRecord(
        name=layer.name,
        number=layer.number,
        units=layer.units,
        height=layer.height,
        width=layer.width,
        path=layer.path,
        interpretable=int(units["interpretable"].sum()),
        above_null=int(units["agrees"].sum()),
        histogram=score_histogram(units["iou"].to_numpy()),
        null=NullSummary(
            shuffles=len(null.best),
            interpretable=float(passing.mean()),
            interpretable_max=int(passing.max()),
            histogram=score_histogram(null.best),
        ),
    )


class Scores:
    """Scores of every (unit, concept), from the counts."""

    def __init__(self, segmenter: Segmenter, agreement: Agreement, null: Null) -> None:
        self.names = [concept.name for concept in segmenter.concepts]
        self.planes = [concept.plane for concept in segmenter.concepts]
        self.counts, self.null = agreement, null
        self.iou = iou(agreement.both, agreement.mask, agreement.area)
        self.low, self.high = interval(agreement)
        self.iqr = iqr(agreement.both, agreement.mask, agreement.area, agreement.pixels)

    def pairs(self) -> pl.DataFrame:
        """agreement.parquet."""
        union = union_of(self.counts.both, self.counts.mask, self.counts.area)
        columns: dict[str, Any] = {
            **self._pairs,
            "intersection": self.counts.both.reshape(-1),
            "union": union.reshape(-1),
            "iou": self.iou.reshape(-1),
            "iou_low": self.low.reshape(-1),
            "iou_high": self.high.reshape(-1),
            "null_iou": self.null.mean.reshape(-1),
            "null_99": self.null.bound.reshape(-1),
            "agrees": agrees(self.iou, self.null.bound).reshape(-1),
            "iqr": self.iqr.reshape(-1),
        }
        return pl.DataFrame(columns)

    def levels(self, counts: LevelAgreement, levels: NDArray[np.float32]) -> pl.DataFrame:
        """levels.parquet, of the same counts and the units' levels [U,L]."""
        mean, bound = counts.null_iqr()
        columns: dict[str, Any] = {
            **self._pairs,
            "share": np.array(SHARES)[counts.level].reshape(-1),
            "threshold": np.take_along_axis(levels, counts.level, axis=1).reshape(-1),
            "on_share": counts.mask.reshape(-1) / counts.pixels,
            "iqr": self.iqr.reshape(-1),
            "null_iqr": mean.reshape(-1),
            "null_iqr_99": bound.reshape(-1),
        }
        return pl.DataFrame(columns)

    @property
    def _pairs(self) -> dict[str, Any]:
        """The columns that name a (unit, concept)."""
        units, concepts = self.iou.shape
        return {
            "unit": np.repeat(np.arange(units), concepts),
            "concept": np.tile(np.arange(1, concepts + 1), units),
            "label": self.names * units,
            "plane": self.planes * units,
        }

    def units(self, measurer: Measurer, layer: str, strips: Mapping[int, UnitStrips]) -> pl.DataFrame:
        """units.parquet."""
        activity, thresholds = measurer.activity(layer), measurer.thresholds(layer)
        labels, score = best_concepts(self.iou)
        rows, best = np.arange(len(labels)), self.iou.argmax(axis=1)
        drawn = [strips[unit] for unit in range(len(labels))]
        columns: dict[str, Any] = {
            "unit": rows,
            "threshold": thresholds.value.cpu().numpy(),
            "on_share": thresholds.on_share.cpu().numpy(),
            "concept": [int(label) or None for label in labels],
            "label": [self.names[label - 1] if label else None for label in labels],
            "plane": [self.planes[label - 1] if label else None for label in labels],
            "iou": score,
            "iou_low": self.low[rows, best],
            "iou_high": self.high[rows, best],
            "null_iou": self.null.best_mean,
            "null_99": self.null.best_bound,
            "iqr": self.iqr[rows, best],
            "interpretable": score >= INTERPRETABLE_IOU,
            "above_null": score > self.null.best_bound,
            "agrees": agrees(score, self.null.best_bound),
            "mean": activity.mean,
            "maximum": activity.high,
            "insert_level": measurer.insert_level(layer),
            "exemplars": [strip.exemplars for strip in drawn],
            "exemplar_peaks": measurer.exemplars(layer).strongest_peaks.tolist(),
            "ablated_change": [strip.ablated_change for strip in drawn],
            "inserted": [strip.inserted for strip in drawn],
            "inserted_change": [strip.inserted_change for strip in drawn],
        }
        return pl.DataFrame(columns)
