"""Thin maps give what whole maps give, above their floors."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unit59.measure.grid import Grid
from unit59.samples.thin import ThinMaps


@settings(max_examples=150)
@given(
    st.integers(0, 10**6),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 11), st.integers(1, 11)),
    st.booleans(),
)
def test_every_value_above_the_floors_is_there(
    seed: int, native: tuple[int, int], size: tuple[int, int], ties: bool
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 4, *native)).astype(np.float32)
    x = np.round(x) if ties else x
    floors = np.array([-10, 0, 1, 10], np.float32)
    thin = ThinMaps.join([ThinMaps.of(x[:2], floors), ThinMaps.of(x[2:], floors)])
    thin = ThinMaps.from_arrays({name: np.asarray(value) for name, value in thin.arrays().items()})
    grid, limits = Grid(native, size), torch.from_numpy(floors)
    for first, stop in ((0, 5), (1, 4), (4, 5)):
        maps = thin.maps(first, stop)
        for passed in (floors, floors + 0.5):
            limits = torch.from_numpy(passed)
            whole = list(grid.hits(torch.from_numpy(x[first:stop]), limits))
            found = list(grid.hits(torch.from_numpy(maps), limits))
            for name in ("ends", "pixel", "value"):
                assert all(
                    torch.equal(getattr(a, name), getattr(b, name)) for a, b in zip(whole, found, strict=True)
                )
        inside = maps > floors[:, None, None]
        assert np.array_equal(inside, x[first:stop] > floors[:, None, None])
    assert thin.counts[:, 3].sum() == 0
    assert (thin.counts[:, 0] == native[0] * native[1]).all()


def test_large_maps_have_positions_of_their_own() -> None:
    x = np.zeros((1, 1, 300, 300), np.float32)
    x[0, 0, 299, 299] = 2
    thin = ThinMaps.of(x, np.array([1], np.float32))
    assert thin.cells.tolist() == [298 * 300 + 298, 298 * 300 + 299, 299 * 300 + 298, 299 * 300 + 299]
    assert thin.maps()[0, 0, 299, 299] == 2
