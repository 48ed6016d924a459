"""Resampling against loops over pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.networks import naive
from unit59.networks.filters import filtered_lrelu, upfirdn, upsample2

GENERATOR = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=GENERATOR)


@given(
    up=st.integers(1, 4),
    down=st.integers(1, 3),
    taps=st.integers(1, 6),
    separable=st.booleans(),
    padding=st.tuples(*[st.integers(-3, 5)] * 4),
    height=st.integers(5, 7),
    width=st.integers(5, 7),
)
def test_upfirdn_is_the_loop(
    up: int, down: int, taps: int, separable: bool, padding: tuple[int, ...], height: int, width: int
) -> None:
    left, right, top, bottom = padding
    if height * up + top + bottom < taps or width * up + left + right < taps:
        return
    x, fir = draw(2, 3, height, width), draw(taps) if separable else draw(taps, taps)
    found = upfirdn(x, fir, up, down, padding, gain=1.5)
    for row in range(len(x)):
        expected = naive.upfirdn(x[row].double().numpy(), fir.double().numpy(), up, down, padding, 1.5)
        np.testing.assert_allclose(found[row], expected, atol=2e-5)


def test_no_filter_is_the_identity() -> None:
    x = draw(2, 3, 5, 4)
    assert torch.equal(upfirdn(x, None), x)


def test_upsampling_keeps_a_constant() -> None:
    fir = torch.tensor([1.0, 3.0, 3.0, 1.0]).outer(torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64
    y = upsample2(torch.full((1, 2, 6, 6), 0.75), fir)
    assert y.shape == (1, 2, 12, 12)
    torch.testing.assert_close(y[:, :, 2:-2, 2:-2], torch.full((1, 2, 8, 8), 0.75))


@pytest.mark.parametrize("radial", [False, True])
def test_filtered_nonlinearity_is_the_loop(radial: bool) -> None:
    x, up_fir = draw(1, 2, 6, 6), draw(8)
    down_fir = draw(6, 6) if radial else draw(6)
    found = filtered_lrelu(x, up_fir, down_fir, 4, 2, (5, 4, 3, -2), gain=1.4, slope=0.2, clamp=0.8)
    y = naive.upfirdn(x[0].double().numpy(), up_fir.double().numpy(), 4, 1, (5, 4, 3, -2), 16)
    y = np.clip(np.where(y > 0, y, 0.2 * y) * 1.4, -0.8, 0.8)
    assert (np.abs(y) == 0.8).mean() > 0.1
    np.testing.assert_allclose(found[0], naive.upfirdn(y, down_fir.double().numpy(), 1, 2), atol=2e-5)
