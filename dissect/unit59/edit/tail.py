"""The network behind one layer: only this part runs again when the layer is edited.

Before and after come from the same tail, in groups of one size, so that an empty edit gives the same picture
bit for bit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from unit59.handles import CHANNEL, Units, units_of
from unit59.networks import Network, Stage, State
from unit59.networks.base import chosen_rows
from unit59.samples.cache import SampleCache
from unit59.samples.checks import Shortage
from unit59.samples.shards import GROUP

#: Bytes of samples' states that stay in memory for further passes.
HELD = 1 << 28


class Tail:
    """The network behind one layer, fed from what is kept of the samples.

    Args:
        cache: of the samples.
        units: that are edited, or the name of their layer; a handle that acts before the layer's stage has
            that stage in its tail.

    Raises:
        NetworkError: there is no such layer.
    """

    def __init__(self, cache: SampleCache, units: Units | str) -> None:
        network = cache.sampler.network
        if isinstance(units, str):
            units = cache.units.get(units) or units_of(network, network.layer(units), CHANNEL, units)
        self.cache, self.units = cache, units
        layer = units.layer.name
        start = cache.sampler.start(range(cache.group))
        after = cache.within(Shortage("network", cache.group), lambda: network.run(start, until=layer))
        self._stages = list(network.stages())
        place = [stage.name for stage in self._stages].index(layer)
        self._position = place - units.handle.before
        # When the stages so far changed nothing but the activation, the state after the layer is the start
        # and the kept activation, and the head need not run again.
        self._cached = not units.handle.before and all(
            name == "x" or after[name] is start.get(name) for name in after
        )

    def state(self, group: Sequence[int], seeds: Sequence[int] | None = None) -> State:
        """The state that is edited, for one full group (or, where bits do not matter, any samples).

        Args:
            group: numbers of the samples.
            seeds: of other noise inputs than the samples' own, one a row.
        """
        if seeds is not None:
            return _run(self._stages[: self._position + 1], self.cache.sampler.start(group, list(seeds)))
        state = self.cache.sampler.start(group)
        if self._cached and self.cache.keeps(self.units.layer.name, group):
            return {**state, "x": self.cache.rows(self.units.layer.name, np.array(group))}
        return _run(self._stages[: self._position + 1], state)

    def image(self, state: State) -> Tensor:
        """The pictures [N,3,H,W] that such a state leads to."""
        image: Tensor = _run(self._stages[self._position + 1 :], state)["image"]
        return image

    def read(self, state: State) -> Tensor:
        """The units' values [N,U,a,b] in such a state."""
        return self.units.read(self.cache.sampler.network, state)

    def write(self, state: State, old: Tensor, new: Tensor) -> State:
        """The state with other values of the units; see `Handle.write`."""
        return self.units.write(self.cache.sampler.network, state, old, new)


def rows_apart(network: Network, units: Units) -> bool:
    """Whether a row is what it is, whatever stands beside it; what own code does with it nobody knows."""
    return network.rows_apart and not network.code and units.handle.own is None


class HeldStates:
    """States of single samples at a tail, for passes of any of them: each is made once, in a full group.

    Args:
        tail: that they run on through.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._held: OrderedDict[int, tuple[State, int]] = OrderedDict()

    def of(self, numbers: Sequence[int]) -> State:
        """The state of a full group of samples; only of networks whose rows are apart."""
        missing = [number for number in dict.fromkeys(numbers) if number not in self._held]
        size = self._tail.cache.group
        for group, count in groups(missing, size):
            state = self._tail.state(group)
            self._held |= {number: (state, row) for row, number in enumerate(group[:count])}
        found = [self._held[number] for number in numbers]
        most = max(size, HELD // max(1, _bytes(found[0][0]) // size))
        while len(self._held) > most:
            self._held.popitem(last=False)
        places = [(place, row) for place, (_, row) in enumerate(found)]
        mixed: State = chosen_rows([state for state, _ in found], places, size)
        return mixed


@lru_cache(maxsize=1)
def held_states(tail: Tail) -> HeldStates:
    """Those of the tail that was asked for last: only one tail's stay in memory."""
    return HeldStates(tail)


def groups(numbers: Sequence[int], size: int = GROUP) -> list[tuple[list[int], int]]:
    """Sample numbers in full groups, each with how many of its samples count; the last is filled up."""
    found = []
    for first in range(0, len(numbers), size):
        wanted = [int(number) for number in numbers[first : first + size]]
        found.append((wanted + wanted[:1] * (size - len(wanted)), len(wanted)))
    return found


def in_groups(count: int) -> int:
    """How many samples go through the network when so many are wanted: groups are always full."""
    return -(-count // GROUP) * GROUP


def _bytes(state: Any) -> int:
    """How much memory a state's tensors take."""
    if isinstance(state, Tensor):
        return state.nbytes
    parts = state.values() if isinstance(state, Mapping) else state if isinstance(state, tuple | list) else ()
    return sum(map(_bytes, parts))


def _run(stages: Sequence[Stage], state: State) -> State:
    for stage in stages:
        state = stage.run(state)
    return state
