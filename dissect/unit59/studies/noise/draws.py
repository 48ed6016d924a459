"""How much a picture varies over draws of its noise, with units off and with parts of the network taken away.

One sample stands in all rows of a batch, a row for each draw of the noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import set_units
from unit59.edit.group import Group, Seen
from unit59.networks import State
from unit59.studies.noise.cases import Removed
from unit59.studies.unit_sets import order_of_sample

#: Squared levels that float32 may differ by between equal rows of a batch, and more: no variation.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Silenced:
    """A number of a layer's units off, perhaps with a part of the network taken away.

    Attributes:
        removed: from the network.
        off: how many units.
        order: in which they go off; None: each sample draws an order of its own, so that the mean over
            samples is one over orders too.
        seed: of these orders.
    """

    removed: Removed
    off: int
    order: tuple[int, ...] | None
    seed: int

    inserts: ClassVar[bool] = False

    @property
    def depends_on(self) -> str:
        """See `Change.depends_on`."""
        return repr(self)

    def images(self, group: Group) -> tuple[Tensor, Tensor]:
        """See `Change.images`: the pictures without and with the units, both without what is removed."""
        state, before = self._without(group)
        if not self.off:
            return before, before
        x = group.tail.read(state)
        units = self.units(group.numbers[0], int(x.shape[1]), group.tail.units.name)
        return before, group.tail.image(group.tail.write(state, x, set_units(x, units, 0.0)))

    def units(self, number: int, count: int, layer: str) -> list[int]:
        """Which go off in a sample."""
        order = self.order or order_of_sample(self.seed, f"noise of {layer}", number, count)
        return list(order[: self.off])

    def _without(self, group: Group) -> tuple[State, Tensor]:
        """The state after the layer without what is removed, and its pictures; made once a group."""
        if self.removed not in group.notes:
            state = network_without(group, self.removed)
            group.notes[self.removed] = state, group.tail.image(state)
        state, image = group.notes[self.removed]
        return state, image


def network_without(group: Group, removed: Removed) -> State:
    """The state right after a layer when a part of the network is taken away.

    Args:
        group: one sample with a row for each noise draw.
        removed: "rescaling" only of networks that hold their statistics.
    """
    network, layer = group.tail.cache.sampler.network, group.tail.units.layer
    if removed == "noise behind":
        behind = [name for name, each in network.layers.items() if each.number > layer.number]
        return network.without_noise(group.state, behind)
    if removed == "noise inside":
        start = group.tail.cache.sampler.start(group.numbers, list(group.seeds or ()))
        return network.run(network.without_noise(start, [layer.name]), until=layer.name)
    if removed == "rescaling":
        held = network.held_statistics(group.state, layer.name)
        assert held is not None  # noqa: S101  # the study asks only networks that have them
        return held
    return group.state


@dataclass(frozen=True)
class Spread:
    """Variation over draws: one row a batch.

    ``values`` [1,3], in squared levels of 0..255, means over pixels and colours: the variance over draws; the
    mean squared change that the units make when the noise stays the same; the same when it is drawn anew (the
    next draw).
    """

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return repr(self)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        before, after = levels(seen.before), levels(seen.after)
        values = np.array(
            [
                float(after.var(dim=0).mean()),
                float((after - before).square().mean()),
                float((after - before.roll(1, dims=0)).square().mean()),
            ]
        )
        values[values < ROUNDING] = 0.0
        return {"values": values[None]}


def levels(image: Tensor) -> Tensor:
    """Pictures in [-1,1] as levels 0..255, double, cut off where a screen cuts them off."""
    return (image.clamp(-1, 1).double() + 1) * 127.5
