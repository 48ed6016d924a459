"""Partial rank correlation and shared tops against independent references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from unit59.stats.ranks import SharedTop, partial_spearman, shared_top


def test_the_partial_correlation_is_that_of_the_residuals_of_ranks() -> None:
    rng = np.random.default_rng(0)
    held = rng.normal(size=80)
    a, b = held + rng.normal(size=80), held - rng.normal(size=80) ** 3
    ranks = [stats.rankdata(each) for each in (a, b, held)]
    left = [each - np.polyval(np.polyfit(ranks[2], each, 1), ranks[2]) for each in ranks[:2]]
    assert partial_spearman(a, b, held) == pytest.approx(stats.pearsonr(*left).statistic)


def test_nothing_is_left_where_the_held_score_says_it_all() -> None:
    a = np.arange(9.0)
    assert math.isnan(partial_spearman(a, a[::-1], a**3))
    assert math.isnan(partial_spearman(a, np.ones(9), a[::-1] % 4))


def test_shared_tops_are_counted_and_compared_with_chance() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=60)
    assert shared_top(a, a) == SharedTop(6, 6, 0.6, 2)
    assert shared_top(a, -a).both == 0
    drawn = [shared_top(a, rng.permutation(a)).both for _ in range(4000)]
    assert np.mean(drawn) == pytest.approx(0.6, abs=0.05)
    assert np.mean(np.array(drawn) <= 2) >= 0.975


def test_few_and_equal_scores() -> None:
    assert shared_top(np.zeros(0), np.zeros(0)) == SharedTop(0, 0, 0.0, 0)
    assert shared_top(np.zeros(5), np.zeros(5)) == SharedTop(1, 1, 0.2, 1)
