"""StyleGAN3 (Karras et al. 2021), translation (t) and rotation (r) equivariant: the official pickles.

Layers are the official modules below ``synthesis``: ``input`` and ``L0_36_512``, ``L1_36_512``, … (number,
side, units), each after its filtered nonlinearity; the last is the ToRGB layer. Maps carry a margin around
the picture. There are no noise inputs. Everything runs in float32, whatever the file says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Annotated, Any

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from unit59.checkpoints import Checkpoint
from unit59.networks.base import (
    Batch,
    Layer,
    NetworkError,
    Stage,
    State,
    as_rgb,
    edited,
    noise_seeds,
)
from unit59.networks.configured import Configured
from unit59.networks.filters import filtered_lrelu
from unit59.networks.fourier import FourierInput, InputSettings
from unit59.networks.mapping import MappingSettings, StyleMapping, mapping_settings
from unit59.networks.modulated import Dense, modulated_conv
from unit59.networks.pickled import PickledModule, find_generator, the_generator
from unit59.networks.sampling import Labelled, Truncated
from unit59.networks.styled import InputStyles
from unit59.networks.weights import MAX_RESOLUTION, Weights

#: Sides of the upsampled maps inside the nonlinearity; the largest published is about 2100.
_MAX_INNER = 4 * MAX_RESOLUTION

_Pad = Annotated[int, Field(ge=-MAX_RESOLUTION, le=MAX_RESOLUTION)]


class LayerSettings(BaseModel):
    """What one layer's tensors do not say.

    Attributes:
        name: as in the official code.
        size: side of its output.
        to_rgb: whether it makes colours: no demodulation, no nonlinearity.
        clamp: largest magnitude inside the nonlinearity; None is any.
        up: factor of the upsampling before it.
        down: factor of the downsampling behind it.
        up_taps: length of the upsampling's filter; 1 is none.
        down_taps: length of the downsampling's; 1 is none.
        radial: whether the downsampling's filter is two-dimensional.
        padding: of the upsampled map: left, right, top, bottom.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^L\d{1,3}_\d{1,6}_\d{1,6}$")
    size: int = Field(ge=1, le=MAX_RESOLUTION + 1024)
    to_rgb: bool
    clamp: float | None = Field(gt=0, le=1e30)
    up: int = Field(ge=1, le=16)
    down: int = Field(ge=1, le=16)
    up_taps: int = Field(ge=1, le=512)
    down_taps: int = Field(ge=1, le=512)
    radial: bool
    padding: tuple[_Pad, _Pad, _Pad, _Pad]

    def check_size(self, side: int, kernel: int) -> None:
        """Whether an input of this side gives an output of the claimed size.

        Raises:
            NetworkError: it does not, or the map in between is absurdly large.
        """
        left, right, top, bottom = self.padding
        for before, after in ((left, right), (top, bottom)):
            inner = (side + kernel - 1) * self.up + before + after - (self.up_taps - 1)
            outer = -(-(inner - (self.down_taps - 1)) // self.down)
            if outer != self.size or inner > _MAX_INNER:
                raise NetworkError(
                    f"layer {self.name!r}: side {side} becomes {outer}, not {self.size} (inside: {inner})"
                )


class StyleGAN3Settings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        mapping: the mapping network's.
        input: the first map's.
        layers: in forward order, the last to the colours.
        resolution: side of the picture.
        output_scale: factor on the picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mapping: MappingSettings
    input: InputSettings
    layers: tuple[LayerSettings, ...] = Field(min_length=1, max_length=100)
    resolution: int = Field(ge=1, le=MAX_RESOLUTION)
    output_scale: float = Field(default=0.25, gt=0, le=1e6)


class _Layer(nn.Module):
    """A modulated convolution and its filtered nonlinearity."""

    def __init__(self, settings: LayerSettings, weights: Weights, inputs: int, side: int) -> None:
        super().__init__()
        self.settings = settings
        self.weight = weights.parameter("weight", None, inputs, None, None)
        self.units, _, self._kernel, width = self.weight.shape
        if self._kernel != width or self._kernel > 64:
            raise NetworkError(
                f"layer {settings.name!r}: a kernel of {self._kernel}x{width} is not supported"
            )
        settings.check_size(side, self._kernel)
        self.bias = weights.parameter("bias", self.units)
        self.affine = Dense(weights.under("affine."), None, inputs)
        self.magnitude_ema: Tensor
        self.register_buffer("magnitude_ema", weights.take("magnitude_ema"))
        self.up_filter: Tensor | None
        taps = settings.up_taps
        self.register_buffer("up_filter", weights.take("up_filter", taps) if taps > 1 else None)
        self.down_filter: Tensor | None
        taps = settings.down_taps
        shape = (taps, taps) if settings.radial else (taps,)
        self.register_buffer("down_filter", weights.take("down_filter", *shape) if taps > 1 else None)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N,in,h,w], style [N,in] -> [N,units,size,size]."""
        to_rgb = self.settings.to_rgb
        weight: Tensor = self.weight
        if to_rgb:
            style = style / math.sqrt(weight[0].numel())
        else:
            weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
            # Officially over the whole batch; the demodulation cancels the factor, and so a sample's own
            # mean makes it independent of the others.
            style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
        x = modulated_conv(x, weight, style, self._convolve, demodulate=not to_rgb)
        x = x * self.magnitude_ema.rsqrt() + self.bias[:, None, None]
        return filtered_lrelu(
            x,
            self.up_filter,
            self.down_filter,
            self.settings.up,
            self.settings.down,
            self.settings.padding,
            gain=1.0 if to_rgb else math.sqrt(2),
            slope=1.0 if to_rgb else 0.2,
            clamp=self.settings.clamp,
        )

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(x, weight, padding=self._kernel - 1)


class StyleGAN3Sampling(Labelled, Truncated):
    """Truncation and, of a conditional network, the class."""


class StyleGAN3(InputStyles, Configured):
    """The generator of StyleGAN3.

    The state holds, besides ``x`` [N,units,h,w]: ``w`` [N,copies,w_size], the intermediate latent of each
    layer after truncation, and ``styles``, {layer: [N,channels in]} (for ``input``, see `FourierInput`).
    ``net.synthesis.input.transform`` [3,3] moves the picture, as in the official code.

    Args:
        settings: see `StyleGAN3Settings`.
        weights: named as in the official code.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape, or the sizes do not fit together.
    """

    family = "stylegan3"
    SAMPLING = StyleGAN3Sampling
    SETTINGS = StyleGAN3Settings
    settings: StyleGAN3Settings

    def __init__(self, settings: StyleGAN3Settings, weights: Weights) -> None:
        super().__init__(settings, weights)
        self.synthesis = nn.Module()
        own = weights.under("synthesis.")
        first = FourierInput(settings.input, own.under("input."))
        self._modulated: dict[str, FourierInput | _Layer] = {"input": first}
        units, side = first.units, settings.input.size
        for each in settings.layers:
            if each.name in self._modulated:
                raise NetworkError(f"layer {each.name!r} occurs twice")
            layer = _Layer(each, own.under(f"{each.name}."), units, side)
            units, side = layer.units, each.size
            if layer.affine.inputs != first.affine.inputs:
                raise NetworkError(f"layer {each.name!r} takes another size of w than 'input'")
            self._modulated[each.name] = layer
        for name, module in self._modulated.items():
            self.synthesis.add_module(name, module)
        if side != settings.resolution:
            raise NetworkError(f"the last layer's side is {side}, the picture's {settings.resolution}")
        if units not in (1, 3):
            raise NetworkError(f"the last layer makes {units} colours; 1 and 3 are supported")
        copies = len(settings.layers) + 1
        self.mapping = StyleMapping(settings.mapping, weights.under("mapping."), first.affine.inputs, copies)
        self.latent_size = settings.mapping.latent_size
        self.label_size = settings.mapping.label_size
        self.resolution = (side, side)

    def describe(self) -> Iterable[Layer]:
        """The input and every layer, ToRGB included."""
        rate = self.settings.input.sampling_rate
        for number, (name, module) in enumerate(self._modulated.items()):
            if isinstance(module, _Layer):
                rate = rate * module.settings.up / module.settings.down
            side = module.settings.size
            margin = max(0, int(side - rate) // 2)  # the picture itself is as many pixels wide as the rate
            yield Layer(name, number, module.units, side, side, f"synthesis.{name}", margin)

    def start(self, batch: Batch) -> State:
        """The styles of every layer; there are no noise inputs."""
        sampling = batch.knobs(StyleGAN3Sampling)
        w = self.mapping(batch.inputs, batch.labels, sampling.psi, sampling.cutoff)
        noise_seeds(batch.noise, len(w))
        return {"w": w, "styles": self.styles_from(w)}

    def styles_from(self, w: Tensor) -> dict[str, Tensor]:
        """{layer: scales of its input channels [N,channels in]}, from `w` [N,copies,w_size]."""
        return {
            name: module.affine(w[:, copy]) for copy, (name, module) in enumerate(self._modulated.items())
        }

    @property
    def styled(self) -> Collection[str]:
        """All layers but the input, whose four numbers turn and move its waves."""
        return [name for name in self._modulated if name != "input"]

    def stages(self) -> Sequence[Stage]:
        """The input, one stage a layer, then the picture."""
        stages = [Stage(name, self._stage(name, module)) for name, module in self._modulated.items()]
        return [*stages, Stage("output", self._output, layer=False)]

    def _stage(self, name: str, module: FourierInput | _Layer) -> Callable[[State], State]:
        def run(state: State) -> State:
            style = state["styles"][name]
            x = module(style) if isinstance(module, FourierInput) else module(state["x"], style)
            return edited(state, x)

        return run

    def _output(self, state: State) -> State:
        return {**state, "image": as_rgb(state["x"] * self.settings.output_scale)}


#: The network's class, for the container of our own.
NETWORK = StyleGAN3


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is a pickled StyleGAN3."""
    generator = find_generator(checkpoint)
    return generator is not None and "input" in generator.child("synthesis").record.children()


