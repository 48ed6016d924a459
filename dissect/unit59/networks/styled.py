"""Where a network's style channels stand in its state, and whose units they belong to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection

from torch import Tensor

from unit59.networks.base import Network, State


class OutputStyles(Network):
    """Styles that scale and shift the units that a layer gives, as in StyleGAN.

    ``state["styles"]`` is a tuple of [N,2,units], scale (to which 1 is added) and offset, by layer number.
    """

    @property
    @abstractmethod
    def styled(self) -> Collection[str]:
        """The layers that have them."""

    def styles(self, layer: str, state: State) -> Tensor | None:
        """See `Network.styles`."""
        if layer not in self.styled:
            return None
        found: Tensor = state["styles"][self.layers[layer].number]
        return found

    def with_styles(self, layer: str, state: State, value: Tensor) -> State:
        """See `Network.with_styles`."""
        if layer not in self.styled:
            return super().with_styles(layer, state, value)
        number, styles = self.layers[layer].number, state["styles"]
        return {**state, "styles": (*styles[:number], value, *styles[number + 1 :])}

    def style_layer(self, layer: str) -> str | None:
        """The layer itself."""
        return layer if layer in self.styled else None


class InputStyles(Network):
    """Styles that scale the units that a layer takes in, as in StyleGAN2 and 3.

    ``state["styles"]`` is {layer: [N,units taken in]}, of the styled layers among others.
    """

    @property
    @abstractmethod
    def styled(self) -> Collection[str]:
        """The layers that have them."""

    def styles(self, layer: str, state: State) -> Tensor | None:
        """See `Network.styles`."""
        if layer not in self.styled:
            return None
        found: Tensor = state["styles"][layer][:, None]
        return found

    def with_styles(self, layer: str, state: State, value: Tensor) -> State:
        """See `Network.with_styles`."""
        if layer not in self.styled:
            return super().with_styles(layer, state, value)
        return {**state, "styles": {**state["styles"], layer: value[:, 0]}}

    def style_layer(self, layer: str) -> str | None:
        """The next layer, which takes this one's units in."""
        names = list(self.layers)
        after = names[names.index(layer) + 1 :][:1]
        return after[0] if after and after[0] in self.styled else None
