"""StyleGAN (Karras et al. 2019): the official TensorFlow pickle.

Layer ``layerN`` (0-based over the synthesis convolutions) is the activation after AdaIN. The weights kept
here have the paper's equalised-learning-rate gains multiplied in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from unit59.checkpoints import Checkpoint
from unit59.foundation.random import normal_draw
from unit59.networks.base import (
    Batch,
    Layer,
    NetworkError,
    Noise,
    Stage,
    State,
    as_rgb,
    edited,
    noise_seeds,
)
from unit59.networks.configured import Configured
from unit59.networks.inputs import label_vectors, latent_codes, truncate
from unit59.networks.sampling import Labelled, Noisy, Truncated
from unit59.networks.styled import OutputStyles
from unit59.networks.stylegan_pickle import converted
from unit59.networks.tensorflow import averaged_generator
from unit59.networks.weights import MAX_RESOLUTION, Convolution, Weights, to_rgb

_EPSILON = 1e-8


class StyleGANSettings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        label_size: length of the label vector; 0 for an unconditional network.
        mapping_layers: how many layers turn z into w.
        normalise_latents: whether z goes through a pixel norm.
        mapping_slope: of the mapping's leaky ReLU; 0 for a ReLU.
        slope: of the synthesis network's.
        pixel_norm: whether each layer has one (the published networks have none).
        instance_norm: whether each layer has one (the published networks have it).
        blur: the one-dimensional filter behind each doubling; None for none.
        paths: each layer's name in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    label_size: int = Field(default=0, ge=0, le=100_000)
    mapping_layers: int = Field(ge=1, le=64)
    normalise_latents: bool = True
    mapping_slope: float = Field(default=0.2, ge=0, le=1)
    slope: float = Field(default=0.2, ge=0, le=1)
    pixel_norm: bool = False
    instance_norm: bool = True
    blur: list[float] | None = Field(default=[1.0, 2.0, 1.0], min_length=1, max_length=15)
    paths: list[str] = Field(min_length=2, max_length=24)


class Statistics(NamedTuple):
    """What instance normalisation takes from a layer's maps, [N,units,1,1] each.

    Attributes:
        mean: is subtracted; None is the maps' own.
        scale: they are multiplied by it; one over their standard deviation.
    """

    mean: Tensor | None
    scale: Tensor


class _Block(nn.Module):
    """One layer's weights: a convolution (or the constant), noise, bias and style."""

    def __init__(self, weights: Weights, index: int, channels: int | None, w_size: int) -> None:
        super().__init__()
        side = 4 * 2 ** (index // 2)
        if index == 0:
            self.weight = weights.parameter("weight", 1, None, 4, 4)
        elif _doubles(index):
            self.weight = weights.parameter("weight", channels, None, 4, 4)
        else:
            self.weight = weights.parameter("weight", None, channels, 3, 3)
        self.units = self.weight.shape[0 if index and not _doubles(index) else 1]
        self.bias = weights.parameter("bias", self.units)
        self.noise = weights.parameter("noise", 1, 1, side, side)
        self.noise_strength = weights.parameter("noise_strength", self.units)
        self.style = Convolution(weights.under("style."), 2 * self.units, w_size)


class StyleGANSampling(Labelled, Noisy, Truncated):
    """Truncation, noise inputs and, of a conditional network, the class."""


class StyleGAN(OutputStyles, Configured):
    """The generator of StyleGAN.

    The state holds, besides ``x`` [N,units,h,w]: ``w`` [N,layers,w_size], the intermediate latent of each
    layer after truncation; ``styles``, a tuple of [N,2,units] with each layer's scale (to which 1 is added)
    and offset; and ``noise``, a tuple of [1 or N,1,h,w], or None where there is none. A state may also hold
    ``statistics``, {layer's number: `Statistics`}: those layers are normalised by these, not by their own.

    Args:
        config: see `StyleGANSettings`.
        weights: ``mapping.I.*``, ``label`` [label_size, z] if conditional, ``w_average``, ``blocks.I.*``
            (see `_Block`; [in,out,4,4] where the layer doubles the resolution), ``output.weight|bias``.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "stylegan"
    rows_apart = True
    SETTINGS = StyleGANSettings
    SAMPLING = StyleGANSampling
    settings: StyleGANSettings

    def __init__(self, config: StyleGANSettings, weights: Weights) -> None:
        super().__init__(config, weights)
        count = len(config.paths)
        side = 2 ** (count // 2 + 1)
        if count % 2 or side > MAX_RESOLUTION:
            raise NetworkError(f"{count} layers make no resolution of a StyleGAN")
        if config.blur and len(config.blur) % 2 == 0:
            raise NetworkError(f"a blur of {len(config.blur)} taps has no middle")
        self.w_average = weights.parameter("w_average", None)
        self._mapping = _mapping(weights, config.mapping_layers, self.w_average.shape[0])
        self.mapping = nn.ModuleList(self._mapping)
        width = self._mapping[0].weight.shape[1]
        self.label = weights.parameter("label", config.label_size, None) if config.label_size else None
        self.latent_size = width - (self.label.shape[1] if self.label is not None else 0)
        if self.label is not None and self.label.shape[1] != self.latent_size:
            raise NetworkError(f"labels of {self.label.shape[1]} numbers beside z of {self.latent_size}")
        self.label_size = config.label_size
        self._blocks: list[_Block] = []
        for index in range(count):
            channels = self._blocks[-1].units if self._blocks else None
            own = weights.under(f"blocks.{index}.")
            self._blocks.append(_Block(own, index, channels, self.w_average.shape[0]))
        self.blocks = nn.ModuleList(self._blocks)
        self.output = to_rgb(weights.under("output."), self._blocks[-1].units)
        self.resolution = (side, side)

    def describe(self) -> Iterable[Layer]:
        """Two layers a resolution."""
        for index, (block, path) in enumerate(zip(self._blocks, self.settings.paths, strict=True)):
            side = block.noise.shape[2]
            yield Layer(f"layer{index}", index, block.units, side, side, path)

    def start(self, batch: Batch) -> State:
        """The styles and noise inputs of every layer."""
        sampling = batch.knobs(StyleGANSampling)
        z = latent_codes(batch.inputs, self.latent_size, self.w_average)
        vectors = label_vectors(batch.labels, len(z), self.label_size, self.w_average)
        w = self._map(z, vectors)[:, None].repeat(1, len(self._blocks), 1)
        w = truncate(w, self.w_average, sampling.psi, sampling.cutoff)
        return {"w": w, "styles": self.styles_from(w), "noise": self._noise(batch.noise, len(z))}

    def styles_from(self, w: Tensor) -> tuple[Tensor, ...]:
        """Each layer's scale and offset [N,2,units], from `w` [N,layers,w_size]."""
        return tuple(
            F.linear(w[:, index], block.style.weight, block.style.bias).view(len(w), 2, block.units)
            for index, block in enumerate(self._blocks)
        )

    def stages(self) -> Sequence[Stage]:
        """One stage a layer, then the picture."""
        stages = [Stage(layer.name, self._stage(layer.number)) for layer in self.layers.values()]
        return [*stages, Stage("output", self._picture, layer=False)]

    def _map(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """The intermediate latent [N, w_size] before truncation."""
        x = z if labels is None or self.label is None else torch.cat([z, labels @ self.label], dim=1)
        x = _pixel_norm(x) if self.settings.normalise_latents else x
        for layer in self._mapping:
            x = F.leaky_relu(F.linear(x, layer.weight, layer.bias), self.settings.mapping_slope)
        return x

    def _noise(self, noise: Noise, count: int) -> tuple[Tensor | None, ...]:
        seeds = noise_seeds(noise, count)
        if seeds is None:
            return tuple(block.noise if noise == "const" else None for block in self._blocks)
        return tuple(
            torch.stack(
                [torch.from_numpy(normal_draw(seed, index, block.noise.shape[1:])) for seed in seeds]
            ).to(block.noise.device)
            for index, block in enumerate(self._blocks)
        )

    def _stage(self, index: int) -> Callable[[State], State]:
        def run(state: State) -> State:
            x = self._before_norm(index, state)
            if self.settings.instance_norm:
                x = _instance_norm(x, state.get("statistics", {}).get(index) or _statistics(x))
            scale, offset = state["styles"][index][:, :, :, None, None].unbind(dim=1)
            return edited(state, x * (scale + 1) + offset)

        return run

    @property
    def styled(self) -> Collection[str]:
        """All layers."""
        return self.layers

    @property
    def noise_layers(self) -> Sequence[str]:
        """All layers."""
        return list(self.layers)

    def without_noise(self, state: State, layers: Collection[str]) -> State:
        """See `Network.without_noise`."""
        gone = {self.layers[name].number for name in layers}
        return {**state, "noise": tuple(None if i in gone else each for i, each in enumerate(state["noise"]))}

    @property
    def normalises(self) -> bool:
        """See `Network.normalises`."""
        return self.settings.instance_norm

    def held_statistics(self, state: State, layer: str) -> State | None:
        """See `Network.held_statistics`: what is held is the scale; the mean stays the maps' own."""
        if not self.normalises:
            return None
        held = self.statistics(state, layer)
        return {**state, "statistics": {i: Statistics(None, each.scale) for i, each in held.items()}}

    def statistics(self, state: State, after: str) -> dict[int, Statistics]:
        """What the layers behind `after` are normalised by when the pass runs on from `state`.

        A pass from `state` that holds them as ``statistics`` is the same bit for bit; one from an edited
        state then lacks normalisation's answer to the edit.

        Raises:
            NetworkError: there is no such layer.
        """
        found: dict[int, Statistics] = {}
        for stage in list(self.stages())[self._position(list(self.layers), after) + 1 : -1]:
            index = self.layers[stage.name].number
            found[index] = _statistics(self._before_norm(index, state))
            state = stage.run({**state, "statistics": found})
        return found

    def _before_norm(self, index: int, state: State) -> Tensor:
        block, noise = self._blocks[index], state["noise"][index]
        if index == 0:
            x = block.weight.repeat(len(state["styles"][0]), 1, 1, 1)
        else:
            x = self._convolve(block, index, state)
        if noise is not None:
            x = x + noise * block.noise_strength[:, None, None]
        x = F.leaky_relu(x + block.bias[:, None, None], self.settings.slope)
        return _pixel_norm(x) if self.settings.pixel_norm else x

    def _convolve(self, block: _Block, index: int, state: State) -> Tensor:
        if not _doubles(index):
            return F.conv2d(state["x"], block.weight, padding=1)
        x = F.conv_transpose2d(state["x"], block.weight, stride=2, padding=1)
        return _blur(x, self.settings.blur) if self.settings.blur else x

    def _picture(self, state: State) -> State:
        return {**state, "image": as_rgb(F.conv2d(state["x"], self.output.weight, self.output.bias))}


NETWORK = StyleGAN


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is one of the official pickles."""
    pickled = averaged_generator(checkpoint)
    return pickled is not None and {"mapping", "synthesis"} <= set(pickled.components)


def build(checkpoint: Checkpoint) -> StyleGAN:
    """The network of a checkpoint that `recognise` accepts."""
    pickled = averaged_generator(checkpoint)
    if pickled is None:
        raise NetworkError("no pickled network")
    config, tensors = converted(pickled)
    return StyleGAN(StyleGANSettings.model_validate(config), Weights(tensors, fresh=True))


def _mapping(weights: Weights, count: int, w_size: int) -> list[Convolution]:
    layers: list[Convolution] = []
    for index in range(count):
        inputs = layers[-1].weight.shape[0] if layers else None
        own = weights.under(f"mapping.{index}.")
        layers.append(Convolution(own, w_size if index == count - 1 else None, inputs))
    return layers


def _doubles(index: int) -> bool:
    """Whether the layer doubles the resolution: the first of each block but the first."""
    return index > 0 and index % 2 == 0


def _pixel_norm(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + _EPSILON)


def _statistics(x: Tensor) -> Statistics:
    mean = x.mean(dim=(2, 3), keepdim=True)
    return Statistics(mean, torch.rsqrt((x - mean).square().mean(dim=(2, 3), keepdim=True) + _EPSILON))


def _instance_norm(x: Tensor, by: Statistics) -> Tensor:
    mean = x.mean(dim=(2, 3), keepdim=True) if by.mean is None else by.mean
    return (x - mean) * by.scale


def _blur(x: Tensor, taps: Sequence[float]) -> Tensor:
    """Each map filtered by taps x taps, normalised to sum 1, zero outside."""
    line = x.new_tensor(taps)
    kernel = torch.outer(line, line) / line.sum() ** 2
    channels = x.shape[1]
    return F.conv2d(x, kernel.expand(channels, 1, *kernel.shape), padding=len(taps) // 2, groups=channels)
