"""The engine's integer counts are those of the slow reference, for any shapes, batches and values."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests import reference
from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure import grid as grid_module
from unit59.measure import thresholds as thresholds_module
from unit59.measure.agreement import Agreement, count_agreement, iou, iqr
from unit59.measure.grid import Grid
from unit59.measure.thresholds import find_thresholds, from_key, to_key

shapes = st.tuples(
    st.integers(2, 5),  # samples
    st.integers(1, 4),  # units
    st.integers(1, 7),  # native height
    st.integers(1, 7),  # native width
    st.integers(2, 13),  # grid height
    st.integers(2, 13),  # grid width
)
kinds = st.sampled_from(["normal", "relu", "few values", "dead", "huge"])


def draw(seed: int, shape: tuple[int, ...], kind: str) -> Tensor:
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    made = {
        "normal": values,
        "relu": np.maximum(values, 0),
        "few values": np.round(values),
        "dead": values * 0,
        "huge": values * np.float32(1e30),
    }
    return torch.from_numpy(made[kind])


def batches(x: Tensor, size: int) -> Iterator[tuple[int, Tensor]]:
    for start in range(0, len(x), size):
        yield start, x[start : start + size]


def engine_thresholds(
    x: Tensor, size: tuple[int, int], q: float, batch: int, *, compiled: bool
) -> tuple[Tensor, Tensor]:
    low, high = x.amin((0, 2, 3)), x.amax((0, 2, 3))
    found = find_thresholds(
        lambda _: (part for _, part in batches(x, batch)),
        x[:batch],
        Grid((x.shape[2], x.shape[3]), size, compiled=compiled),
        len(x),
        low,
        high,
        q,
    )
    return found.value, found.on_share


@settings(max_examples=150)
@given(
    shapes,
    kinds,
    st.integers(0, 10**6),
    st.sampled_from([0.004, 0.01, 0.2, 0.49]),
    st.integers(1, 5),
    st.sampled_from([0, 20, thresholds_module.KEPT]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, grid_module.BLOCK]),
)
def test_thresholds_and_masks(
    shape: tuple[int, ...],
    kind: str,
    seed: int,
    q: float,
    batch: int,
    kept: int,
    as_it_is: bool,
    compiled: bool,
    block: int,
) -> None:
    samples, units, height, width, *size = shape
    if as_it_is:
        size = [height, width]
    x = draw(seed, (samples, units, height, width), kind)
    upsampled = reference.on_grid(x.numpy(), (size[0], size[1]))
    with (
        mock.patch.object(thresholds_module, "KEPT", kept),
        mock.patch.object(grid_module, "BLOCK", block),
    ):
        value, share = engine_thresholds(x, (size[0], size[1]), q, batch, compiled=compiled)
        found = list(Grid((height, width), (size[0], size[1]), compiled=compiled).hits(x, value))
    expected = [reference.threshold(upsampled[:, unit], q) for unit in range(units)]
    assert value.tolist() == expected
    masks = upsampled > np.array(expected, np.float32)[:, None, None]
    assert share.tolist() == masks.mean(axis=(0, 2, 3)).tolist()
    assert (share <= q).all()
    hit = np.zeros(masks.shape, np.bool_).reshape(samples, units, -1)
    for hits in found:
        pixel = hits.pixel.long()
        assert not hit[hits.sample, hits.unit, pixel].any()
        hit[hits.sample, hits.unit, pixel] = True
        there = upsampled.reshape(samples, units, -1)[hits.sample, hits.unit, pixel]
        assert (hits.value.numpy() == there).all()
    assert (hit.reshape(masks.shape) == masks).all()


@settings(max_examples=40)
@given(
    shapes,
    kinds,
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from([1, 2, 3, 4, 300]),
    st.booleans(),
)
def test_agreement_counts(
    shape: tuple[int, ...], kind: str, seed: int, batch: int, planes: int, concepts: int, compiled: bool
) -> None:
    samples, units, height, width, *size = shape
    x = draw(seed, (samples, units, height, width), kind)
    labels = np.random.default_rng(seed + 1).integers(0, concepts + 1, (samples, planes, *size))
    # A concept stands in one plane: give each plane the concepts of its turn.
    own = (labels - 1) % planes == np.arange(planes)[None, :, None, None]
    labels = np.where(own, labels, 0)
    kept = labels.astype(np.uint8 if concepts < 256 else np.int16)  # as they are kept
    found, value, draws, shifts = count(x, kept, (size[0], size[1]), concepts, batch, compiled=compiled)
    masks = reference.on_grid(x.numpy(), (size[0], size[1])) > value.numpy()[:, None, None]
    mask, area, both = reference.counts(masks, labels, concepts)
    assert (found.mask == mask.sum(0)).all()
    assert (found.area == area.sum(0)).all()
    assert (found.both == both.sum(0)).all()
    assert found.pixels == samples * size[0] * size[1]
    for b, weights in enumerate(draws):
        assert (found.mask_drawn[b] == (weights[:, None] * mask).sum(0)).all()
        assert (found.area_drawn[b] == (weights[:, None] * area).sum(0)).all()
        assert (found.both_drawn[b] == (weights[:, None, None] * both).sum(0)).all()
    for s, shift in enumerate(shifts):
        shuffled = reference.counts(masks, np.roll(labels, -shift, axis=0), concepts)[2]
        assert (found.both_shuffled[s] == shuffled.sum(0)).all()
    scores = iou(found.both, found.mask, found.area)
    ratios = iqr(found.both, found.mask, found.area, found.pixels)
    for unit in range(units):
        for concept in range(concepts):
            i, m, a = both.sum(0)[unit, concept], mask.sum(0)[unit], area.sum(0)[concept]
            assert scores[unit, concept] == (i / (m + a - i) if m + a - i else 0)
            assert ratios[unit, concept] == pytest.approx(
                reference.iqr(int(i), int(m), int(a), found.pixels), abs=1e-9
            )


def count(
    x: Tensor,
    labels: np.ndarray,
    size: tuple[int, int],
    concepts: int,
    batch: int,
    *,
    compiled: bool = True,
) -> tuple[Agreement, Tensor, np.ndarray, np.ndarray]:
    value, _ = engine_thresholds(x, size, 0.2, batch, compiled=compiled)
    draws, shifts = Bootstrap(3, 4), null_shifts(3, len(x), 3)
    flat = torch.from_numpy(labels).flatten(2)
    found = count_agreement(
        batches(x, batch),
        lambda numbers: flat[torch.from_numpy(numbers)],
        Grid((x.shape[2], x.shape[3]), size, compiled=compiled),
        value,
        concepts,
        len(x),
        draws,
        shifts,
    )
    return found, value, draws.weights(range(len(x))), shifts


def test_batch_size_and_block_size_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = draw(5, (6, 3, 4, 4), "normal")
    labels = np.random.default_rng(0).integers(0, 3, (6, 1, 16, 16))
    whole = count(x, labels, (16, 16), 2, 6)[0].arrays()
    monkeypatch.setattr(grid_module, "BLOCK", 64)
    pieces = count(x, labels, (16, 16), 2, 1)[0].arrays()
    assert all((np.asarray(whole[name]) == np.asarray(pieces[name])).all() for name in whole)


def test_upsampling_is_the_framework_s_own() -> None:
    """The reference itself agrees with torch's half-pixel bilinear, so both cannot be wrong alike."""
    x = draw(1, (1, 1, 5, 3), "normal")
    ours = reference.upsample(x[0, 0].numpy(), (17, 12))
    theirs = torch.nn.functional.interpolate(x.double(), size=(17, 12), mode="bilinear", align_corners=False)
    assert np.abs(ours - theirs[0, 0].float().numpy()).max() < 1e-6


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=20))
def test_keys_keep_the_order(values: list[float]) -> None:
    tensor = torch.tensor(values, dtype=torch.float32) + 0.0
    keys = to_key(tensor)
    assert (from_key(keys) == tensor).all()
    order = torch.argsort(tensor, stable=True)
    assert (keys[order].diff() >= 0).all()
    assert ((tensor[:-1] < tensor[1:]) == (keys[:-1] < keys[1:])).all()
