"""DCGAN (Radford et al. 2016), as in the PyTorch tutorial: transposed convolutions, batch norm, ReLU, tanh.

Layer ``layerK`` is the activation after the K-th ReLU (1-based).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from unit59.checkpoints import Checkpoint
from unit59.networks.base import Batch, Layer, NetworkError, Stage, State, edited
from unit59.networks.configured import Configured
from unit59.networks.inputs import latent_codes
from unit59.networks.weights import MAX_RESOLUTION, Weights

#: Keys of the tutorial's state dict: ``main.{0,3,6,…}.weight`` convolutions, ``main.{1,4,7,…}.*`` norms.
_KEY = re.compile(r"((?:module\.)?main\.)(\d{1,3})\.weight")
_NESTS = ("netG_state_dict", "state_dict", "generator", "netG")


class DCGANSettings(BaseModel):
    """What the weights alone do not say: each ReLU's name in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    paths: list[str] = Field(min_length=1, max_length=12)


class _Block(nn.Module):
    """A transposed convolution [in,out,k,k] and the batch norm behind it."""

    def __init__(self, weights: Weights, inputs: int | None) -> None:
        super().__init__()
        self.weight = weights.parameter("weight", inputs, None, 4, 4)
        self.units = self.weight.shape[1]
        for name in ("scale", "offset", "mean", "variance"):
            self.register_parameter(name, weights.parameter(name, self.units))

    def forward(self, x: Tensor, first: bool) -> Tensor:
        x = F.conv_transpose2d(x, self.weight, stride=1 if first else 2, padding=0 if first else 1)
        x = F.batch_norm(x, self.get_parameter("mean"), self.get_parameter("variance"), *self._affine())
        return F.relu(x)

    def _affine(self) -> tuple[Tensor, Tensor]:
        return self.get_parameter("scale"), self.get_parameter("offset")


class DCGAN(Configured):
    """The generator of the DCGAN tutorial, of any depth and width.

    Args:
        config: see `DCGANSettings`.
        weights: ``blocks.I.weight|scale|offset|mean|variance``, and ``output`` [in,3,4,4].

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "dcgan"
    rows_apart = True
    SETTINGS = DCGANSettings
    settings: DCGANSettings

    def __init__(self, config: DCGANSettings, weights: Weights) -> None:
        super().__init__(config, weights)
        self._blocks: list[_Block] = []
        for index in range(len(config.paths)):
            inputs = self._blocks[-1].units if self._blocks else None
            self._blocks.append(_Block(weights.under(f"blocks.{index}."), inputs))
        self.blocks = nn.ModuleList(self._blocks)
        self.output = weights.parameter("output", self._blocks[-1].units, 3, 4, 4)
        self.latent_size = self._blocks[0].weight.shape[0]
        side = 4 * 2 ** len(config.paths)
        if side > MAX_RESOLUTION:
            raise NetworkError(f"a resolution of {side}")
        self.resolution = (side, side)

    def describe(self) -> Iterable[Layer]:
        """The layers after each ReLU."""
        for index, (block, path) in enumerate(zip(self._blocks, self.settings.paths, strict=True)):
            side = 4 * 2**index
            yield Layer(f"layer{index + 1}", index, block.units, side, side, path)

    def start(self, batch: Batch) -> State:
        """The latent code as a 1x1 map; a DCGAN has no labels, truncation or noise."""
        return {"x": latent_codes(batch.inputs, self.latent_size, self.output)[:, :, None, None]}

    def stages(self) -> Sequence[Stage]:
        """Convolution, norm and ReLU are one stage; the last convolution and tanh make the picture."""
        stages = [Stage(layer.name, self._stage(layer.number)) for layer in self.layers.values()]
        return [*stages, Stage("output", self._picture, layer=False)]

    def _stage(self, index: int) -> Callable[[State], State]:
        block = self._blocks[index]
        return lambda state: edited(state, block(state["x"], first=index == 0))

    def _picture(self, state: State) -> State:
        image = F.conv_transpose2d(state["x"], self.output, stride=2, padding=1)
        return {**state, "image": torch.tanh(image)}


NETWORK = DCGAN


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is a DCGAN of the tutorial."""
    tensors = checkpoint.state_dict(*_NESTS) or {}
    return any(_KEY.fullmatch(name) and tensor.dim() == 4 for name, tensor in tensors.items())


def build(checkpoint: Checkpoint) -> DCGAN:
    """The network of a checkpoint that `recognise` accepts."""
    tensors = checkpoint.state_dict(*_NESTS) or {}
    found = [match for name in tensors if (match := _KEY.fullmatch(name)) and tensors[name].dim() == 4]
    numbers, prefix = sorted(int(match[2]) for match in found), found[0][1]
    if numbers != [3 * index for index in range(len(numbers))] or len(numbers) < 2:
        raise NetworkError(f"convolutions at {numbers}, expected 0, 3, 6, …")
    weights, made = Weights(tensors, prefix), {}
    for index, number in enumerate(numbers[:-1]):
        made[f"blocks.{index}.weight"] = weights.take(f"{number}.weight", None, None, 4, 4)
        for ours, theirs in _NORM.items():
            made[f"blocks.{index}.{ours}"] = weights.take(f"{number + 1}.{theirs}", None)
    made["output"] = weights.take(f"{numbers[-1]}.weight", None, 3, 4, 4)
    paths = [f"{prefix}{number + 2}" for number in numbers[:-1]]
    return DCGAN(DCGANSettings(paths=paths), Weights(made, fresh=True))


_NORM = {"scale": "weight", "offset": "bias", "mean": "running_mean", "variance": "running_var"}
