"""The network behind one layer: only this part runs again when the layer is edited.

Before and after come from the same tail, in groups of one size, so that an empty edit gives the same picture
bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from unit59.networks import Stage, State
from unit59.samples.cache import GROUP, SampleCache


class Tail:
    """The network behind one layer, fed from the cache.

    Args:
        cache: filled.
        layer: after which the tail begins.

    Raises:
        NetworkError: there is no such layer.
    """

    def __init__(self, cache: SampleCache, layer: str) -> None:
        self.cache, self.layer = cache, layer
        network = cache.sampler.network
        start = cache.sampler.start(range(GROUP))
        after = network.run(start, until=layer)
        self._stages = list(network.stages())
        self._position = [stage.name for stage in self._stages].index(layer)
        # When the stages so far changed nothing but the activation, the state after the layer is the start
        # and the cached activation, and the head need not run again.
        self._cached = layer in cache.layers and all(
            name == "x" or after[name] is start.get(name) for name in after
        )

    def states(self, numbers: Sequence[int]) -> list[tuple[State, int]]:
        """States right after the layer, in groups of `GROUP`, each with how many of its samples count."""
        return [(self.state(group), count) for group, count in groups(numbers)]

    def state(self, group: Sequence[int]) -> State:
        """The state right after the layer, for one full group (or, where bits do not matter, any samples)."""
        state = self.cache.sampler.start(group)
        if self._cached:
            return {**state, "x": self.cache.rows(self.layer, np.array(group))}
        return _run(self._stages[: self._position + 1], state)

    def entry(self, group: Sequence[int]) -> State:
        """The state right before the layer, for one full group: styles are edited there."""
        return _run(self._stages[: self._position], self.cache.sampler.start(group))

    def image(self, state: State) -> Tensor:
        """The pictures [N,3,H,W] that a state right after the layer leads to."""
        image: Tensor = _run(self._stages[self._position + 1 :], state)["image"]
        return image

    def image_of_entry(self, state: State) -> Tensor:
        """The pictures [N,3,H,W] that a state right before the layer leads to."""
        image: Tensor = _run(self._stages[self._position :], state)["image"]
        return image

    def before_after(self, numbers: Sequence[int], edit: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Pictures float [n,3,H,W] of the samples without and with an edit of the layer's activation."""
        before, after = [], []
        for state, count in self.states(numbers):
            before.append(self.image(state)[:count])
            after.append(self.image({**state, "x": edit(state["x"])})[:count])
        return torch.cat(before), torch.cat(after)


def groups(numbers: Sequence[int]) -> list[tuple[list[int], int]]:
    """Sample numbers in full groups, each with how many of its samples count; the last is filled up."""
    found = []
    for first in range(0, len(numbers), GROUP):
        wanted = [int(number) for number in numbers[first : first + GROUP]]
        found.append((wanted + wanted[:1] * (GROUP - len(wanted)), len(wanted)))
    return found


def _run(stages: Sequence[Stage], state: State) -> State:
    for stage in stages:
        state = stage.run(state)
    return state
