"""Intervals cover what they say; corrections equal slow references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from unit59.stats.intervals import (
    benjamini_hochberg,
    central,
    mean_interval,
    others_interval,
    sign_of,
    spearman,
    wilson,
)

RNG = np.random.default_rng(59)
REPETITIONS = 1000

#: What paired differences look like: (draws [n, repetitions], their true mean).
EFFECTS: dict[str, tuple[Callable[[tuple[int, int]], Any], float]] = {
    "normal": (lambda shape: RNG.normal(0.1, 1, shape), 0.1),
    "bars in half of the samples": (
        lambda shape: RNG.integers(2, 9, shape) / 16 * (RNG.random(shape) < 0.5),
        5 / 16 * 0.5,
    ),
    "skewed areas in half": (lambda shape: -RNG.exponential(1, shape) * (RNG.random(shape) < 0.5), -0.5),
    "skewed areas in a fifth": (lambda shape: RNG.exponential(1, shape) * (RNG.random(shape) < 0.2), 0.2),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_the_interval_covers_the_truth_in_95_percent_of_1000_repetitions(name: str) -> None:
    draw, truth = EFFECTS[name]
    found = mean_interval(draw((64, REPETITIONS)))
    covered = ((found.low <= truth) & (truth <= found.high)).mean()
    assert 0.93 <= covered <= 0.97


def test_the_rate_interval_covers_over_all_rates() -> None:
    # At any one rate the coverage of counts is uneven (0.92 to 0.97 here); Wilson's is right on average.
    truth = RNG.random(REPETITIONS)
    _, low, high = wilson(RNG.binomial(60, truth), np.full(REPETITIONS, 60))
    assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97


def test_p_values_and_intervals_agree() -> None:
    values = RNG.exponential(1, (40, 500)) - 0.8
    found = mean_interval(values)
    assert ((found.p < 0.05) == ((found.low > 0) | (found.high < 0))).all()


def test_p_values_are_uniform_under_the_null() -> None:
    found = mean_interval(RNG.normal(0, 1, (32, 4000)))
    assert abs((found.p < 0.05).mean() - 0.05) < 0.012


def test_no_spread_means_no_doubt() -> None:
    found = mean_interval(np.stack([np.zeros(8), np.full(8, -0.1)], axis=1))
    assert found.value.tolist() == [0.0, pytest.approx(-0.1)]
    assert found.error.tolist() == [0, 0]
    assert found.p.tolist() == [1, 0]


def test_one_sample_has_no_interval() -> None:
    found = mean_interval(np.array([[0.5, 0.0]]))
    assert found.value.tolist() == [0.5, 0.0]
    assert np.isnan(found.low).all()
    assert found.p.tolist() == [1, 1]


def test_wilson_equals_scipy_and_is_open_without_cases() -> None:
    rate, low, high = wilson(np.array([0, 3, 10, 0]), np.array([10, 10, 10, 0]))
    for k in range(3):
        expected = stats.binomtest(int([0, 3, 10][k]), 10).proportion_ci(0.95, method="wilson")
        assert (low[k], high[k]) == pytest.approx((expected.low, expected.high))
    assert np.isnan(rate[3])
    assert (low[3], high[3]) == (0, 1)


def slow_bh(p: np.ndarray) -> list[float]:
    """By the definition: the smallest level at which the step-up procedure rejects each."""
    ordered = sorted(p)
    m = len(p)
    return [min(min(1.0, ordered[k] * m / (k + 1)) for k in range(m) if ordered[k] >= one) for one in p]


@given(hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)))
def test_benjamini_hochberg_equals_the_slow_reference(p: np.ndarray) -> None:
    assert benjamini_hochberg(p).tolist() == pytest.approx(slow_bh(p))


def test_benjamini_hochberg_equals_scipy_in_any_shape() -> None:
    p = RNG.random((7, 5)) ** 3
    assert benjamini_hochberg(p).reshape(-1) == pytest.approx(stats.false_discovery_control(p.reshape(-1)))


@given(hnp.arrays(np.float64, (9, 3), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, 3.0])))
def test_the_band_of_the_others_leaves_oneself_out(values: np.ndarray) -> None:
    low, high = others_interval(values)
    for u in range(len(values)):
        rest = np.delete(values, u, axis=0)
        assert low[u] == pytest.approx(np.percentile(rest, 2.5, axis=0))
        assert high[u] == pytest.approx(np.percentile(rest, 97.5, axis=0))


def test_spearman_equals_scipy() -> None:
    a = RNG.normal(size=60)
    b = a + RNG.normal(size=60)
    value, low, high = spearman(a, b, seed=1)
    assert value == pytest.approx(stats.spearmanr(a, b).statistic)
    assert low < value < high
    assert np.isnan(spearman(a[:3], b[:3], seed=1)[0])


def test_the_central_part_is_of_the_draws_that_there_are() -> None:
    drawn = RNG.normal(size=(200, 2, 3))
    drawn[RNG.random(drawn.shape) < 0.2] = np.nan
    drawn[:, 1, 2] = np.nan
    low, high = central(drawn)
    assert np.isnan([low[1, 2], high[1, 2]]).all()
    for place in np.ndindex(2, 3):
        known = drawn[:, *place][~np.isnan(drawn[:, *place])]
        if len(known):
            assert [low[place], high[place]] == pytest.approx(np.percentile(known, [2.5, 97.5]))
    assert all(np.isnan(central(np.zeros(0))))


def test_an_interval_has_a_sign_where_it_leaves_out_zero() -> None:
    ends = ((0.05, 0.2), (-0.3, -0.1), (-0.1, 0.3), (None, 0.2), (np.nan, np.nan), (0.0, 0.1))
    assert [sign_of(*each) for each in ends] == [1, -1, 0, 0, 0, 0]
