"""What stands where in a bedroom, and in which colours: from random numbers to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Singles

Flags = NDArray[np.bool_]

#: Uniform numbers a scene may use.
DRAWS = 128

_WALLS = ("#e9dfcf", "#cfd9cf", "#c6d3df", "#e6cfc8", "#d9d6e3", "#dfe0dc", "#e8d3a9", "#a9bcc4")
_FLOORS = ("#b98d5f", "#9a6a42", "#cfae84", "#8a7363", "#a39a90")
_FRAMES = ("#6b4a2f", "#8a6542", "#c9a878", "#4a4440", "#e6e0d6")
_SHEETS = ("#f1eee8", "#e8e6ea", "#ece2d2")
_BLANKETS = ("#4a6fa0", "#6f8f72", "#8d6a8f", "#5c6470", "#3f8087", "#b9b2a6", "#d8c39a")
_PILLOWS = ("#fbfaf6", "#f4efe6", "#eceff3")
_CUSHIONS = ("#d8382f", "#e8731f", "#f0b41c", "#c22561")
_CURTAINS = ("#b5533c", "#7c87a8", "#d9c7a0", "#5f7f6a", "#8c5f75", "#efe9dd")
_SKIES = ("#a9d4f2", "#d3e8f4", "#f2c9a0", "#33456e")
_SHADES = ("#f7e2a8", "#f4d58a", "#f6ead0")
_PICTURES = ("#b0413e", "#2f5d7c", "#47745a", "#c98b2d", "#5b4a78")
_RUGS = ("#b4604f", "#57708f", "#d5c3a1", "#7f8f78", "#8a5c6e")
_DOORS = ("#f2ede3", "#a9784c", "#7d8a94")
_POTS = ("#b9613f", "#e6e1d8", "#4f5b66")


@dataclass(frozen=True)
class Plan:
    """N rooms. Lengths in frames of 64 x 64; colours [N,3] in [0,1]; what may be missing has a flag [N].

    The room's back wall spans `left` to `right` and `top` to `floor`; its edges run on towards the viewer
    along rays from the vanishing point (`eye_x`, `eye_y`).
    """

    left: Singles
    right: Singles
    top: Singles
    floor: Singles
    eye_x: Singles
    eye_y: Singles
    wall: Singles
    boards: Singles
    light: Singles
    warmth: Singles
    from_left: Flags

    bed_x: Singles
    bed_half: Singles
    bed_back: Singles
    bed_front: Singles
    bed_foot: Singles
    headboard: Singles
    frame: Singles
    sheet: Singles
    blanket: Singles
    fold: Singles
    two_pillows: Flags
    pillow: Singles
    pillow_high: Singles

    has_cushion: Flags
    cushion_x: Singles
    cushion_y: Singles
    cushion_size: Singles
    cushion_round: Flags
    cushion: Singles

    has_window: Flags
    window_x: Singles
    window_y: Singles
    window_half: Singles
    window_high: Singles
    sky: Singles
    has_curtain: Flags
    curtain: Singles
    curtain_wide: Singles
    curtain_long: Singles

    has_painting: Flags
    painting_x: Singles
    painting_y: Singles
    painting_half: Singles
    painting_high: Singles
    painting: Singles
    horizon: Singles

    side: Singles
    has_nightstand: Flags
    nightstand: Singles
    nightstand_high: Singles
    has_lamp: Flags
    lamp_size: Singles
    lamp: Singles

    has_rug: Flags
    rug_x: Singles
    rug_half: Singles
    rug_end: Singles
    rug: Singles

    has_door: Flags
    door_side: Singles
    door_near: Singles
    door: Singles

    has_plant: Flags
    plant_size: Singles
    leaf: Singles
    pot: Singles
    leaves: Singles


class _Draws:
    """Uniform numbers [N,DRAWS] handed out column by column."""

    def __init__(self, uniform: Singles) -> None:
        self._uniform, self._used = uniform, 0

    def next(self) -> Singles:
        column = self._uniform[:, self._used]
        self._used += 1
        return column

    def between(self, low: Any, high: Any) -> Singles:
        value: Singles = np.asarray(low + self.next() * (np.asarray(high, np.float32) - low), np.float32)
        return value

    def flag(self, share: float) -> Flags:
        return np.asarray(self.next() < share)

    def colour(self, palette: Sequence[str], spread: float = 0.05) -> Singles:
        """One of the palette's colours, a little lighter or darker, warmer or colder."""
        rgb = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in palette], np.float32)
        chosen = rgb[(self.next() * len(palette)).astype(np.intp)]
        light, warm = self.between(1 - spread, 1 + spread), self.between(-spread, spread) / 2
        shift = np.stack([1 + warm, np.ones_like(warm), 1 - warm], axis=1)
        return (chosen * light[:, None] * shift).astype(np.float32)


def lay_out(uniform: Singles) -> Plan:
    """The plan of N rooms from uniform numbers [N,DRAWS]."""
    draws = _Draws(uniform)
    room = _room(draws)
    bed = _bed(draws, room)
    wall = _on_the_wall(draws, room)
    return Plan(**room, **bed, **wall, **_beside_the_bed(draws, bed))


