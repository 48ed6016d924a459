"""How far the units of two layers show the same: by their masks, and by the concepts they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from unit59.foundation.arrays import Numbers
from unit59.measure.agreement import agrees, iou, null_scores
from unit59.measure.layer import Measurer
from unit59.measure.overlap import unit_masks
from unit59.stats.intervals import mean_interval, spearman
from unit59.stats.scores import Interval
from unit59.studies.dissected import Dissected
from unit59.studies.skips.facts import BEFORE, MIRRORED, OTHER_ENCODER, PairKind
from unit59.studies.skips.tables import CONCEPTS, MatchRow, SharedConceptsRow


@dataclass(frozen=True)
class Pair:
    """Two layers.

    Attributes:
        layer: whose units are matched.
        other: among whose units their matches are sought.
        kind: how the other is related to it.
    """

    layer: str
    other: str
    kind: PairKind


def best_matches(
    measurer: Measurer, layers: Sequence[str], samples: int, shifts: NDArray[np.int64], advance: Any
) -> dict[str, NDArray[Any]]:
    """For every unit of every layer its best IoU with a unit of every layer, and the same by chance.

    Args:
        measurer: of the layers.
        layers: L of them, V units in all.
        samples: the first so many.
        shifts: S cyclic shifts of the sample order; under each, the unit's masks meet other samples'.
        advance: is told how many comparisons are done.

    Returns:
        ``own`` float64 [V,L] and ``chance`` [V,L], the mean over shifts.
    """
    masks = sparse.vstack([_masks(measurer, layer, samples) for layer in layers], "csr")
    units = [len(measurer.thresholds(layer).value) for layer in layers]
    first = np.cumsum([0, *units[:-1]])
    pixels = masks.shape[1] // samples

    def best(shift: int) -> Numbers:
        others = sparse.coo_matrix(masks)
        columns = (others.col + shift * pixels) % masks.shape[1]
        moved = sparse.csr_matrix((others.data, (others.row, columns)), masks.shape)
        shared, size = (masks @ moved.T).toarray(), np.asarray(masks.sum(axis=1)).ravel()
        union = size[:, None] + size[None, :] - shared
        found = np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)
        advance(1)
        largest: Numbers = np.maximum.reduceat(found, first, axis=1)
        return largest

    return {"own": best(0), "chance": np.mean([best(int(shift)) for shift in shifts], axis=0)}


def _masks(measurer: Measurer, layer: str, samples: int) -> sparse.csr_matrix:
    """[U, samples x pixels]."""
    cache, thresholds, parts = measurer.cache, measurer.thresholds(layer).value, []
    for shard, numbers in enumerate(cache.shards):
        if numbers.start < samples:
            x = cache.activations(layer, shard, thresholds)[: samples - numbers.start]
            parts.append(unit_masks(x, measurer.grid(layer), thresholds))
    return sparse.hstack(parts, "csr")


class Matches:
    """What `best_matches` found, by layer.

    Args:
        layers: in its order.
        units: of each.
        found: what it returned.
    """

    def __init__(self, layers: Sequence[str], units: Sequence[int], found: dict[str, NDArray[Any]]) -> None:
        ends = np.cumsum(units)
        self._rows = {name: slice(end - n, end) for name, end, n in zip(layers, ends, units, strict=True)}
        self._column = {name: place for place, name in enumerate(layers)}
        self._found = found

    def own(self, pair: Pair) -> Numbers:
        """Each unit's best IoU, [U]."""
        return self._values("own", pair)

    def excess(self, pair: Pair) -> Numbers:
        """The same above chance, [U]."""
        return self._values("own", pair) - self._values("chance", pair)

    def row(self, pair: Pair) -> MatchRow:
        """A row of the table of pairs."""
        own, excess = mean_interval(self.own(pair)), mean_interval(self.excess(pair))
        return MatchRow(
            layer=pair.layer,
            other=pair.other,
            kind=pair.kind,
            iou=float(own.value),
            chance=float(self._values("chance", pair).mean()),
            excess=float(excess.value),
            excess_low=float(excess.low),
            excess_high=float(excess.high),
        )

    def _values(self, name: str, pair: Pair) -> Numbers:
        values: Numbers = self._found[name][self._rows[pair.layer], self._column[pair.other]]
        return values


def against(matches: Matches, pairs: Sequence[Pair], kind: PairKind) -> Interval | None:
    """Overlap above chance with the mirrored layer, less that with layers of a kind: mean over units."""
    found = []
    for pair in pairs:
        others = [other for other in pairs if (other.layer, other.kind) == (pair.layer, kind)]
        if pair.kind == MIRRORED and others:
            found.append(matches.excess(pair) - np.mean([matches.excess(other) for other in others], axis=0))
    if not found:
        return None
    mean = mean_interval(np.concatenate(found))
    return Interval(float(mean.value), float(mean.low), float(mean.high))


def best_is_mirror(pairs: pl.DataFrame) -> int:
    """Decoder layers of which no encoder layer overlaps more than the mirrored one; of the table of pairs."""
    best = (
        pairs.filter(pl.col("kind") != BEFORE)
        .sort("excess", descending=True, maintain_order=True)
        .group_by("layer", maintain_order=True)
        .first()
    )
    return int((best["kind"] == MIRRORED).sum())


def mean_correlations(concepts: pl.DataFrame) -> dict[PairKind, float]:
    """Of the table of concepts, the mean over pairs of a kind; without kinds that have none."""
    kinds: tuple[PairKind, ...] = (MIRRORED, OTHER_ENCODER)
    mean = {kind: concepts.filter(kind=kind)["correlation"].mean() for kind in kinds}
    return {kind: value for kind, value in mean.items() if isinstance(value, float)}


def concepts_of_pairs(model: Dissected, pairs: Sequence[Pair]) -> pl.DataFrame:
    """Do two layers stand for the same concepts? See `unit59.studies.skips.tables.SharedConceptsRow`."""
    measurer = model.bench.measurer
    best: dict[str, Numbers] = {}
    stands: dict[str, NDArray[np.bool_]] = {}
    for layer in dict.fromkeys(name for pair in pairs for name in (pair.layer, pair.other)):
        agreement = measurer.agreement(layer)
        score, shown = iou(agreement.both, agreement.mask, agreement.area), agreement.area > 0
        passing = agrees(score, null_scores(agreement).bound)
        best[layer], stands[layer] = score.max(axis=0)[shown], np.asarray(passing.any(axis=0))
    rows = []
    for pair in pairs:
        correlation = spearman(best[pair.layer], best[pair.other], model.seed)
        first, second = stands[pair.layer], stands[pair.other]
        both, one = int((first & second).sum()), int((first ^ second).sum())
        rows.append(SharedConceptsRow(pair.layer, pair.other, pair.kind, *correlation, both=both, one=one))
    return CONCEPTS.frame(rows)
