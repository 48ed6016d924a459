"""Pictures and noise maps of a layer, as strips."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unit59.studies.effects.pictures import picture_rows
from unit59.studies.noise.cases import WHITE, MapsFacts


@dataclass(frozen=True)
class NoiseMaps:
    """Pictures of some samples with more and more units off, by number of units.

    Attributes:
        layer: whose units.
        samples: which.
        off: how many units, from 0 on.
        draws: of the noise, over which the deviations are.
        pictures: [n,3,H,W] of the first draw.
        deviations: [n,H,W] in levels of 0..255.
    """

    layer: str
    samples: list[int]
    off: list[int]
    draws: int
    pictures: list[Tensor]
    deviations: list[Tensor]

    def strips(self) -> dict[str, bytes]:
        """Both strips, by file name."""
        grey = [2 * (each / WHITE).clamp(0, 1) - 1 for each in self.deviations]
        return {
            "pictures.webp": picture_rows(self.pictures),
            "maps.webp": picture_rows([each[:, None].expand(-1, 3, -1, -1) for each in grey]),
        }

    def facts(self) -> MapsFacts:
        """What they show, in numbers."""
        spread = [[float(each.square().mean().sqrt()) for each in row] for row in self.deviations]
        return MapsFacts(
            layer=self.layer, samples=self.samples, off=self.off, draws=self.draws, spread=spread
        )
