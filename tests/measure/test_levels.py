"""The best of many levels for each (unit, concept): the slow reference's, whatever batches and devices."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests import reference
from tests.measure.test_against_reference import batches, draw, kinds, shapes
from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure import grid as grid_module
from unit59.measure import level_agreement as module
from unit59.measure import levels as levels_module
from unit59.measure.agreement import count_agreement, interval, iou, iqr, null_scores
from unit59.measure.grid import Grid
from unit59.measure.level_agreement import LevelAgreement, count_level_agreement
from unit59.measure.levels import SHARES, find_levels

PERCENT = SHARES.index(0.01)


def levels_of(x: Tensor, grid: Grid, batch: int) -> tuple[Tensor, int]:
    """The levels, and in how many looks they are found."""
    looks = []

    def steps() -> list[Tensor]:
        looks.append(1)
        return [part for _, part in batches(x, batch)]

    found = find_levels(steps, grid, len(x), x.amin((0, 2, 3)), x.amax((0, 2, 3)))
    return found, len(looks)


def count(
    x: Tensor,
    labels: np.ndarray,
    concepts: int,
    batch: int = 4,
    *,
    compiled: bool = True,
    shuffles: int = 3,
    draws: int = 4,
) -> LevelAgreement:
    grid = Grid((x.shape[2], x.shape[3]), (labels.shape[2], labels.shape[3]), compiled=compiled)
    flat = torch.from_numpy(labels).flatten(2)
    return count_level_agreement(
        lambda: batches(x, batch),
        lambda numbers: flat[torch.from_numpy(numbers)],
        grid,
        levels_of(x, grid, batch)[0],
        concepts,
        len(x),
        Bootstrap(3, draws),
        null_shifts(3, len(x), shuffles),
    )


def test_the_shares_are_a_hundred_on_a_log_scale() -> None:
    assert len(SHARES) == 100
    assert (SHARES[0], SHARES[33], SHARES[66], SHARES[99]) == (0.001, 0.01, 0.1, 1.0)
    assert np.diff(np.log10(SHARES)) == pytest.approx(1 / 33, abs=3e-4)


@settings(max_examples=60)
@given(
    shapes,
    kinds,
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([1, 1 << 22]),
    st.sampled_from([1, 2, levels_module.UNITS]),
)
def test_levels_are_exact_quantiles(
    shape: tuple[int, ...], kind: str, seed: int, batch: int, compiled: bool, block: int, at_once: int
) -> None:
    samples, units, height, width, *size = shape
    x = draw(seed, (samples, units, height, width), kind)
    upsampled = reference.on_grid(x.numpy(), (size[0], size[1]))
    with mock.patch.object(grid_module, "BLOCK", block), mock.patch.object(levels_module, "UNITS", at_once):
        found, looks = levels_of(x, Grid((height, width), (size[0], size[1]), compiled=compiled), batch)
    assert looks <= 3 * -(-units // at_once)
    for unit in range(units):
        expected = [reference.threshold(upsampled[:, unit], share) for share in SHARES[:-1]]
        assert found[unit].tolist() == [*expected, upsampled[:, unit].min()]


@settings(max_examples=30)
@given(
    shapes,
    kinds,
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 2),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([1, module.ROOM]),
)
def test_counts_at_the_best_level(
    shape: tuple[int, ...],
    kind: str,
    seed: int,
    batch: int,
    planes: int,
    concepts: int,
    compiled: bool,
    room: int,
) -> None:
    samples, units, height, width, *size = shape
    x = draw(seed, (samples, units, height, width), kind)
    labels = np.random.default_rng(seed + 1).integers(0, concepts + 1, (samples, planes, *size))
    labels = np.where((labels - 1) % planes == np.arange(planes)[None, :, None, None], labels, 0)
    with mock.patch.object(module, "ROOM", room):
        found = count(x, labels.astype(np.uint8), concepts, batch, compiled=compiled)
    weights, shifts = Bootstrap(3, 4).weights(range(samples)), null_shifts(3, samples, 3)
    upsampled = reference.on_grid(x.numpy(), (size[0], size[1]))
    values = [[reference.threshold(upsampled[:, u], q) for q in SHARES[:-1]] for u in range(units)]
    for unit in range(units):
        limits = np.array([*values[unit], upsampled[:, unit].min()], np.float32)
        masks = upsampled[None, :, unit] > limits[:, None, None, None]
        for concept in range(concepts):
            shown = (labels == concept + 1).any(axis=1)
            at = found.level[unit, concept]
            assert at == reference.level(masks, shown)
            mask, both = masks[at].sum((1, 2)), (masks[at] & shown).sum((1, 2))
            assert (found.mask[unit, concept], found.both[unit, concept]) == (mask.sum(), both.sum())
            assert (found.mask_drawn[:, unit, concept] == weights @ mask).all()
            assert (found.both_drawn[:, unit, concept] == weights @ both).all()
            assert (found.area_drawn[:, concept] == weights @ shown.sum((1, 2))).all()
            for number, shift in enumerate(shifts):
                other = np.roll(shown, -shift, axis=0)
                chosen = masks[reference.level(masks, other)]
                assert found.mask_shuffled[number, unit, concept] == chosen.sum()
                assert found.both_shuffled[number, unit, concept] == (chosen & other).sum()


@settings(max_examples=30)
@given(shapes, kinds, st.integers(0, 10**6))
def test_masks_hold_those_before_them_and_one_percent_is_the_fixed_share(
    shape: tuple[int, ...], kind: str, seed: int
) -> None:
    samples, units, height, width, *size = shape
    x = draw(seed, (samples, units, height, width), kind)
    grid = Grid((height, width), (size[0], size[1]))
    levels, _ = levels_of(x, grid, 2)
    assert (levels.diff(dim=1) <= 0).all()
    labels = torch.from_numpy(np.random.default_rng(seed).integers(0, 3, (samples, 1, size[0] * size[1])))
    flat = module._Labels(lambda numbers: labels[torch.from_numpy(numbers)], 2, samples, [0])
    counts = torch.zeros(units, len(SHARES) + 1, 3, dtype=torch.int64)
    module._tally(x, flat.places(np.arange(samples)), grid, levels, counts)
    within = counts.cumsum(1)
    assert (within.diff(dim=1) >= 0).all()
    assert (within[:, -1].sum(1) == samples * grid.pixels).all()
    fixed = count_agreement(
        [(0, x)],
        lambda numbers: labels[torch.from_numpy(numbers)],
        grid,
        levels[:, PERCENT].contiguous(),
        2,
        samples,
        Bootstrap(0, 1),
        null_shifts(0, samples, 1),
    )
    assert (within[:, PERCENT].sum(1).numpy() == fixed.mask).all()
    assert (within[:, PERCENT, 1:].numpy() == fixed.both).all()


def planted(samples: int = 60) -> tuple[Tensor, np.ndarray]:
    """Three units: of a concept that covers a tenth, of noise, and constant; with the labels."""
    rng = np.random.default_rng(0)
    labels = (rng.random((samples, 1, 12, 12)) < 0.1).astype(np.uint8)
    noise = rng.random((samples, 2, 12, 12), dtype=np.float32)
    follower = labels + 0.5 * noise[:, :1]
    return torch.from_numpy(np.concatenate([follower, noise[:, 1:], noise[:, 1:] * 0 + 3], axis=1)), labels


def test_a_concept_of_a_tenth_has_its_share_where_one_percent_cannot() -> None:
    x, labels = planted()
    found = count(x, labels, 1, shuffles=20, draws=100)
    assert SHARES[found.level[0, 0]] == pytest.approx(labels.mean(), rel=0.08)
    score, null = iou(found.both, found.mask, found.area)[:, 0], null_scores(found)
    low, high = interval(found)
    assert score[0] > 0.9
    assert low[0, 0] <= score[0] <= high[0, 0]
    flat = torch.from_numpy(labels).flatten(2)
    levels, _ = levels_of(x, Grid((12, 12), (12, 12)), 60)
    fixed = count_agreement(
        [(0, x)],
        lambda numbers: flat[torch.from_numpy(numbers)],
        Grid((12, 12), (12, 12)),
        levels[:, PERCENT].contiguous(),
        1,
        len(x),
        Bootstrap(3, 4),
        null_shifts(3, len(x), 20),
    )
    assert iou(fixed.both, fixed.mask, fixed.area)[0, 0] < 0.11
    mean, bound = found.null_iqr()
    assert score[0] > null.bound[0, 0]
    assert mean[0, 0] < bound[0, 0] < 0.05


def test_a_constant_unit_has_no_mask_and_takes_the_smallest_share() -> None:
    found = count(*planted(), 1)
    assert (found.level[2, 0], found.mask[2, 0], found.both_shuffled[:, 2].sum()) == (0, 0, 0)


def test_a_perfect_binary_detector_scores_one() -> None:
    labels = planted()[1]
    found = count(torch.from_numpy(labels.astype(np.float32)), labels, 1)
    assert iou(found.both, found.mask, found.area)[0, 0] == 1
    # All shares that the concept fits in give this mask; the least of them is taken.
    assert SHARES[found.level[0, 0] - 1] < labels.mean() <= SHARES[found.level[0, 0]]


def test_chance_that_chooses_a_level_too_is_passed_by_few() -> None:
    """Units that have nothing to do with the concept, at their best levels, rarely pass their 99 % bound."""
    rng = np.random.default_rng(1)
    labels = (rng.random((40, 1, 6, 6)) < 0.2).astype(np.uint8)
    x = torch.from_numpy(rng.random((40, 2000, 6, 6), dtype=np.float32))
    found = count(x, labels, 1, batch=40, shuffles=20)
    score = iou(found.both, found.mask, found.area)[:, 0]
    passing = (score > null_scores(found).bound[:, 0]).mean()
    ratio = iqr(found.both, found.mask, found.area, found.pixels)[:, 0]
    by_iqr = (ratio > found.null_iqr()[1][:, 0]).mean()
    assert passing < 0.02
    assert 0.003 < by_iqr < 0.03


def test_batches_room_and_devices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = draw(5, (6, 3, 4, 4), "normal")
    labels = np.random.default_rng(0).integers(0, 3, (6, 1, 16, 16)).astype(np.uint8)
    whole = count(x, labels, 2, 6).arrays()
    plain = count(x, labels, 2, 4, compiled=False).arrays()
    monkeypatch.setattr(grid_module, "BLOCK", 64)
    monkeypatch.setattr(module, "ROOM", 5000)
    pieces = count(x, labels, 2, 1).arrays()
    assert all((np.asarray(whole[name]) == np.asarray(pieces[name])).all() for name in whole)
    assert all((np.asarray(whole[name]) == np.asarray(plain[name])).all() for name in whole)