def build(checkpoint: Checkpoint) -> StyleGAN3:
    """The network of a checkpoint that `recognise` accepts.

    Raises:
        NetworkError: an attribute or tensor is missing or wrong.
    """
    generator = the_generator(checkpoint)
    synthesis = generator.child("synthesis")
    first = synthesis.child("input")
    names = synthesis.read("layer_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise NetworkError("attribute 'synthesis.layer_names' is no list of names")
    settings = {
        "mapping": mapping_settings(generator.child("mapping")),
        "input": {
            "size": first.read_side("size"),
            "sampling_rate": first.read("sampling_rate"),
            "bandwidth": first.read("bandwidth"),
        },
        "layers": [_layer_settings(synthesis.child(name), name) for name in names],
        "resolution": synthesis.read("img_resolution"),
        "output_scale": synthesis.read("output_scale"),
    }
    return StyleGAN3(StyleGAN3Settings.model_validate(settings), Weights(generator.record.tensors()))


def _layer_settings(layer: PickledModule, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "size": layer.read_side("out_size"),
        "to_rgb": layer.read("is_torgb"),
        "clamp": layer.read("conv_clamp"),
        "up": layer.read("up_factor"),
        "down": layer.read("down_factor"),
        "up_taps": layer.read("up_taps"),
        "down_taps": layer.read("down_taps"),
        "radial": layer.read("down_radial"),
        "padding": layer.read("padding"),
    }
