"""StyleGAN2 (Karras et al. 2020): pickles of StyleGAN2-ADA, and of the StyleGAN2 in StyleGAN3's repository.

Layers are the official modules below ``synthesis``. ``b8.conv0`` and ``b8.conv1`` are the activations after
noise, bias, activation and clamp; ``b8.torgb`` is what the block adds to the picture; ``b8`` is what the
block hands on (in a skip network the same numbers as ``b8.conv1``, but a change there leaves this block's
own ToRGB alone). Everything runs in float32, whatever the file says about half precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from dissect.checkpoints import Checkpoint
from dissect.networks.base import (
    Layer,
    Network,
    NetworkError,
    Noise,
    Stage,
    State,
    as_rgb,
    edited,
    noise_seeds,
    normal_draw,
)
from dissect.networks.filters import upfirdn, upsample2
from dissect.networks.mapping import MappingSettings, StyleMapping, mapping_settings
from dissect.networks.modulated import Activation, Dense, activate, modulated_conv
from dissect.networks.pickled import PickledModule, find_generator, uniform
from dissect.networks.weights import MAX_RESOLUTION, Weights

#: Residual branches are added at this gain, which keeps the variance.
_HALF = math.sqrt(0.5)


class StyleGAN2Settings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        mapping: the mapping network's.
        resolution: side of the picture.
        architecture: ``skip`` sums pictures of all resolutions, ``resnet`` has residual blocks, ``orig``
            neither.
        activation: of the convolutions.
        clamp: largest magnitude of an activation; None is any.
        noise: whether the convolutions have noise inputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mapping: MappingSettings
    resolution: int = Field(ge=4, le=MAX_RESOLUTION)
    architecture: Literal["orig", "skip", "resnet"]
    activation: Activation
    clamp: float | None = Field(gt=0)
    noise: bool

    @property
    def sides(self) -> list[int]:
        """Sides of the blocks: 4, 8, …, resolution.

        Raises:
            NetworkError: the resolution is no power of two.
        """
        if self.resolution & (self.resolution - 1):
            raise NetworkError(f"a resolution of {self.resolution} is no power of two")
        return [2**power for power in range(2, self.resolution.bit_length())]


class _Convolution(nn.Module):
    """A 3x3 convolution with style, noise and bias; `up` doubles the size on the way."""

    def __init__(
        self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int, up: bool
    ) -> None:
        super().__init__()
        self.settings, self.side = settings, side
        self.weight = weights.parameter("weight", None, inputs, 3, 3)
        self.units = self.weight.shape[0]
        self.bias = weights.parameter("bias", self.units)
        self.affine = Dense(weights.under("affine."), None, inputs)
        if settings.noise:
            self.noise_strength = weights.parameter("noise_strength")
            self.noise_const: Tensor
            self.register_buffer("noise_const", weights.take("noise_const", side, side))
        self.resample_filter: Tensor | None
        self.register_buffer("resample_filter", _fir(weights) if up else None)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, gain: float) -> Tensor:
        """[N,in,h,w], style [N,in], noise [1 or N,1,side,side] -> [N,units,side,side]."""
        x = modulated_conv(x, self.weight, style, self._convolve, demodulate=True)
        if noise is not None:
            x = x + noise * self.noise_strength
        x = x + self.bias[:, None, None]
        return activate(x, self.settings.activation, gain, self.settings.clamp)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.resample_filter is None:
            return F.conv2d(x, weight, padding=1)
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        taps = self.resample_filter.shape[0]
        before, after = (taps + 1) // 2 - 1, (taps - 2) // 2
        return upfirdn(x, self.resample_filter, padding=(before, after, before, after), gain=4.0)


class _ToRGB(nn.Module):
    """A 1x1 convolution with style to the colours; no demodulation, no activation."""

    def __init__(self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int) -> None:
        super().__init__()
        self.settings, self.side = settings, side
        self.weight = weights.parameter("weight", None, inputs, 1, 1)
        self.units = self.weight.shape[0]
        self.bias = weights.parameter("bias", self.units)
        self.affine = Dense(weights.under("affine."), None, inputs)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N,in,side,side], style [N,in] -> [N,colours,side,side]."""
        style = style / math.sqrt(self.weight.shape[1])
        x = modulated_conv(x, self.weight, style, F.conv2d, demodulate=False)
        return activate(x + self.bias[:, None, None], "linear", clamp=self.settings.clamp)


