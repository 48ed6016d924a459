"""How good a generator is, told by what its pictures show.

Per concept, presence and area in generated and real pictures; and as one number the Fréchet segmentation
distance (Bau et al. 2019, "Seeing what a GAN cannot generate", section 3.1).

Real and generated pictures are segmented by the same segmenter, so that what it gets wrong weighs on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.stats.intervals import mean_interval, wilson

#: A picture shows a concept from this share of its pixels on (8 pixels of 64 x 64).
FLOOR = 0.002

Shares = NDArray[np.float64]  # [N,C], share of each picture's pixels


@dataclass(frozen=True)
class Quality:
    """Generated against real pictures.

    Attributes:
        table: one row a concept: ``concept``, ``presence_real``, ``presence_generated`` (share of the
            pictures that show it), ``presence_difference`` (generated less real), ``area_real``,
            ``area_generated`` (mean share of the pixels), each with its 95 % interval in ``…_low`` and
            ``…_high``.
        distance: Fréchet segmentation distance between generated and real pictures, of areas in percent.
        halves: the same between two halves of the real ones: what a perfect generator would get.
        half: pictures on each side of both distances.
        generated: pictures.
        real: pictures.
    """

    table: pl.DataFrame
    distance: float
    halves: float
    half: int
    generated: int
    real: int


def area_shares(segmentations: Tensor, concepts: int) -> Shares:
    """Each concept's share of each picture.

    Args:
        segmentations: int [N,P,h,w], as from `Segmenter.segment`.
        concepts: how many there are.

    Returns:
        [N,concepts].
    """
    count, _, height, width = segmentations.shape
    rows = torch.arange(count)[:, None, None, None] * (concepts + 1)
    places = (segmentations.cpu().long() + rows).flatten()
    table = torch.bincount(places, minlength=count * (concepts + 1)).view(count, concepts + 1)
    return np.asarray(table[:, 1:].numpy() / (height * width), np.float64)


def compare(names: Sequence[str], generated: Shares, real: Shares) -> Quality:
    """Compare generated with real pictures.

    The distance between them is taken against the first half of the real ones, of which the second half is as
    large: so both distances have the same bias, which grows as samples get fewer.

    Args:
        names: of the concepts.
        generated: [N,C]; of them as many as half of the real ones enter the distance.
        real: [M,C].
    """
    half = min(len(real) // 2, len(generated))
    return Quality(
        pl.DataFrame({"concept": list(names), **_presences(generated, real), **_areas(generated, real)}),
        frechet(100 * generated[:half], 100 * real[:half]),
        frechet(100 * real[half : 2 * half], 100 * real[:half]),
        half,
        len(generated),
        len(real),
    )


def _presences(generated: Shares, real: Shares) -> dict[str, Shares]:
    """Wilson's intervals of the rates; of their difference Newcombe's (1998, method 10), made of those."""
    rates = [
        wilson((part >= FLOOR).sum(axis=0), np.full(part.shape[1], len(part))) for part in (generated, real)
    ]
    (made, made_low, made_high), (true, true_low, true_high) = rates
    difference = made - true
    low = difference - np.hypot(made - made_low, true_high - true)
    high = difference + np.hypot(made_high - made, true - true_low)
    return (
        _with_bounds("presence_real", rates[1])
        | _with_bounds("presence_generated", rates[0])
        | _with_bounds("presence_difference", (difference, low, high))
    )


def _areas(generated: Shares, real: Shares) -> dict[str, Shares]:
    found: dict[str, Shares] = {}
    for name, part in (("area_real", real), ("area_generated", generated)):
        mean = mean_interval(part)
        found |= _with_bounds(name, (mean.value, mean.low.clip(0), mean.high.clip(0)))
    return found


def _with_bounds(name: str, found: tuple[Shares, Shares, Shares]) -> dict[str, Shares]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))


class Confusion:
    """Counts of pixels by true and said number, and the IoU that follows.

    Args:
        names: of the concepts, by number from 1.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names, classes = list(names), len(names) + 1
        self._counts = np.zeros((classes, classes), np.int64)

    def add(self, true: NDArray[Any], said: NDArray[Any]) -> None:
        """Count label maps of equal shape."""
        classes = len(self._counts)
        pairs = true.astype(np.int64) * classes + said
        self._counts += np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)

    def iou(self) -> dict[str, float]:
        """Intersection over union per concept over all that was counted, and their ``mean``."""
        both = self._counts.diagonal()
        union = self._counts.sum(0) + self._counts.sum(1) - both
        score = both[1:] / np.maximum(union[1:], 1)
        found = {name: round(float(value), 4) for name, value in zip(self._names, score, strict=True)}
        return found | {"mean": round(float(score.mean()), 4)}


def frechet(first: Shares, second: Shares) -> float:
    """Fréchet distance between the normal distributions with the samples' means and covariances.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson and Landau 1982). The trace of the root is the sum of
    the roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric.

    Args:
        first: [N,C], N >= 2.
        second: [M,C].
    """
    means = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second))
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ two @ root)
    distance = means @ means + np.trace(one) + np.trace(two) - 2 * np.sqrt(mixed.clip(0)).sum()
    return float(max(distance, 0.0))
