"""Summaries of shards against plain numpy, and joined in any way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit59.foundation.arrays import Singles
from unit59.samples.summary import BINS, Summary


@st.composite
def maps(draw: st.DrawFn) -> Singles:
    """Maps of three units: ordinary ones, few values with many ties, and units on scales of their own."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = (draw(st.integers(1, 9)), 3, 3, 2)
    kind = draw(st.sampled_from(["normal", "ties", "constant", "extreme"]))
    if kind == "ties":
        return rng.integers(-3, 4, shape).astype(np.float32)
    if kind == "constant":
        return np.broadcast_to(np.array([-2.5, 0, 1e30], np.float32)[None, :, None, None], shape).copy()
    scale = np.array([1e-44, 1, 3e38] if kind == "extreme" else [1e-3, 1, 100], np.float64)[:, None, None]
    return (scale * rng.uniform(-1, 1, shape)).astype(np.float32)


@settings(max_examples=200)
@given(maps(), st.integers(1, 9))
def test_a_summary_is_that_of_one_look(x: Singles, batch: int) -> None:
    parts = [Summary.of(x[i : i + batch]) for i in range(0, len(x), batch)]
    found, whole = Summary.join(parts), Summary.of(x)
    for name, values in whole.arrays().items():
        if name == "total":
            assert found.total == pytest.approx(values)
        else:
            assert np.array_equal(getattr(found, name), values), name
    assert np.array_equal(found.low, x.min((0, 2, 3))) and np.array_equal(found.high, x.max((0, 2, 3)))
    assert np.array_equal(found.peaks, x.max((2, 3)))
    assert found.total == pytest.approx(x.astype(np.float64).sum((0, 2, 3)))
    start, width = found.edges
    for unit, used in enumerate(found.used):
        assert 1 <= used <= BINS
        edges = start[unit] + width[unit] * np.arange(used + 1)
        values = x[:, unit].astype(np.float64).reshape(-1)
        inside = (values >= edges[:-1, None]) & (values < edges[1:, None])  # numpy's last bin is closed
        assert found.counts[unit, :used].tolist() == inside.sum(1).tolist()
        assert found.counts[unit, :used].sum() == found.size == values.size
        assert found.counts[unit, 0] and found.counts[unit, used - 1]


def test_many_values_fill_more_than_half_of_the_bins() -> None:
    x = np.random.default_rng(0).normal(size=(64, 20, 8, 8)).astype(np.float32)
    assert (Summary.of(x).used > BINS / 2).all()


def test_what_is_stored_comes_back() -> None:
    found = Summary.of(np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32))
    stored = {name: np.asarray(value) for name, value in found.arrays().items()}
    again = Summary.from_arrays(stored)
    assert all(np.array_equal(value, getattr(again, name)) for name, value in found.arrays().items())
