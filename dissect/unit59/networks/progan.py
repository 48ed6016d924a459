"""Progressive GAN (Karras et al. 2018): the official TensorFlow pickle, and GANDissect's ``.pth`` of it.

Layer ``layerN`` (1-based, as in GANDissect) is the activation after the leaky ReLU and before the next
pixel norm. The weights kept here have the paper's equalised-learning-rate gains multiplied in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from unit59.checkpoints import Checkpoint
from unit59.networks.base import Batch, Layer, NetworkError, Stage, State, as_rgb, edited
from unit59.networks.configured import Configured
from unit59.networks.inputs import label_vectors, latent_codes
from unit59.networks.sampling import Labelled
from unit59.networks.tensorflow import Pickled, averaged_generator, block_sides
from unit59.networks.weights import MAX_RESOLUTION, Convolution, Weights, to_rgb, upsampling_kernel

_NESTS = ("state_dict", "model", "generator")
_KEY = re.compile(r"(layer|features\.)(\d{1,3})\.conv\.weight")


class ProGANSettings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        label_size: length of the label vector that is appended to z.
        normalise_latents: whether z goes through a pixel norm first.
        pixel_norm: whether each layer is followed by one.
        epsilon: what keeps them from dividing by zero.
        slope: of the leaky ReLU; 0 for a ReLU.
        tanh: whether the picture goes through one.
        paths: each layer's name in the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    label_size: int = Field(default=0, ge=0, le=100_000)
    normalise_latents: bool = True
    pixel_norm: bool = True
    epsilon: float = Field(default=1e-8, gt=0, lt=1)
    slope: float = Field(default=0.2, ge=0, le=1)
    tanh: bool = False
    paths: list[str] = Field(min_length=2, max_length=24)


class _Options(BaseModel):
    """The official code's own options that change the computation, with its defaults."""

    model_config = ConfigDict(frozen=True, strict=True)

    label_size: int = 0
    normalize_latents: bool = True
    use_wscale: bool = True
    use_pixelnorm: bool = True
    pixelnorm_epsilon: float = Field(default=1e-8, gt=0, lt=1)
    use_leakyrelu: bool = True
    tanh_at_end: bool = False


class ProGAN(Configured):
    """The generator of Progressive GAN.

    Args:
        config: see `ProGANSettings`.
        weights: ``blocks.I.weight|bias`` for layer I+1 ([out,in,k,k]; [in,out,4,4] where it doubles the
            resolution), and ``output.weight|bias``.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "progan"
    rows_apart = True
    SAMPLING = Labelled
    SETTINGS = ProGANSettings
    settings: ProGANSettings

    def __init__(self, config: ProGANSettings, weights: Weights) -> None:
        super().__init__(config, weights)
        count = len(config.paths)
        if count % 2 or 2 ** (count // 2 + 1) > MAX_RESOLUTION:
            raise NetworkError(f"{count} layers make no resolution of a Progressive GAN")
        blocks: list[Convolution] = []
        for index in range(count):
            own, channels = weights.under(f"blocks.{index}."), blocks[-1].bias.shape[0] if blocks else None
            if _doubles(index):
                blocks.append(Convolution(own, channels, None, 4, 4, units_at=1))
            else:
                side = 3 if index else 4
                blocks.append(Convolution(own, None, channels, side, side, units_at=0))
        self._chain, self.blocks = blocks, nn.ModuleList(blocks)
        self._units = [block.bias.shape[0] for block in blocks]
        self.output = to_rgb(weights.under("output."), self._units[-1])
        self.label_size = config.label_size
        self.latent_size = blocks[0].weight.shape[1] - config.label_size
        if self.latent_size < 1:
            raise NetworkError(f"label_size {config.label_size} leaves no room for z")
        side = 2 ** (count // 2 + 1)
        self.resolution = (side, side)

    def describe(self) -> Iterable[Layer]:
        """Two layers a resolution."""
        for index, (units, path) in enumerate(zip(self._units, self.settings.paths, strict=True)):
            side = 4 * 2 ** (index // 2)
            yield Layer(f"layer{index + 1}", index, units, side, side, path)

    def start(self, batch: Batch) -> State:
        """The latent code (and label) as a 1x1 map; Progressive GAN has no truncation or noise."""
        weight = self.output.weight
        z = latent_codes(batch.inputs, self.latent_size, weight)
        vectors = label_vectors(batch.labels, len(z), self.label_size, weight)
        z = z if vectors is None else torch.cat([z, vectors], dim=1)
        x = z[:, :, None, None]
        return {"x": _pixel_norm(x, self.settings.epsilon) if self.settings.normalise_latents else x}

    def stages(self) -> Sequence[Stage]:
        """One stage a layer, then the picture."""
        stages = [Stage(layer.name, self._stage(layer.number)) for layer in self.layers.values()]
        return [*stages, Stage("output", self._picture, layer=False)]

    def _stage(self, index: int) -> Callable[[State], State]:
        block = self._chain[index]

        def run(state: State) -> State:
            x = state["x"] if index == 0 else self._normed(state["x"])
            if _doubles(index):
                x = F.conv_transpose2d(x, block.weight, block.bias, stride=2, padding=1)
            else:
                x = F.conv2d(x, block.weight, block.bias, padding=1 if index else 3)
            return edited(state, F.leaky_relu(x, self.settings.slope))

        return run

    def _picture(self, state: State) -> State:
        image = F.conv2d(self._normed(state["x"]), self.output.weight, self.output.bias)
        return {**state, "image": as_rgb(torch.tanh(image) if self.settings.tanh else image)}

    def _normed(self, x: Tensor) -> Tensor:
        return _pixel_norm(x, self.settings.epsilon) if self.settings.pixel_norm else x


NETWORK = ProGAN


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is one of the two layouts."""
    pickled = averaged_generator(checkpoint)
    if pickled is not None:
        return not pickled.components and "4x4/Dense/weight" in pickled.variables
    tensors = checkpoint.state_dict(*_NESTS)
    return tensors is not None and any(_KEY.fullmatch(_plain(name)) for name in tensors)