def _room(d: _Draws) -> dict[str, Any]:
    left, right = d.between(8, 13), d.between(51, 56)
    return {
        "left": left,
        "right": right,
        "top": d.between(6, 10),
        "floor": d.between(39, 42),
        "eye_x": (left + right) / 2 + d.between(-3, 3),
        "eye_y": d.between(23, 27),
        "wall": d.colour(_WALLS),
        "boards": d.colour(_FLOORS),
        "light": d.between(0.86, 1.04),
        "warmth": d.between(-0.05, 0.06),
        "from_left": d.flag(0.5),
    }


def _bed(d: _Draws, room: dict[str, Any]) -> dict[str, Any]:
    half = d.between(13, 16)
    back = room["floor"] - d.between(3, 4.5)
    front = back + d.between(10.5, 13)
    bed = {
        "bed_x": d.between(26, 38),
        "bed_half": half,
        "bed_back": back,
        "bed_front": front,
        "bed_foot": front + d.between(5.5, 6.5),
        "headboard": back - d.between(7, 10),
        "frame": d.colour(_FRAMES),
        "sheet": d.colour(_SHEETS, 0.02),
        "blanket": d.colour(_BLANKETS, 0.08),
        "fold": d.between(0.3, 0.5),
        "two_pillows": d.flag(0.75),
        "pillow": d.colour(_PILLOWS, 0.02),
        "pillow_high": d.between(6, 7.2),
        "has_cushion": d.flag(0.5),
        "cushion_size": d.between(3.8, 4.8),
        "cushion_round": d.flag(0.4),
        "cushion": d.colour(_CUSHIONS, 0.06),
    }
    deep = d.between(0.1, 0.85)
    half_there = half * (0.84 + 0.16 * deep)
    reach = half_there - bed["cushion_size"] - 1
    bed["cushion_x"] = bed["bed_x"] + d.between(-1, 1) * reach
    bed["cushion_y"] = back + deep * (front - back) - 1.5
    return bed


def _on_the_wall(d: _Draws, room: dict[str, Any]) -> dict[str, Any]:
    """Window and painting: each in a half of the wall of its own, or anywhere when it is alone."""
    has_window, has_painting, window_left = d.flag(0.75), d.flag(0.6), d.flag(0.5)
    middle = (room["left"] + room["right"]) / 2 + d.between(-2, 2)
    half = d.between(5.5, 7.5)
    painting_half = d.between(3.5, 6.5)
    alone = d.between(-7, 7)
    towards = np.where(window_left, -1, 1).astype(np.float32)
    both = has_window & has_painting
    return {
        "has_window": has_window,
        "window_x": np.where(both, middle + towards * (half + 3.5), middle + alone),
        "window_y": room["top"] + d.between(3.0, 5.0),
        "window_half": half,
        "window_high": d.between(12, 15),
        "sky": d.colour(_SKIES, 0.06),
        "has_curtain": has_window & d.flag(0.7),
        "curtain": d.colour(_CURTAINS),
        "curtain_wide": d.between(3.2, 4.2),
        "curtain_long": d.between(1, 4),
        "has_painting": has_painting,
        "painting_x": np.where(both, middle - towards * (painting_half + 3.5), middle + alone),
        "painting_y": room["top"] + d.between(4.0, 6.5),
        "painting_half": painting_half,
        "painting_high": d.between(7, 10),
        "painting": d.colour(_PICTURES, 0.1),
        "horizon": d.between(0.4, 0.7),
        "has_door": d.flag(0.5),
        "door_side": np.where(d.flag(0.5), -1, 1).astype(np.float32),
        "door_near": d.between(1.55, 1.85),
        "door": d.colour(_DOORS),
    }


def _beside_the_bed(d: _Draws, bed: dict[str, Any]) -> dict[str, Any]:
    """The nightstand stands where there is more room, the plant on the other side."""
    side = np.where(bed["bed_x"] > 32, -1, 1).astype(np.float32)
    has_nightstand = d.flag(0.75)
    return {
        "side": side,
        "has_nightstand": has_nightstand,
        "nightstand": d.colour(_FRAMES),
        "nightstand_high": d.between(7.5, 9.5),
        "has_lamp": has_nightstand & d.flag(0.75),
        "lamp_size": d.between(3.9, 4.8),
        "lamp": d.colour(_SHADES, 0.03),
        "has_rug": d.flag(0.6),
        "rug_x": bed["bed_x"] + d.between(-4, 4),
        "rug_half": d.between(18, 23),
        "rug_end": d.between(59.5, 62),
        "rug": d.colour(_RUGS, 0.08),
        "has_plant": d.flag(0.5),
        "plant_size": d.between(0.85, 1.2),
        "leaf": d.colour(("#3f7d3a", "#5a9448", "#2f6a4a"), 0.08),
        "pot": d.colour(_POTS),
        "leaves": d.between(-0.2, 0.2),
    }
