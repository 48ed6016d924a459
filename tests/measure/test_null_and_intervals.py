"""What chance gives, and how sure the numbers are, where the truth is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure.agreement import (
    Agreement,
    count_agreement,
    interval,
    iou,
    null_scores,
)
from unit59.measure.grid import Grid


def measured(
    x: Tensor, labels: Tensor, concepts: int, shuffles: int = 20, limits: Tensor | None = None
) -> Agreement:
    grid = Grid((x.shape[2], x.shape[3]), (labels.shape[2], labels.shape[3]))
    flat = labels.flatten(2)
    thresholds = torch.quantile(x.transpose(0, 1).flatten(1), 0.9, dim=1) if limits is None else limits
    return count_agreement(
        [(0, x)],
        lambda n: flat[torch.from_numpy(n)],
        grid,
        thresholds,
        concepts,
        len(x),
        Bootstrap(0, 200),
        null_shifts(0, len(x), shuffles),
    )


def test_a_unit_that_follows_its_concept_beats_its_null_and_one_that_does_not_does_not() -> None:
    rng = np.random.default_rng(0)
    labels = torch.from_numpy((rng.random((60, 1, 8, 8)) < 0.1).astype(np.int64))
    follower = labels.float() + 0.01 * torch.from_numpy(rng.random((60, 1, 8, 8), dtype=np.float32))
    stranger = torch.from_numpy(rng.random((60, 1, 8, 8), dtype=np.float32))
    counts = measured(torch.cat([follower, stranger], 1), labels, 1)
    null = null_scores(counts)
    scores = iou(counts.both, counts.mask, counts.area)[:, 0]
    assert scores[0] > 0.8
    assert null.best_bound[0] < 0.2
    assert scores[1] < null.best_bound[1]


def test_the_null_s_bound_is_exceeded_by_one_in_a_hundred() -> None:
    """Units that have nothing to do with the concept pass the 99 % bound about 1 % of the time."""
    rng = np.random.default_rng(1)
    labels = torch.from_numpy((rng.random((40, 1, 6, 6)) < 0.2).astype(np.int64))
    x = torch.from_numpy(rng.random((40, 3000, 6, 6), dtype=np.float32))
    counts = measured(x, labels, 1)
    passing = (iou(counts.both, counts.mask, counts.area)[:, 0] > null_scores(counts).best_bound).mean()
    assert 0.003 < passing < 0.02


def test_the_bootstrap_interval_covers_the_truth() -> None:
    """IoU of a mask that overlaps its concept by a known share, over many repeated data sets."""
    rng = np.random.default_rng(2)
    truth, covered, repetitions = None, 0, 200
    for _ in range(repetitions):
        shown = rng.random((80, 1, 4, 4)) < rng.random((80, 1, 1, 1)) * 0.5
        agrees = rng.random(shown.shape) < 0.7
        x = np.where(agrees, shown, rng.random(shown.shape) < 0.1).astype(np.float32)
        labels = torch.from_numpy(shown.astype(np.int64))
        counts = measured(torch.from_numpy(x), labels, 1, shuffles=2, limits=torch.tensor([0.5]))
        if truth is None:
            # E|both| / E|either|: a pixel shows the concept with probability 1/4, is masked as above.
            both, mask_alone = 0.25 * (0.7 + 0.3 * 0.1), 0.75 * 0.3 * 0.1
            truth = both / (0.25 + mask_alone)
        low, high = interval(counts)
        covered += int(low[0, 0] <= truth <= high[0, 0])
    assert 0.90 <= covered / repetitions <= 0.99


def test_shifts_never_give_a_sample_its_own_labels() -> None:
    for samples in (2, 8, 30):
        shifts = null_shifts(7, samples, 20)
        assert len(set(shifts.tolist())) == len(shifts) == min(20, samples - 1)
        assert (shifts % samples != 0).all()
