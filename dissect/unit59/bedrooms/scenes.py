"""Bedrooms: number i of a seed is always the same picture with the same label map.

A room seen from the front in one-point perspective, with what a bedroom has. Everything about scene i comes
from a stream of random numbers of its own (Philox, keyed by seed and i), so that a batch is nothing but a
faster way to draw its scenes. `layout` decides what is where, `unit59.bedrooms.furniture` paints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unit59.bedrooms.canvas import Canvas
from unit59.bedrooms.furniture import paint_room
from unit59.bedrooms.layout import DRAWS, lay_out

#: Scenes drawn at once: what fits the processor's cache is fastest.
BATCH = 32


@dataclass(frozen=True)
class Scenes:
    """Drawn scenes.

    Attributes:
        pictures: uint8 [N,size,size,3], RGB.
        labels: uint8 [N,size,size], numbers as in `unit59.bedrooms.concepts.NUMBER`.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def draw(numbers: Sequence[int], seed: int = 59, size: int = 64) -> Scenes:
    """Draw the numbered scenes.

    Args:
        numbers: any, in any order.
        seed: another seed is another world of the same kind.
        size: edge of the pictures in pixels.
    """
    parts = [_batch(numbers[i : i + BATCH], seed, size) for i in range(0, len(numbers), BATCH)]
    if not parts:
        return Scenes(np.zeros((0, size, size, 3), np.uint8), np.zeros((0, size, size), np.uint8))
    return Scenes(np.concatenate([p.pictures for p in parts]), np.concatenate([p.labels for p in parts]))


def _batch(numbers: Sequence[int], seed: int, size: int) -> Scenes:
    canvas = Canvas(len(numbers), size)
    paint_room(canvas, lay_out(np.stack([_random(seed, number) for number in numbers])))
    levels = (canvas.rgb.clip(0, 1) * 255).round().astype(np.uint8)
    return Scenes(np.ascontiguousarray(levels.transpose(0, 2, 3, 1)), canvas.labels)


def _random(seed: int, number: int) -> NDArray[np.float32]:
    """The scene's own uniform numbers [DRAWS] in [0,1)."""
    bits = np.random.Philox(key=np.array([seed % 2**64, number % 2**64], dtype=np.uint64))
    return np.random.Generator(bits).random(DRAWS, dtype=np.float32)
