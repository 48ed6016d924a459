"""Exemplars and overlaps against plain numpy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unit59.measure.exemplars import find_exemplars
from unit59.measure.grid import Grid
from unit59.measure.overlap import measure_overlap


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.integers(1, 9))
def test_exemplars(seed: int, samples: int, units: int, count: int, batch: int) -> None:
    rng = np.random.default_rng(seed)
    peaks = rng.integers(-3, 4, (samples, units)).astype(np.float32)  # few values: many ties
    found = find_exemplars((peaks[i : i + batch] for i in range(0, samples, batch)), count)
    for unit in range(units):
        best = sorted(range(samples), key=lambda i: (-peaks[i, unit], i))[:count]
        worst = sorted(range(samples), key=lambda i: (peaks[i, unit], i))[:count]
        assert found.strongest[unit].tolist() == best
        assert found.weakest[unit].tolist() == worst
        assert found.strongest_peaks[unit].tolist() == [peaks[i, unit] for i in best]


def test_overlap_is_the_masks_iou_across_layers() -> None:
    rng = np.random.default_rng(0)
    maps = {
        "a": torch.from_numpy(rng.random((4, 3, 4, 4), np.float32)),
        "b": torch.from_numpy(rng.random((4, 2, 8, 8), np.float32)),
    }
    grids = {name: Grid((x.shape[2], x.shape[3]), (8, 8)) for name, x in maps.items()}
    limits = {"a": torch.full((3,), 0.6), "b": torch.full((2,), 0.7)}
    found = measure_overlap(
        [{k: v[:2] for k, v in maps.items()}, {k: v[2:] for k, v in maps.items()}], grids, limits
    )
    masks = []
    for name, unit in found.names:
        mask = np.zeros((4, 64), bool)
        for hits in grids[name].hits(maps[name][:, unit : unit + 1], limits[name][unit : unit + 1]):
            mask[hits.sample, hits.pixel.long()] = True
        masks.append(mask)
    for i, one in enumerate(masks):
        for j, other in enumerate(masks):
            assert found.iou[i, j] == (one & other).sum() / (one | other).sum()
    nearest = found.nearest("a", 2)
    assert all((layer, other) != ("a", unit) for unit, rows in nearest.items() for layer, other, _ in rows)
    assert all(rows[0][2] >= rows[-1][2] for rows in nearest.values())
