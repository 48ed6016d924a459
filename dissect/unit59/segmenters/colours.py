"""The eleven basic colour names as concepts: needs no weights and fits any model."""

from __future__ import annotations

import torch
from torch import Tensor

from unit59.segmenters.base import Concept, Segmenter

#: The basic colour terms of Berlin and Kay (1969), each with an sRGB prototype of the
#: middling saturation that photographs have (pure primaries would leave foliage and sky to grey).
PROTOTYPES = {
    "black": "#000000",
    "white": "#ffffff",
    "grey": "#808080",
    "red": "#c0202a",
    "orange": "#e8822e",
    "brown": "#6e4527",
    "yellow": "#e6c83c",
    "green": "#4a8f45",
    "blue": "#3458b8",
    "purple": "#7a3a88",
    "pink": "#ee9fb8",
}

#: Distance in CIELAB over which one colour name gives way to the next, for `Colours.logits`.
SOFTNESS = 10.0


class Colours(Segmenter):
    """Each pixel gets the colour name whose prototype is nearest in CIELAB (Euclidean distance)."""

    licence = "none needed (no weights)"
    limits = (
        "Colours are named pixel by pixel, by the nearest of eleven prototypes in CIELAB: shadows read as "
        "black or brown, and skin reads as brown, pink or orange."
    )
    planes = ("colour",)
    concepts = tuple(Concept(name, "colour", colour) for name, colour in PROTOTYPES.items())

    def __init__(self) -> None:
        rgb = [[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in PROTOTYPES.values()]
        self._prototypes = to_lab(torch.tensor(rgb, dtype=torch.float64).T[None, :, :, None])[0, :, :, 0].T

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`; the result has the pictures' own size."""
        lab = to_lab((images.double().clamp(-1, 1) + 1) / 2)
        prototypes = self._prototypes.to(lab.device)
        best = torch.full_like(lab[:, 0], torch.inf)
        names = torch.zeros(best.shape, dtype=torch.int64, device=lab.device)
        for number, prototype in enumerate(prototypes, start=1):
            distance = (lab - prototype[None, :, None, None]).square().sum(dim=1)
            names = torch.where(distance < best, number, names)
            best = torch.minimum(best, distance)
        return names[:, None]

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`: minus the squared distance, over `SOFTNESS`; nothing never wins."""
        lab = to_lab((images.clamp(-1, 1) + 1) / 2)
        apart = lab[:, None] - self._prototypes.to(lab)[None, :, :, None, None]
        scores = -apart.square().sum(dim=2) / (2 * SOFTNESS**2)
        return [torch.cat([torch.full_like(scores[:, :1], -1e4), scores], dim=1)]


def to_lab(rgb: Tensor) -> Tensor:
    """SRGB in [0,1] to CIELAB under D65 (IEC 61966-2-1 and CIE 15).

    Args:
        rgb: [N,3,H,W].

    Returns:
        [N,3,H,W]: L* in 0..100, a*, b*.
    """
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    to_xyz = rgb.new_tensor(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    white = rgb.new_tensor([0.95047, 1.0, 1.08883])
    red, green, blue = linear.unbind(1)
    ratio = torch.stack([row[0] * red + row[1] * green + row[2] * blue for row in to_xyz], 1)
    ratio = ratio / white[None, :, None, None]
    delta = 6 / 29
    f = torch.where(ratio > delta**3, ratio.clamp(min=delta**3) ** (1 / 3), ratio / (3 * delta**2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)
