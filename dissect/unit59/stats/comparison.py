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
from numpy.typing import NDArray

from unit59.stats.frechet import frechet
from unit59.stats.intervals import mean_interval, wilson

#: A picture shows a concept from this share of its pixels on (8 pixels of 64 x 64).
FLOOR = 0.002

Shares = NDArray[np.float64]  # [N,C], share of each picture's pixels


@dataclass(frozen=True)
class Comparison:
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


def area_shares(segmentations: NDArray[Any], concepts: int) -> Shares:
    """Each concept's share of each picture.

    Args:
        segmentations: int [N,P,h,w], as from `Segmenter.segment`; 0 is nothing.
        concepts: how many there are.

    Returns:
        [N,concepts].
    """
    count, _, height, width = segmentations.shape
    rows = np.arange(count)[:, None, None, None] * (concepts + 1)
    places = (segmentations.astype(np.int64) + rows).reshape(-1)
    table = np.bincount(places, minlength=count * (concepts + 1)).reshape(count, concepts + 1)
    return np.asarray(table[:, 1:] / (height * width), np.float64)


def compare(names: Sequence[str], generated: Shares, real: Shares) -> Comparison:
    """Compare generated with real pictures.

    The distance between them is taken against the first half of the real ones, of which the second half is as
    large: so both distances have the same bias, which grows as samples get fewer.

    Args:
        names: of the concepts.
        generated: [N,C]; of them as many as half of the real ones enter the distance.
        real: [M,C].
    """
    half = min(len(real) // 2, len(generated))
    return Comparison(
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
