"""Painting a batch of pictures at once, shape by shape, with the label map that goes with them.

Lengths are in frames of 64 x 64 whatever the size in pixels. A shape is a signed distance to its border
(positive inside), from which a pixel's coverage follows with an edge one pixel wide. Later shapes hide
earlier ones; a pixel belongs to the last shape that covers at least half of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Singles

#: A shape: (x [1,w], y [h,1], which pictures [n]) -> signed distance [n,h,w].
Distance = Callable[[Singles, Singles, NDArray[np.intp]], Singles]

FRAME = 64.0


class Shape:
    """A signed distance with the box outside of which it is negative.

    Attributes:
        box: left, top, right, bottom, float32 [N] each.
        distance: see `Distance`.
    """

    def __init__(self, box: tuple[Any, Any, Any, Any], distance: Distance) -> None:
        self.box, self.distance = box, distance


class Canvas:
    """N pictures and their label maps.

    Args:
        count: N.
        size: edge in pixels.
    """

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size, self.pixel = count, size, np.float32(FRAME / size)
        self.rgb = np.zeros((count, 3, size, size), np.float32)
        self.labels = np.zeros((count, size, size), np.uint8)
        self._at = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * self.pixel

    def paint(
        self,
        shape: Shape,
        colour: Singles,
        label: int = 0,
        *,
        present: NDArray[np.bool_] | None = None,
        down: Any = 0.0,
        across: Any = 0.0,
    ) -> None:
        """Paint a shape.

        Args:
            shape: what.
            colour: [N,3] in [0,1].
            label: of its pixels; 0 leaves the label map as it is.
            present: [N], the pictures that have it; all by default.
            down: relative change of brightness from its box's top to its bottom, a number or [N].
            across: the same from left to right.
        """
        which, (rows, columns), coverage = self._cover(shape, present, self.pixel)
        if not len(which):
            return
        left, top, right, bottom = (_per(side, which, self.count) for side in shape.box)
        light = np.float32(1)
        if np.any(down):
            place = (self._at[rows][None, :, None] - top) / np.maximum(bottom - top, 1e-3) - np.float32(0.5)
            light = light + _per(down, which, self.count) * place.clip(-0.5, 0.5)
        if np.any(across):
            place = (self._at[columns][None, None, :] - left) / np.maximum(right - left, 1e-3)
            light = light + _per(across, which, self.count) * (place - np.float32(0.5)).clip(-0.5, 0.5)
        for channel in range(3):
            plane = self.rgb[which, channel, rows, columns]
            shown = colour[which, channel][:, None, None] * light
            self.rgb[which, channel, rows, columns] = plane + coverage * (shown - plane)
        if label:
            seen = self.labels[which, rows, columns]
            self.labels[which, rows, columns] = np.where(coverage >= 0.5, np.uint8(label), seen)

    def tint(
        self,
        shape: Shape,
        factor: Singles,
        softness: float,
        present: NDArray[np.bool_] | None = None,
    ) -> None:
        """Multiply what is painted by `factor` [N,3] within a shape whose edge fades over `softness`."""
        which, (rows, columns), coverage = self._cover(shape, present, np.float32(softness))
        for channel in range(3):
            change = (factor[which, channel] - 1)[:, None, None] * coverage
            self.rgb[which, channel, rows, columns] *= 1 + change

    def _cover(
        self, shape: Shape, present: NDArray[np.bool_] | None, edge: np.float32
    ) -> tuple[NDArray[np.intp], tuple[slice, slice], Singles]:
        """The pictures, the rows and columns that any of them needs, and the coverage [n,h,w] there."""
        which = np.flatnonzero(np.ones(self.count, bool) if present is None else present)
        if not len(which):
            return which, (slice(0), slice(0)), np.zeros((0, 0, 0), np.float32)
        left, top, right, bottom = (_per(side, which, self.count) for side in shape.box)
        rows = self._span(top.min() - edge, bottom.max() + edge)
        columns = self._span(left.min() - edge, right.max() + edge)
        distance = shape.distance(self._at[columns][None, :], self._at[rows][:, None], which)
        return which, (rows, columns), (distance / edge + np.float32(0.5)).clip(0, 1)

    def _span(self, low: float, high: float) -> slice:
        first = int(np.clip(np.floor(low / self.pixel), 0, self.size))
        return slice(first, int(np.clip(np.ceil(high / self.pixel), first, self.size)))


def rectangle(left: Any, top: Any, right: Any, bottom: Any, radius: float = 0.0) -> Shape:
    """Sides parallel to the frame, corners rounded by `radius`."""

    def sharp(x: Singles, y: Singles, which: NDArray[np.intp]) -> Singles:
        x0, y0, x1, y1 = (_pick(side, which) for side in (left, top, right, bottom))
        inside: Singles = np.minimum(np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y))
        return inside

    def rounded(x: Singles, y: Singles, which: NDArray[np.intp]) -> Singles:
        x0, y0, x1, y1 = (_pick(side, which) for side in (left, top, right, bottom))
        beyond_x = np.abs(x - (x0 + x1) / 2) - (x1 - x0) / 2 + np.float32(radius)
        beyond_y = np.abs(y - (y0 + y1) / 2) - (y1 - y0) / 2 + np.float32(radius)
        corner = np.sqrt(np.square(np.maximum(beyond_x, 0)) + np.square(np.maximum(beyond_y, 0)))
        inside: Singles = np.float32(radius) - corner - np.minimum(np.maximum(beyond_x, beyond_y), 0)
        return inside

    return Shape((left, top, right, bottom), rounded if radius else sharp)


def polygon(*corners: tuple[Any, Any]) -> Shape:
    """A convex polygon; corners (x, y) clockwise on the screen, each a number or [N]."""

    def distance(x: Singles, y: Singles, which: NDArray[np.intp]) -> Singles:
        nearest: Singles | None = None
        for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
            ax, ay, bx, by = (_pick(value, which) for value in (x0, y0, x1, y1))
            length = np.maximum(np.hypot(bx - ax, by - ay), np.float32(1e-6))
            along_x, along_y = (bx - ax) / length, (by - ay) / length
            inside = (y - ay) * along_x - (x - ax) * along_y
            nearest = inside if nearest is None else np.minimum(nearest, inside)
        assert nearest is not None  # noqa: S101  # a polygon has corners
        return nearest

    xs, ys = zip(*corners, strict=True)
    return Shape((_least(xs), _least(ys), _most(xs), _most(ys)), distance)


def ellipse(x: Any, y: Any, wide: Any, high: Any, turn: Any = 0.0) -> Shape:
    """Around (x, y), with half axes `wide` and `high`, turned by `turn` radians.

    The distance is the first-order one, exact on the border and good beside it.
    """

    def distance(xs: Singles, ys: Singles, which: NDArray[np.intp]) -> Singles:
        cx, cy, a, b, angle = (_pick(value, which) for value in (x, y, wide, high, turn))
        cos, sin = np.cos(angle), np.sin(angle)
        u = ((xs - cx) * cos + (ys - cy) * sin) / a
        v = ((ys - cy) * cos - (xs - cx) * sin) / b
        slope = np.sqrt(np.square(u / a) + np.square(v / b))
        inside: Singles = (1 - u * u - v * v) / np.maximum(2 * slope, np.float32(1e-3))
        return inside

    reach = np.maximum(wide, high)
    return Shape((x - reach, y - reach, x + reach, y + reach), distance)


def _pick(value: Any, which: NDArray[np.intp]) -> Singles:
    """A number or [N] as [n,1,1] (or a scalar) for the chosen pictures."""
    array = np.asarray(value, np.float32)
    return array[which, None, None] if array.ndim else array


def _per(value: Any, which: NDArray[np.intp], count: int) -> Singles:
    """A number or [N] as [n,1,1]."""
    return np.broadcast_to(np.asarray(value, np.float32), (count,))[which, None, None]


def _least(values: tuple[Any, ...]) -> Any:
    least = values[0]
    for value in values[1:]:
        least = np.minimum(least, value)
    return least


def _most(values: tuple[Any, ...]) -> Any:
    most = values[0]
    for value in values[1:]:
        most = np.maximum(most, value)
    return most
