"""Agreement with what was asked for against slow, obvious references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit59.measure.asked import agreement_with_asked, count_asked


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
