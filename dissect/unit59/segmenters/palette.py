"""One colour for a concept's name, the same on every page and for every segmenter."""

from __future__ import annotations

import colorsys
from hashlib import sha256


def colour_of(name: str) -> str:
    """``#rrggbb`` that depends on the name alone: any hue, middling lightness, no greys."""
    hue, light, full = sha256(name.encode()).digest()[:3]
    rgb = colorsys.hls_to_rgb(hue / 256, 0.35 + 0.35 * light / 255, 0.45 + 0.5 * full / 255)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
