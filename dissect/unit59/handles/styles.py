"""Style channels: the other handle that a StyleGAN offers on a unit.

StyleSpace (Wu et al. 2021, "StyleSpace Analysis") found channels of the styles that control one thing each.
In StyleGAN a layer's style scales and shifts that layer's own units; in StyleGAN2 and 3 it scales the units
that the layer takes in. The layer itself runs again, and what is behind it.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from unit59.handles.base import Handle, HandleError
from unit59.networks import Layer, Network, State


class Style(Handle):
    """One channel of a layer's style; its values are [N,channels,K,1], K parts: scale, in StyleGAN offset."""

    before: ClassVar[bool] = True
    maps: ClassVar[bool] = False

    def units(self, network: Network, layer: Layer) -> int:
        """See `Handle.units`."""
        if network.takes != "latent":
            return 0
        like = next(network.parameters(), torch.zeros(()))
        labels = torch.zeros(1, network.label_size, device=like.device) if network.label_size else None
        codes = torch.zeros(1, network.latent_size, device=like.device)
        found = network.styles(layer.name, network.start(network.batch(codes, labels)))
        return 0 if found is None else int(found.shape[2])

    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        """See `Handle.read`."""
        found = network.styles(layer.name, state)
        if found is None:
            raise HandleError(f"layer {layer.name} of this {network.family} has no style channels.")
        return found.transpose(1, 2)[..., None]

    def write(self, network: Network, layer: Layer, state: State, old: Tensor, new: Tensor) -> State:
        """See `Handle.write`."""
        return network.with_styles(layer.name, state, new[..., 0].transpose(1, 2))

    def beside(self, network: Network, layer: Layer) -> str | None:
        """In StyleGAN the layer itself; in StyleGAN2 and 3 the one before, whose units it takes in."""
        return next((name for name in network.layers if network.style_layer(name) == layer.name), None)

    def silent(self, usual: Tensor) -> Tensor:
        """No offset, and the scale at which nothing passes: StyleGAN adds 1 to it."""
        still = torch.zeros_like(usual)
        still[:, 0] = -1.0 if usual.shape[1] == 2 else 0.0
        return still

    def shifted(self, step: Tensor) -> Tensor:
        """The scale moves, the offset stays."""
        moved = torch.zeros_like(step)
        moved[:, 0] = step[:, 0]
        return moved
