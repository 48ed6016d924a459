"""Colour names against an independent conversion to CIELAB."""

from __future__ import annotations

import numpy as np
import torch

from unit59.segmenters.colours import PROTOTYPES, Colours, to_lab


def lab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """One colour, the textbook way."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    matrix = [
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.072175),
        (0.0193339, 0.119192, 0.9503041),
    ]
    x, y, z = (sum(m * c for m, c in zip(row, linear, strict=True)) for row in matrix)

    def f(t: float) -> float:
        return t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29

    fx, fy, fz = f(x / 0.95047), f(y), f(z / 1.08883)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_lab() -> None:
    colours = np.random.default_rng(0).random((50, 3))
    ours = to_lab(torch.from_numpy(colours)[:, :, None, None])[:, :, 0, 0].numpy()
    assert np.abs(ours - np.array([lab(*colour) for colour in colours])).max() < 1e-9
    white = to_lab(torch.ones(1, 3, 1, 1, dtype=torch.float64))[0, :, 0, 0]
    assert np.abs(white.numpy() - [100, 0, 0]).max() < 0.01


def test_each_pixel_gets_the_nearest_prototype() -> None:
    codes = [tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)) for code in PROTOTYPES.values()]
    pixels = np.concatenate([np.array(codes), np.random.default_rng(1).random((200, 3))]).astype(np.float32)
    images = torch.from_numpy(pixels).T.reshape(1, 3, -1, 1) * 2 - 1
    found = Colours().segment(images)[0, 0, :, 0].tolist()
    prototypes = np.array([lab(*code) for code in codes])
    for pixel, number in zip(pixels.astype(np.float64), found, strict=True):
        distance = np.linalg.norm(prototypes - lab(*pixel), axis=1)
        assert distance[number - 1] <= distance.min() + 1e-3
    assert found[: len(codes)] == list(range(1, len(codes) + 1))


def test_people_would_agree() -> None:
    named = {
        "black": (12, 10, 9),
        "white": (245, 243, 240),
        "green": (60, 120, 55),
        "blue": (50, 90, 190),
        "red": (180, 30, 40),
    }
    names = [concept.name for concept in Colours.concepts]
    for name, rgb in named.items():
        image = torch.tensor(rgb).reshape(1, 3, 1, 1) / 127.5 - 1
        assert names[int(Colours().segment(image)) - 1] == name
