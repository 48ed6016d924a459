"""How samples are kept within a budget of disk: every layer whole where they fit, else the largest thin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unit59.networks import Layer

#: Maps with fewer cells stay whole: what can matter of them, with its neighbours, is most of them.
SMALL = 16 * 16
#: About the bytes of a thin tail over those of whole maps: of StyleGANs and pix2pix 0.04 to 0.12 are found.
TAIL = 0.12


@dataclass(frozen=True)
class Budget:
    """What samples take of a disk.

    Attributes:
        bytes: that they may take.
        samples: how many there are.
        others: bytes of one sample besides its layers.
        states: of how many samples whole states are kept of each thin layer.
    """

    bytes: int
    samples: int
    others: int
    states: int

    def thin(self, layers: Mapping[str, Layer]) -> frozenset[str]:
        """Of which layers only tails are kept: as few as can be, those with the most bytes."""
        thin: frozenset[str] = frozenset()
        for name in sorted(layers, key=lambda name: -whole(layers[name])):
            if self.taken(layers, thin) <= self.bytes:
                break
            if layers[name].height * layers[name].width >= SMALL and self.states < self.samples:
                thin |= {name}
        return thin

    def taken(self, layers: Mapping[str, Layer], thin: frozenset[str]) -> int:
        """About how many bytes all samples take, with the states that interventions keep."""
        of_thin = sum(whole(layers[name]) for name in thin)
        of_whole = sum(whole(layer) for name, layer in layers.items() if name not in thin)
        each = self.others + of_whole + int(TAIL * of_thin)
        return each * self.samples + of_thin * min(self.states, self.samples)


def whole(layer: Layer) -> int:
    """Bytes of one sample's activations."""
    return 4 * layer.units * layer.height * layer.width
