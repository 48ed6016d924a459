"""Channels: a unit is one channel of a layer's activation. The field's usual meaning of the word."""

from __future__ import annotations

from torch import Tensor

from unit59.handles.base import Handle
from unit59.networks import Layer, Network, State


class Channel(Handle):
    """One channel of a layer's activation."""

    def units(self, network: Network, layer: Layer) -> int:
        """See `Handle.units`."""
        return layer.units

    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        """See `Handle.read`."""
        x: Tensor = state["x"]
        return x

    def write(self, network: Network, layer: Layer, state: State, old: Tensor, new: Tensor) -> State:
        """See `Handle.write`."""
        return {**state, "x": new}
