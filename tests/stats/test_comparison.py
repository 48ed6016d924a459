"""Presence and area in generated and real pictures against slow, obvious references."""

from __future__ import annotations

import numpy as np
import pytest

from unit59.stats.comparison import FLOOR, area_shares, compare


def test_area_shares_count_every_plane() -> None:
    labels = np.random.default_rng(1).integers(0, 6, (5, 2, 7, 9)).astype(np.uint8)
    expected = [[float((each == number).sum()) / 63 for number in range(1, 6)] for each in labels]
    assert np.allclose(area_shares(labels, 5), expected)


def test_the_same_distribution_is_as_far_as_two_halves_and_another_is_farther() -> None:
    rng = np.random.default_rng(0)
    real = rng.random((4000, 3)) * [0.5, 0.2, 0.1]
    same = compare("abc", rng.random((2000, 3)) * [0.5, 0.2, 0.1], real)
    assert same.distance < 3 * same.halves
    assert same.halves < 0.5
    without = rng.random((2000, 3)) * [0.5, 0.2, 0.0]
    other = compare("abc", without, real)
    assert other.distance > 20 * other.halves
    assert list(other.table["presence_generated"]) == pytest.approx([1, 1, 0], abs=0.02)


def test_presence_starts_at_the_floor() -> None:
    shares = np.array([[FLOOR, 0.9 * FLOOR], [0.5, 0.0]] * 4)
    table = compare("ab", shares, shares).table
    assert list(table["presence_real"]) == [1.0, 0.0]
    assert list(table["area_generated"]) == pytest.approx([(0.5 + FLOOR) / 2, 0.45 * FLOOR])


def test_intervals_are_the_textbook_s() -> None:
    """Newcombe (1998), table II: 56 of 70 less 48 of 80 is 0.2, from 0.0524 to 0.3339 by method 10."""
    generated, real = np.zeros((70, 1)), np.zeros((80, 1))
    generated[:56], real[:48] = 0.3, 0.1
    (row,) = compare("a", generated, real).table.to_dicts()
    assert row["presence_difference"] == pytest.approx(0.2)
    assert row["presence_difference_low"] == pytest.approx(0.0524, abs=5e-5)
    assert row["presence_difference_high"] == pytest.approx(0.3339, abs=5e-5)
    assert row["presence_generated_low"] < 0.8 < row["presence_generated_high"]
    assert row["area_real"] == pytest.approx(0.06)
    assert row["area_real_low"] < 0.06 < row["area_real_high"]
