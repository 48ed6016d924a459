"""Shapes: areas, edges one pixel wide, and who hides whom."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit59.bedrooms.canvas import Canvas, Shape, ellipse, polygon, rectangle

WHITE = np.ones((1, 3), np.float32)


def area(shape: Shape, size: int = 64) -> float:
    """In the frame's units: what the antialiased picture adds up to."""
    canvas = Canvas(1, size)
    canvas.paint(shape, WHITE, 1)
    return float(canvas.rgb[0, 0].sum()) * (64 / size) ** 2


def one(*values: float) -> Any:
    return [np.array([value], np.float32) for value in values]


@given(st.floats(2, 20), st.floats(2, 20), st.floats(6, 30), st.floats(6, 30), st.sampled_from([32, 64, 128]))
def test_areas(x: float, y: float, wide: float, high: float, size: int) -> None:
    pixel = 64 / size
    edge = 0.15 * pixel * (wide + high) + pixel**2  # a fraction of a pixel all around, and the corners
    left, top, right, bottom = one(x, y, x + wide, y + high)
    assert area(rectangle(left, top, right, bottom), size) == pytest.approx(wide * high, abs=edge)
    corners = ((left, top), (right, top), (left, bottom))
    assert area(polygon(*corners), size) == pytest.approx(wide * high / 2, abs=2 * edge)
    middle_x, middle_y, a, b = one(x + wide / 2, y + high / 2, wide / 2, high / 2)
    assert area(ellipse(middle_x, middle_y, a, b), size) == pytest.approx(math.pi * wide * high / 4, abs=edge)


def test_a_turned_ellipse_keeps_its_area_and_a_rounded_corner_loses_some() -> None:
    x, y, wide, high = one(32, 32, 12, 4)
    turned = area(ellipse(x, y, wide, high, turn=0.7))
    assert turned == pytest.approx(area(ellipse(x, y, wide, high)), rel=0.01)
    left, top, right, bottom = one(10, 10, 50, 40)
    lost = area(rectangle(left, top, right, bottom)) - area(rectangle(left, top, right, bottom, radius=6))
    assert lost == pytest.approx((4 - math.pi) * 36, rel=0.15)


def test_a_pixel_belongs_to_the_last_shape_that_covers_half_of_it() -> None:
    canvas = Canvas(1, 64)
    canvas.paint(rectangle(*one(0, 0, 64, 64)), WHITE, 1)
    canvas.paint(rectangle(*one(10.4, 0, 64, 64)), WHITE * 0, 2)
    canvas.paint(rectangle(*one(20.6, 0, 64, 64)), WHITE, 3)
    row = canvas.labels[0, 30]
    assert list(np.flatnonzero(np.diff(row))) == [9, 20]  # 60 % of pixel 10, but 40 % of pixel 20
    assert canvas.rgb[0, 0, 30, 10] == pytest.approx(0.4, abs=1e-5)


def test_only_the_pictures_that_have_it() -> None:
    canvas = Canvas(3, 16)
    whole = rectangle(0.0, 0.0, 64.0, 64.0)
    canvas.paint(whole, np.ones((3, 3), np.float32), 5, present=np.array([True, False, True]))
    assert [int(labels.max()) for labels in canvas.labels] == [5, 0, 5]
    canvas.paint(whole, np.ones((3, 3), np.float32), 6, present=np.zeros(3, bool))
    assert canvas.labels.max() == 5
