"""What is refused when a shard is made, with layer, unit and sample."""

from __future__ import annotations

import pytest
import torch

from unit59.foundation.errors import Unit59Error
from unit59.networks.base import Layer
from unit59.samples.checks import (
    SampleError,
    check_activations,
    check_grid,
    check_pictures,
    check_range,
    checked_pass,
    costly_grid,
    range_note,
)

LAYER = Layer("layer6", 6, 4, 2, 2, "path")


def test_a_layer_that_is_not_finite() -> None:
    x = torch.zeros(3, 4, 2, 2)
    check_activations(LAYER, x, [8, 9, 10])
    for value in (float("nan"), float("inf")):
        x[1, 2, 0, 1] = value
        with pytest.raises(SampleError, match="layer layer6, unit 2, sample 9: the activation is not finite"):
            check_activations(LAYER, x, [8, 9, 10])
    for wrong in (torch.zeros(2, 4, 2, 2), torch.zeros(3, 4, 2, 2).byte(), torch.zeros(3, 4, 2, 2) * 1j):
        with pytest.raises(SampleError, match=r"layer layer6, samples 8 to 10: .* expected float32 \[3, 4"):
            check_activations(LAYER, wrong, [8, 9, 10])


def test_pictures_on_another_scale() -> None:
    pictures = torch.rand(2, 3, 8, 8) * 2 - 1
    check_pictures(pictures, [4, 5])
    check_range(pictures * 1.4, [4, 5])  # as published networks do
    with pytest.raises(SampleError, match=r"sample 4: the picture's values reach from .*of 0 to 255"):
        check_range((pictures + 1) * 127.5, [4, 5])
    pictures[1, 0, 0, 0] = float("nan")
    with pytest.raises(SampleError, match="sample 5: the picture holds values that are not finite"):
        check_pictures(pictures, [4, 5])
    assert range_note(-1, 1) is None
    assert "none below 0" in (range_note(0, 1) or "")


def test_what_a_pass_raises_is_said_with_its_samples() -> None:
    with (
        pytest.raises(SampleError, match="the network, samples 8 to 15: no"),
        checked_pass("the network", range(8, 16)),
    ):
        raise Unit59Error("no")
    with pytest.raises(SampleError, match="sample 3: out of memory"), checked_pass("the network", [3]):
        raise MemoryError
    with pytest.raises(ZeroDivisionError), checked_pass("the network", [3]):
        _ = 1 / 0


def test_a_grid_far_finer_than_the_pictures() -> None:
    assert check_grid(None, (8, 8)) is None
    assert check_grid(64, (8, 8)) is None
    assert check_grid(1024, (256, 256)) is None
    assert "at most 1024" in (check_grid(4096, (256, 128)) or "")


def test_a_costly_grid_is_worth_a_word() -> None:
    assert costly_grid(None, (1024, 1024)) is None
    assert costly_grid(1024, (1024, 1024)) is None
    assert costly_grid(512, (128, 128)) is None
    assert "4096 x 4096 has 16 times the pixels" in (costly_grid(4096, (1024, 1024)) or "")
