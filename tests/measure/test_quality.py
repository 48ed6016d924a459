"""Presence, area and the Fréchet distance against slow, obvious references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from unit59.measure.asked import agreement_with_asked, count_asked
from unit59.measure.quality import FLOOR, Confusion, area_shares, compare, frechet


def test_area_shares_count_every_plane() -> None:
    labels = torch.randint(0, 6, (5, 2, 7, 9), generator=torch.Generator().manual_seed(1))
    expected = [[float((each == number).sum()) / 63 for number in range(1, 6)] for each in labels]
    assert np.allclose(area_shares(labels, 5), expected)


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


def test_iou_from_counts() -> None:
    rng = np.random.default_rng(1)
    true, said = rng.integers(1, 4, (6, 8, 8)), rng.integers(0, 4, (6, 8, 8))
    counts = Confusion("abc")
    counts.add(true[:2], said[:2])
    counts.add(true[2:], said[2:])
    found = counts.iou()
    for number, name in enumerate("abc", start=1):
        both = ((true == number) & (said == number)).sum()
        either = ((true == number) | (said == number)).sum()
        assert found[name] == pytest.approx(both / either, abs=1e-4)
    assert found["mean"] == pytest.approx(np.mean([found[name] for name in "abc"]), abs=1e-4)


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


@given(st.integers(0, 10**6))
def test_agreement_with_what_was_asked_is_counted_pixel_by_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked, shown = rng.integers(0, 4, (5, 30)), rng.integers(0, 4, (5, 30))
    both, either = count_asked(asked, shown, 4)
    for picture in range(5):
        for number in range(1, 5):
            places = list(zip(asked[picture], shown[picture], strict=True))
            assert both[picture, number - 1] == sum(a == number and b == number for a, b in places)
            assert either[picture, number - 1] == sum(number in (a, b) for a, b in places)
    found = agreement_with_asked(both, either, 3, 50)
    assert np.isnan([found.iou[3], found.low[3], found.high[3]]).all()  # neither asked for nor shown
    assert found.iou[:3] == pytest.approx(both.sum(0)[:3] / either.sum(0)[:3])
    assert found.mean[0] == pytest.approx(found.iou[:3].mean())
    assert found.mean[1] <= found.mean[0] + 0.1
    assert (found.low[:3] <= found.high[:3]).all()
    assert np.isnan(agreement_with_asked(both * 0, either * 0, 3, 50).mean).all()


def test_the_interval_of_an_agreement_covers_the_truth() -> None:
    """Pictures agree in a share of their pixels that differs from picture to picture; the mean is known."""
    rng, hits = np.random.default_rng(0), 0
    for trial in range(100):
        both = rng.binomial(200, rng.beta(6, 3, (60, 1)))
        found = agreement_with_asked(both, np.full((60, 1), 200), trial, 200)
        hits += found.low[0] <= 2 / 3 <= found.high[0]
    assert 88 <= hits <= 99
