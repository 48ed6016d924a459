"""Trainable weights of the progressively grown generators, and the networks they make.

What is trained are the raw weights of the papers, N(0,1) at the start, each scaled by its layer's constant
whenever it is used (the equalised learning rate of Karras et al. 2018, section 4.1). What a network class
holds are the scaled ones, in its own layout. `Growing.tensors` leads from the first to the second, by
differentiable operations, so that gradients reach the raw weights through the network class itself.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from unit59.networks import progan, stylegan
from unit59.networks.base import Network
from unit59.networks.weights import Weights, upsampling_kernel
from unit59.training.memory import channels_last

Tensors = dict[str, Tensor]


class Growing(ABC):
    """A generator that is trained from small pictures to large ones.

    Args:
        channels: units of the two layers for 4x4, 8x8, … pictures: one number, or one each.
        latent: length of z.
    """

    def __init__(self, channels: Sequence[int | Sequence[int]], latent: int) -> None:
        self.units = [unit for each in channels for unit in ([each] * 2 if isinstance(each, int) else each)]
        self.latent = latent

    @property
    def side(self) -> int:
        """Edge of the finished network's pictures."""
        return 1 << (len(self.units) // 2 + 1)

    @property
    def sides(self) -> list[int]:
        """4, 8, … `side`."""
        return [4 * 2**index for index in range(len(self.units) // 2)]

    @abstractmethod
    def fresh(self, random: torch.Generator) -> Tensors:
        """Raw weights to start from; those that are not trained are in `fixed`."""

    @abstractmethod
    def tensors(self, raw: Mapping[str, Tensor], side: int) -> Tensors:
        """The tensors of the network that makes pictures of `side` x `side`."""

    @abstractmethod
    def network(self, raw: Mapping[str, Tensor], side: int) -> Network:
        """That network, with weights of its own."""

    #: Names of raw weights that no gradient reaches.
    fixed: tuple[str, ...] = ()

    def _layers(self, side: int) -> int:
        return 2 * (self.sides.index(side) + 1)

    def _output(self, raw: Mapping[str, Tensor], side: int) -> Tensors:
        """The layer that makes colours; each size has one of its own until the last."""
        weight = raw[f"output.{side}.weight"]
        return {
            "output.weight": weight / math.sqrt(weight.shape[1]),
            "output.bias": raw[f"output.{side}.bias"],
        }

    def _fresh_outputs(self) -> Tensors:
        """Zeros: a new size fades in from grey; random colours would take thousands of pictures to calm."""
        made = {}
        for side, units in zip(self.sides, self.units[1::2], strict=True):
            made[f"output.{side}.weight"] = torch.zeros(3, units, 1, 1)
            made[f"output.{side}.bias"] = torch.zeros(3)
        return made


class GrowingStyleGAN(Growing):
    """Karras et al. 2019, sections 2 and C: constant input, mapping network, styles, noise.

    Args:
        channels: see `Growing`.
        latent: length of z and of w.
        mapping: layers of the mapping network.
        mapping_rate: their learning rate, relative to the others' (section C: a hundredth).
    """

    def __init__(
        self,
        channels: Sequence[int | Sequence[int]],
        latent: int,
        mapping: int = 8,
        mapping_rate: float = 0.01,
    ) -> None:
        super().__init__(channels, latent)
        self.mapping, self.mapping_rate = mapping, mapping_rate
        self.fixed = ("w_average", *(f"blocks.{i}.noise" for i in range(len(self.units))))

    def fresh(self, random: torch.Generator) -> Tensors:
        """See `Growing.fresh`."""
        size = self.latent
        made = {"w_average": torch.zeros(size)}
        for index in range(self.mapping):
            made[f"mapping.{index}.weight"] = torch.randn(size, size, generator=random) / self.mapping_rate
            made[f"mapping.{index}.bias"] = torch.zeros(size)
        for index, units in enumerate(self.units):
            inputs = self.units[max(index - 1, 0)]
            own, side = f"blocks.{index}.", self.sides[index // 2]
            made[own + "weight"] = (
                torch.ones(1, units, 4, 4)
                if index == 0
                else torch.randn(units, inputs, 3, 3, generator=random)
            )
            made[own + "bias"] = torch.zeros(units)
            made[own + "noise"] = torch.randn(1, 1, side, side, generator=random)
            made[own + "noise_strength"] = torch.zeros(units)
            made[own + "style.weight"] = torch.randn(2 * units, size, generator=random)
            made[own + "style.bias"] = torch.zeros(2 * units)
        return made | self._fresh_outputs()

    def tensors(self, raw: Mapping[str, Tensor], side: int) -> Tensors:
        """See `Growing.tensors`."""
        made = {"w_average": raw["w_average"]}
        for index in range(self.mapping):
            weight = raw[f"mapping.{index}.weight"]
            gain = math.sqrt(2 / weight.shape[1]) * self.mapping_rate
            made[f"mapping.{index}.weight"] = weight * gain
            made[f"mapping.{index}.bias"] = raw[f"mapping.{index}.bias"] * self.mapping_rate
        for index in range(self._layers(side)):
            own = f"blocks.{index}."
            for name in ("bias", "noise", "noise_strength", "style.bias"):
                made[own + name] = raw[own + name]
            style, weight = raw[own + "style.weight"], raw[own + "weight"]
            made[own + "style.weight"] = style / math.sqrt(style.shape[1])
            made[own + "weight"] = _scaled(weight, doubles=index > 0 and index % 2 == 0) if index else weight
        return made | self._output(raw, side)

    def network(self, raw: Mapping[str, Tensor], side: int) -> Network:
        """See `Growing.network`."""
        paths = [f"synthesis/{path}" for path in _paths(self.sides, side, "4x4/Const")]
        config = stylegan.StyleGANSettings(mapping_layers=self.mapping, paths=paths)
        return stylegan.StyleGAN(config, Weights(_detached(self.tensors(raw, side))))


class GrowingProGAN(Growing):
    """Karras et al. 2018: a chain of convolutions with pixel norm."""

    def fresh(self, random: torch.Generator) -> Tensors:
        """See `Growing.fresh`."""
        made = {}
        for index, (units, inputs) in enumerate(zip(self.units, [self.latent, *self.units], strict=False)):
            kernel = 3 if index else 4
            made[f"blocks.{index}.weight"] = torch.randn(units, inputs, kernel, kernel, generator=random)
            made[f"blocks.{index}.bias"] = torch.zeros(units)
        return made | self._fresh_outputs()

    def tensors(self, raw: Mapping[str, Tensor], side: int) -> Tensors:
        """See `Growing.tensors`."""
        made = {}
        for index in range(self._layers(side)):
            own = f"blocks.{index}."
            made[own + "weight"] = _scaled(raw[own + "weight"], doubles=index > 0 and index % 2 == 0)
            made[own + "bias"] = raw[own + "bias"]
        return made | self._output(raw, side)

    def network(self, raw: Mapping[str, Tensor], side: int) -> Network:
        """See `Growing.network`."""
        paths = _paths(self.sides, side, "4x4/Dense")
        return progan.ProGAN(progan.ProGANSettings(paths=paths), Weights(_detached(self.tensors(raw, side))))


def _scaled(weight: Tensor, *, doubles: bool) -> Tensor:
    """A raw kernel [out,in,k,k] times He's constant, as one transposed convolution where it doubles."""
    # A first layer's 4x4 kernel meets a 1x1 map: 16 outputs of `in` values each, with a quarter of the gain.
    weight = weight * (math.sqrt(2 / weight.shape[1]) / weight.shape[2])
    return channels_last(upsampling_kernel(weight) if doubles else weight)


def _detached(tensors: Mapping[str, Tensor]) -> Tensors:
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _paths(sides: Sequence[int], side: int, first: str) -> list[str]:
    """The layers' names in the official code."""
    paths = [first, "4x4/Conv"]
    for each in sides[1 : sides.index(side) + 1]:
        paths += [f"{each}x{each}/Conv0_up", f"{each}x{each}/Conv1"]
    return paths