class _Skip(nn.Module):
    """The shortcut of a residual block: a 1x1 convolution, then twice the size. It has no clamp."""

    def __init__(self, weights: Weights, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = weights.parameter("weight", outputs, inputs, 1, 1)
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", _fir(weights))

    def forward(self, x: Tensor) -> Tensor:
        """[N,in,h,w] -> [N,out,2h,2w]."""
        scale = _HALF / math.sqrt(self.weight.shape[1])
        return upsample2(F.conv2d(x, self.weight * scale), self.resample_filter)


class _Block(nn.Module):
    """All modules of one resolution, named as in the official code."""

    def __init__(self, settings: StyleGAN2Settings, weights: Weights, inputs: int, side: int) -> None:
        super().__init__()
        residual = settings.architecture == "resnet" and side > 4
        self.inputs, self.side = inputs, side
        if side == 4:
            self.const = weights.parameter("const", None, 4, 4)
            channels = self.const.shape[0]
        else:
            self.conv0 = _Convolution(settings, weights.under("conv0."), inputs, side, up=True)
            channels = self.conv0.units
        self.conv1 = _Convolution(settings, weights.under("conv1."), channels, side, up=False)
        self.units = self.conv1.units
        self.skip = _Skip(weights.under("skip."), inputs, self.units) if residual else None
        colours = settings.architecture == "skip" or side == settings.resolution
        self.torgb = _ToRGB(settings, weights.under("torgb."), self.units, side) if colours else None
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", _fir(weights))


class StyleGAN2(Network):
    """The generator of StyleGAN2.

    The state holds, besides ``x`` [N,units,h,w]: ``w`` [N,copies,w_size], the intermediate latent of each
    layer after truncation; ``styles``, {layer: [N,channels in]}, the scales that come of it; ``noise``,
    {layer: [1 or N,1,h,w]}; ``image``, the picture so far; ``features`` while ``x`` is a ToRGB's output;
    ``shortcut`` inside a residual block.

    Args:
        settings: see `StyleGAN2Settings`.
        weights: named as in the official code.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "stylegan2"

    def __init__(self, settings: StyleGAN2Settings, weights: Weights) -> None:
        super().__init__()
        self.settings = settings
        self.synthesis = nn.Module()
        self._blocks: dict[str, _Block] = {}
        own, units = weights.under("synthesis."), 0
        for side in settings.sides:
            block = _Block(settings, own.under(f"b{side}."), units, side)
            units = block.units
            self._blocks[f"b{side}"] = block
            self.synthesis.add_module(f"b{side}", block)
        modulated = self._modulated()
        copies = max(copy for _, copy in modulated.values()) + 1
        w_size = self._blocks["b4"].conv1.affine.inputs
        for name, (module, _) in modulated.items():
            if module.affine.inputs != w_size:
                raise NetworkError(f"layer {name!r} takes another size of w than 'b4.conv1', {w_size}")
            if isinstance(module, _ToRGB) and module.units not in (1, 3):
                raise NetworkError(f"layer {name!r} makes {module.units} colours; 1 and 3 are supported")
        self.mapping = StyleMapping(settings.mapping, weights.under("mapping."), w_size, copies)
        self.latent_size = settings.mapping.latent_size
        self.label_size = settings.mapping.label_size
        self.resolution = (settings.resolution, settings.resolution)

    def describe(self) -> Iterable[Layer]:
        """Convolutions, ToRGB layers and blocks."""
        modules: dict[str, _Convolution | _ToRGB | _Block] = dict(self._blocks)
        modules |= {name: module for name, (module, _) in self._modulated().items()}
        named = [stage.name for stage in self.stages() if stage.layer]
        for number, name in enumerate(named):
            module = modules[name]
            yield Layer(name, number, module.units, module.side, module.side, f"synthesis.{name}")

    def start(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> State:
        """The learned constant, and the styles and noise inputs of every layer."""
        w = self.mapping(inputs, labels, psi, cutoff)
        const = self._blocks["b4"].const.repeat(len(w), 1, 1, 1)
        return {"x": const, "w": w, "styles": self.styles(w), "noise": self._noise(noise, len(w))}

    def styles(self, w: Tensor) -> dict[str, Tensor]:
        """{layer: scales of its input channels [N,channels in]}, from `w` [N,copies,w_size]."""
        return {name: module.affine(w[:, copy]) for name, (module, copy) in self._modulated().items()}

    def stages(self) -> Sequence[Stage]:
        """Convolutions, ToRGB layers and blocks in the official order."""
        stages = [stage for name, block in self._blocks.items() for stage in self._block_stages(name, block)]
        return [*stages, Stage("output", _output, layer=False)]

    def config(self) -> dict[str, Any]:
        """See `StyleGAN2Settings`."""
        return self.settings.model_dump(mode="json")

    @classmethod
    def from_config(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The network that `config()` and `state_dict()` describe."""
        return cls(StyleGAN2Settings.model_validate(config), Weights(tensors))

    # ---- the forward pass

    def _block_stages(self, name: str, block: _Block) -> Iterable[Stage]:
        if block.side > 4:
            yield Stage(f"{name}.conv0", self._convolution(f"{name}.conv0", block.conv0, 1.0, block.skip))
        gain = 1.0 if block.skip is None else _HALF
        yield Stage(f"{name}.conv1", self._convolution(f"{name}.conv1", block.conv1, gain))
        if block.skip is not None:
            yield Stage(f"{name}.skip", _add_shortcut, layer=False)
        if block.torgb is not None:
            yield Stage(f"{name}.torgb", self._colours(f"{name}.torgb", block.torgb))
        yield Stage(name, self._finish(block))

    def _convolution(
        self, name: str, module: _Convolution, gain: float, skip: _Skip | None = None
    ) -> Callable[[State], State]:
        def run(state: State) -> State:
            x, noise = state["x"], state["noise"].get(name)
            more = {} if skip is None else {"shortcut": skip(x)}
            return edited(state, module(x, state["styles"][name], noise, gain), **more)

        return run

    def _colours(self, name: str, module: _ToRGB) -> Callable[[State], State]:
        def run(state: State) -> State:
            return edited(state, module(state["x"], state["styles"][name]), features=state["x"])

        return run

    def _finish(self, block: _Block) -> Callable[[State], State]:
        def run(state: State) -> State:
            if block.torgb is None:
                return state
            rest = {name: value for name, value in state.items() if name != "features"}
            image = state["x"]
            if "image" in state:
                image = upsample2(state["image"], block.resample_filter) + image
            return edited(rest, state["features"], image=image)

        return run

    def _noise(self, noise: Noise, count: int) -> dict[str, Tensor]:
        modules = {
            name: module
            for name, (module, _) in self._modulated().items()
            if isinstance(module, _Convolution) and self.settings.noise
        }
        seeds = noise_seeds(noise, count)
        if seeds is None:
            kept = modules if noise == "const" else {}
            return {name: module.noise_const[None, None] for name, module in kept.items()}
        return {
            name: torch.stack(
                [torch.from_numpy(normal_draw(seed, stream, (1, module.side, module.side))) for seed in seeds]
            ).to(module.bias.device)
            for stream, (name, module) in enumerate(modules.items())
        }

    # ---- its modules

    def _modulated(self) -> dict[str, tuple[_Convolution | _ToRGB, int]]:
        """Each layer that takes a style, and the number of its w: a ToRGB shares the next convolution's."""
        found: dict[str, tuple[_Convolution | _ToRGB, int]] = {}
        convolutions = 0
        for name, block in self._blocks.items():
            if block.side > 4:
                found[f"{name}.conv0"] = (block.conv0, convolutions)
                convolutions += 1
            found[f"{name}.conv1"] = (block.conv1, convolutions)
            convolutions += 1
            if block.torgb is not None:
                found[f"{name}.torgb"] = (block.torgb, convolutions)
        return found


#: The network's class, for the container of our own.
NETWORK = StyleGAN2


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is a pickled StyleGAN2."""
    generator = find_generator(checkpoint)
    return generator is not None and "b4" in generator.child("synthesis").record.children()


def build(checkpoint: Checkpoint) -> StyleGAN2:
    """The network of a checkpoint that `recognise` accepts.

    Raises:
        NetworkError: an attribute or tensor is missing or wrong.
    """
    generator = find_generator(checkpoint)
    if generator is None:
        raise NetworkError("the file holds no pickled generator")
    synthesis = generator.child("synthesis")
    blocks = [
        PickledModule(record, f"synthesis.{name}")
        for name, record in synthesis.record.children().items()
        if name.startswith("b")
    ]
    convolutions = [
        block.child(name)
        for block in blocks
        for name in ("conv0", "conv1")
        if name in block.record.children()
    ]
    if not convolutions:
        raise NetworkError("module 'synthesis.b4.conv1' is missing")
    settings = {
        "mapping": mapping_settings(generator.child("mapping")),
        "resolution": synthesis.read("img_resolution"),
        "architecture": uniform(blocks, "architecture"),
        "activation": uniform(convolutions, "activation"),
        "clamp": uniform(convolutions, "conv_clamp"),
        "noise": uniform(convolutions, "use_noise"),
    }
    return StyleGAN2(StyleGAN2Settings.model_validate(settings), Weights(generator.record.tensors()))


def _add_shortcut(state: State) -> State:
    rest = {name: value for name, value in state.items() if name != "shortcut"}
    return edited(rest, state["shortcut"] + state["x"])


def _output(state: State) -> State:
    return {**state, "image": as_rgb(state["image"])}


def _fir(weights: Weights) -> Tensor:
    fir = weights.take("resample_filter", None, None)
    if fir.shape[0] != fir.shape[1] or fir.shape[0] > 64:
        raise NetworkError(f"a resample filter of shape {list(fir.shape)} is not supported")
    return fir