def build(checkpoint: Checkpoint) -> ProGAN:
    """The network of a checkpoint that `recognise` accepts."""
    pickled = averaged_generator(checkpoint)
    if pickled is not None:
        return _from_tensorflow(pickled)
    return _from_gandissect(checkpoint.state_dict(*_NESTS) or {})


def _doubles(index: int) -> bool:
    """Whether the layer (0-based) doubles the resolution: the first of each block but the first."""
    return index > 0 and index % 2 == 0


def _pixel_norm(x: Tensor, epsilon: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + epsilon)


def _plain(name: str) -> str:
    return name.removeprefix("module.")


def _from_gandissect(tensors: Mapping[str, Tensor]) -> ProGAN:
    """``layerN.conv.weight`` (N from 1) or the older ``features.N.conv.weight`` (N from 0)."""
    tensors = {_plain(name): tensor for name, tensor in tensors.items()}
    found = sorted((int(match[2]), match[1]) for name in tensors if (match := _KEY.fullmatch(name)))
    first = 1 if found[0][1] == "layer" else 0
    if found != [(number, found[0][1]) for number in range(first, first + len(found))]:
        raise NetworkError("the numbers of its layers have a gap")
    paths = [f"{prefix}{number}" for number, prefix in found]
    side = 2 ** (len(paths) // 2 + 1)
    output = "output" if "output.conv.weight" in tensors else f"output_{side}x{side}"
    weights, made = Weights(tensors), {}
    for index, path in enumerate(paths):
        weight = weights.take(f"{path}.conv.weight", None, None, *((3, 3) if index else (4, 4)))
        weight.mul_(_gain(weight))
        made[f"blocks.{index}.weight"] = upsampling_kernel(weight) if _doubles(index) else weight
        made[f"blocks.{index}.bias"] = weights.take(f"{path}.wscale.b", weight.shape[0])
    weight = weights.take(f"{output}.conv.weight", None, None, 1, 1)
    made["output.weight"] = weight / math.sqrt(weight.shape[1])
    made["output.bias"] = weights.take(f"{output}.wscale.b", None)
    return ProGAN(ProGANSettings(paths=paths), Weights(made, fresh=True))


def _gain(weight: Tensor) -> float:
    """He's constant for [out,in,k,k], with the first layer's smaller gain: sqrt(2)/k over sqrt(in)."""
    return math.sqrt(2.0 / weight.shape[1]) / weight.shape[2]


def _from_tensorflow(pickled: Pickled) -> ProGAN:
    weights, options = Weights(pickled.variables), _Options.model_validate(pickled.options)
    dense = weights.take("4x4/Dense/weight", None, None)
    if dense.shape[1] % 16:
        raise NetworkError(f"tensor '4x4/Dense/weight' has shape {list(dense.shape)}, no 4x4 maps")
    maps = dense.view(dense.shape[0], -1, 4, 4)
    kernels, paths = [maps.permute(1, 0, 2, 3).flip(2, 3).contiguous()], ["4x4/Dense"]
    for side in block_sides(pickled.resolution):
        if side > 4:
            path, weight = _doubling_weight(weights, side)
            kernels.append(weight)
            paths.append(path)
        path = f"{side}x{side}/Conv1" if side > 4 else "4x4/Conv"
        kernels.append(weights.take(f"{path}/weight", 3, 3, None, None).permute(3, 2, 0, 1).contiguous())
        paths.append(path)
    made = {}
    for index, (path, kernel) in enumerate(zip(paths, kernels, strict=True)):
        weight = kernel.mul_(_gain(kernel) if options.use_wscale else 1.0)
        made[f"blocks.{index}.weight"] = upsampling_kernel(weight) if _doubles(index) else weight
        made[f"blocks.{index}.bias"] = weights.take(f"{path}/bias", weight.shape[0])
    weight = weights.take("ToRGB_lod0/weight", 1, 1, None, None).permute(3, 2, 0, 1).contiguous()
    made["output.weight"] = weight / math.sqrt(weight.shape[1]) if options.use_wscale else weight
    made["output.bias"] = weights.take("ToRGB_lod0/bias", None)
    config = ProGANSettings(
        label_size=options.label_size,
        normalise_latents=options.normalize_latents,
        pixel_norm=options.use_pixelnorm,
        epsilon=options.pixelnorm_epsilon,
        slope=0.2 if options.use_leakyrelu else 0.0,
        tanh=options.tanh_at_end,
        paths=paths,
    )
    return ProGAN(config, Weights(made, fresh=True))


def _doubling_weight(weights: Weights, side: int) -> tuple[str, Tensor]:
    """The block's first convolution [out,in,3,3]: fused with the doubling or behind it."""
    path = f"{side}x{side}/Conv0_up"
    if f"{path}/weight" in weights:  # [k,k,out,in], as a transposed convolution has it
        weight = weights.take(f"{path}/weight", 3, 3, None, None)
        return path, weight.permute(2, 3, 0, 1).flip(2, 3).contiguous()
    path = f"{side}x{side}/Conv0"
    return path, weights.take(f"{path}/weight", 3, 3, None, None).permute(3, 2, 0, 1).contiguous()
