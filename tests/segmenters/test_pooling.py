"""Precise RoI pooling against numerical integration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import dblquad

from unit59.segmenters.pooling import averaging, precise_roi_pool


def bilinear(field: np.ndarray[tuple[int, int], np.dtype[np.float64]], y: float, x: float) -> float:
    """The field between its pixels, zero outside."""
    total = 0.0
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            total += field[i, j] * max(0.0, 1 - abs(y - i)) * max(0.0, 1 - abs(x - j))
    return total


@pytest.mark.parametrize(("height", "width", "bins"), [(3, 2, 2), (4, 3, 3), (2, 5, 1)])
def test_equals_numerical_integration(height: int, width: int, bins: int) -> None:
    field = np.random.default_rng(59).normal(size=(height, width))
    found = precise_roi_pool(torch.from_numpy(field)[None, None], bins)[0, 0].numpy()
    for b in range(bins):
        for c in range(bins):
            top, bottom = height * b / bins, height * (b + 1) / bins
            left, right = width * c / bins, width * (c + 1) / bins
            # Piece by piece between the kinks at whole numbers, where the integrand is smooth.
            ys = [top, *(y for y in range(height + 1) if top < y < bottom), bottom]
            xs = [left, *(x for x in range(width + 1) if left < x < right), right]
            total = sum(
                dblquad(lambda x, y: bilinear(field, y, x), y0, y1, x0, x1)[0]
                for y0, y1 in pairwise(ys)
                for x0, x1 in pairwise(xs)
            )
            assert found[b, c] == pytest.approx(total / ((bottom - top) * (right - left)), abs=1e-9)


@pytest.mark.parametrize("size", [1, 2, 7, 16])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_weights_add_up(size: int, bins: int) -> None:
    """Every pixel's hat has area 1, save the first: half of it lies outside."""
    areas = (averaging(size, bins) * size / bins).sum(0)
    assert areas[0] == pytest.approx(0.5)
    assert np.allclose(areas[1:], 1)


def test_it_is_not_adaptive_average_pooling() -> None:
    ones = torch.ones(1, 1, 7, 7)
    assert precise_roi_pool(ones, 1).item() == pytest.approx((6.5 / 7) ** 2)
    assert not torch.allclose(precise_roi_pool(ones, 3), torch.nn.functional.adaptive_avg_pool2d(ones, 3))
