"""Which units look alike: how much their masks overlap, within a layer and across layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from unit59.measure.grid import Grid


@dataclass(frozen=True)
class Overlap:
    """Mask overlap of all pairs of units of several layers.

    Attributes:
        names: (layer, unit) of every row and column.
        iou: float64 [V,V], intersection over union of the two masks; 1 on the diagonal.
    """

    names: list[tuple[str, int]]
    iou: NDArray[np.float64]

    def nearest(self, layer: str, count: int) -> dict[int, list[tuple[str, int, float]]]:
        """For each unit of `layer`: the `count` other units with the largest overlap above 0, best first."""
        found = {}
        for row, (name, unit) in enumerate(self.names):
            if name == layer:
                others = self.iou[row].copy()
                others[row] = 0
                best = np.argsort(-others, kind="stable")[:count]
                found[unit] = [(*self.names[i], float(others[i])) for i in best if others[i] > 0]
        return found


def measure_overlap(
    steps: Iterable[Mapping[str, Tensor]], grids: Mapping[str, Grid], thresholds: Mapping[str, Tensor]
) -> Overlap:
    """Count, over the given samples, the grid pixels that the masks of two units share.

    Args:
        steps: {layer: activations [n,U,h,w]} of the same samples, step by step.
        grids: {layer: the compared grid}.
        thresholds: {layer: float32 [U]}.
    """
    layers = list(thresholds)
    names = [(layer, unit) for layer in layers for unit in range(len(thresholds[layer]))]
    shared = np.zeros((len(names), len(names)), np.int64)
    for activations in steps:
        # Masks are one percent dense: a sparse product touches only pixels that two masks share.
        masks = sparse.vstack([unit_masks(activations[k], grids[k], thresholds[k]) for k in layers], "csr")
        shared += (masks @ masks.T).toarray()
    size = shared.diagonal()
    union = size[:, None] + size[None, :] - shared
    return Overlap(names, np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0))


def unit_masks(activations: Tensor, grid: Grid, thresholds: Tensor) -> sparse.csr_matrix:
    """Masks of activations [n,U,h,w] as a sparse matrix [U, n x pixels], 1 where the unit's mask is."""
    rows: Sequence[NDArray[np.int64]] = []
    columns: Sequence[NDArray[np.int64]] = []
    for hits in grid.hits(activations, thresholds):
        rows = [*rows, hits.unit.cpu().numpy()]
        columns = [*columns, (hits.sample * grid.pixels + hits.pixel).cpu().numpy()]
    row, column = (np.concatenate(part) if part else np.zeros(0, np.int64) for part in (rows, columns))
    shape = (len(thresholds), len(activations) * grid.pixels)
    return sparse.csr_matrix((np.ones(len(row), np.int64), (row, column)), shape=shape)
