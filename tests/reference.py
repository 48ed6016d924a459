"""The definitions once more, slow and obvious, in plain numpy: what the engine must agree with."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray


def upsample(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """One map [h,w] on a grid: half-pixel centres, clamped borders, double precision, rounded to float32."""
    height, width = plane.shape
    out = np.zeros(size, np.float32)
    for row in range(size[0]):
        for column in range(size[1]):
            y, x = position(row, height, size[0]), position(column, width, size[1])
            top, left = math.floor(y), math.floor(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            down, along = float(y - top), float(x - left)
            a, b = float(plane[top, left]), float(plane[top, right])
            c, d = float(plane[bottom, left]), float(plane[bottom, right])
            upper, lower = a * (1 - along) + b * along, c * (1 - along) + d * along
            out[row, column] = upper * (1 - down) + lower * down
    return out


def position(index: int, native: int, size: int) -> Fraction:
    """Where the centre of a grid pixel lies on the native map; exact, as a rounded half would not be."""
    place = (index + Fraction(1, 2)) * native / size - Fraction(1, 2)
    return min(max(place, Fraction(0)), Fraction(native - 1))


def on_grid(activations: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """[N,U,h,w] -> [N,U,H,W]."""
    return np.stack([np.stack([upsample(plane, size) for plane in sample]) for sample in activations])


def threshold(values: NDArray[np.float32], q: float) -> float:
    """The value that at most a share q of the values is greater than: (floor(q n) + 1)-th largest."""
    ordered = sorted(values.reshape(-1).tolist(), reverse=True)
    return float(ordered[int(q * len(ordered))])


def counts(
    masks: NDArray[np.bool_], labels: NDArray[np.int64], concepts: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Per sample: mask [N,U], area [N,C], both [N,U,C]; masks [N,U,H,W], labels [N,P,H,W]."""
    samples, units = masks.shape[:2]
    mask = np.zeros((samples, units), np.int64)
    area = np.zeros((samples, concepts), np.int64)
    both = np.zeros((samples, units, concepts), np.int64)
    for i in range(samples):
        for concept in range(concepts):
            shown = (labels[i] == concept + 1).any(axis=0)
            area[i, concept] = shown.sum()
            for unit in range(units):
                both[i, unit, concept] = (shown & masks[i, unit]).sum()
        for unit in range(units):
            mask[i, unit] = masks[i, unit].sum()
    return mask, area, both


def iqr(both: int, mask: int, area: int, n: int) -> float:
    """Mutual information over joint entropy of the 2x2 table, cell by cell."""
    table = np.array([[both, mask - both], [area - both, n - mask - area + both]]) / n
    shared = entropy = 0.0
    for i in range(2):
        for j in range(2):
            p = table[i, j]
            if p > 0:
                shared += p * math.log(p / (table[i].sum() * table[:, j].sum()))
                entropy -= p * math.log(p)
    return shared / entropy if entropy > 1e-12 else 0.0


def level(masks: NDArray[np.bool_], shown: NDArray[np.bool_]) -> int:
    """Of masks [L,...] from the smallest share to the largest the first with the largest IQR."""
    found = [iqr(int((m & shown).sum()), int(m.sum()), int(shown.sum()), shown.size) for m in masks]
    return next(number for number, ratio in enumerate(found) if ratio > max(found) - 1e-11)
