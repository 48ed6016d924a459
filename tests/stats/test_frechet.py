"""The Fréchet distance against the formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from unit59.stats.frechet import frechet


@given(st.integers(0, 10**6))
def test_frechet_is_the_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + rng.normal(size=4)
    second = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    means = first.mean(0) - second.mean(0)
    one, two = np.cov(first.T), np.cov(second.T)
    expected = means @ means + np.trace(one + two - 2 * sqrtm(one @ two).real)
    assert frechet(first, second) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert frechet(first, second) == pytest.approx(frechet(second, first))
    assert frechet(first, first) == pytest.approx(0, abs=1e-6)


def test_a_concept_that_never_shows_is_no_trouble() -> None:
    shares = np.random.default_rng(0).random((40, 3))
    shares[:, 1] = 0
    assert np.isfinite(frechet(shares, shares[::-1] + 0.1))
