"""The mapping network of StyleGAN2 and StyleGAN3: latent code and label to style codes."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from unit59.networks.base import NetworkError
from unit59.networks.inputs import label_vectors, latent_codes, truncate
from unit59.networks.modulated import EPSILON, Activation, Dense
from unit59.networks.pickled import PickledModule
from unit59.networks.weights import Weights


class MappingSettings(BaseModel):
    """Hyperparameters of a mapping network.

    Attributes:
        latent_size: length of z.
        label_size: length of the label vector; 0 for an unconditional network.
        layers: how many dense layers it has.
        activation: of each of them.
        rate: their learning rate multiplier, which scales weights and biases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latent_size: int = Field(ge=1, le=1 << 16)
    label_size: int = Field(ge=0, le=1 << 20)
    layers: int = Field(ge=0, le=100)
    activation: Activation = "lrelu"
    rate: float = Field(default=0.01, gt=0, le=100)


def mapping_settings(mapping: PickledModule) -> dict[str, Any]:
    """What `MappingSettings` needs, from a pickled mapping network.

    Raises:
        NetworkError: an attribute is missing.
    """
    values = {
        "latent_size": mapping.read("z_dim"),
        "label_size": mapping.read("c_dim"),
        "layers": mapping.read("num_layers"),
    }
    if values["layers"] == 0:
        return values
    first = mapping.child("fc0")
    return {**values, "activation": first.read("activation"), "rate": first.read("bias_gain")}


class StyleMapping(nn.Module):
    """Latent code and label -> one style code w a layer, with truncation towards the mean w.

    Args:
        settings: see `MappingSettings`.
        weights: named as in the official code, below ``mapping.``
        w_size: length of w.
        copies: how many layers take a w.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    def __init__(self, settings: MappingSettings, weights: Weights, w_size: int, copies: int) -> None:
        super().__init__()
        self.settings = settings
        self.copies = copies
        size = settings.latent_size
        if settings.label_size:
            self.embed = Dense(weights.under("embed."), settings.label_size, None)
            size += self.embed.outputs
        for index in range(settings.layers):
            own = weights.under(f"fc{index}.")
            dense = Dense(own, size, None, settings.rate, settings.activation)
            self.add_module(f"fc{index}", dense)
            size = dense.outputs
        if size != w_size:
            raise NetworkError(f"the mapping network ends with {size} numbers, the synthesis takes {w_size}")
        self.w_avg: Tensor
        self.register_buffer("w_avg", weights.take("w_avg", w_size))

    def forward(self, z: Tensor, labels: Tensor | None, psi: float, cutoff: int | None) -> Tensor:
        """Style codes for every layer.

        Args:
            z: [N, latent_size].
            labels: [N, label_size], or None for a network without labels.
            psi: 1 keeps w, 0 gives the mean w.
            cutoff: only the first so many copies are truncated; None is all.

        Returns:
            [N, copies, w_size].

        Raises:
            NetworkError: z or labels do not fit.
        """
        x = _unit_energy(latent_codes(z, self.settings.latent_size, self.w_avg))
        vectors = label_vectors(labels, len(x), self.settings.label_size, self.w_avg)
        if vectors is not None:
            x = torch.cat([x, _unit_energy(self.embed(vectors))], dim=1)
        for index in range(self.settings.layers):
            x = self.get_submodule(f"fc{index}")(x)
        return truncate(x[:, None].repeat(1, self.copies, 1), self.w_avg, psi, cutoff)


def _unit_energy(x: Tensor) -> Tensor:
    """Each row [N,C] scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPSILON).rsqrt()
