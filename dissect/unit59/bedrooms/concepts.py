"""What there is in the drawn world, in the order of its label numbers (from 1; 0 is nothing)."""

from __future__ import annotations

#: Concept -> its colour on every page and in the label maps that pix2pix is given.
COLOURS = {
    "wall": "#c9c2b4",
    "ceiling": "#e9e7e1",
    "floor": "#8f6f52",
    "bed": "#3f6fae",
    "pillow": "#f2a7c3",
    "cushion": "#d7263d",
    "window": "#7cc7ee",
    "curtain": "#8e5aa8",
    "lamp": "#f5c518",
    "painting": "#1d8a78",
    "rug": "#e07b39",
    "nightstand": "#5a3b22",
    "door": "#4d5a63",
    "plant": "#4c9a2a",
}

NAMES = tuple(COLOURS)

#: Name -> its number in a label map.
NUMBER = {name: number for number, name in enumerate(NAMES, start=1)}
