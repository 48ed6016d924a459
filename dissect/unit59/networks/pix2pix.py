"""pix2pix's U-Net generator (Isola et al. 2017): the official `latest_net_G.pth`, of any depth and width.

Layer ``layerK`` is the output of the K-th convolution in call order (1-based), before its norm: with 8
levels ``layer1`` to ``layer8`` go down to one pixel, ``layer9`` to ``layer16`` come up again.

The official test script leaves the network in training mode: norms use the statistics of the picture at hand
(its batch is 1) and dropout stays on. `Pix2PixSampling.mode` chooses between that and evaluation mode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from unit59.checkpoints import Checkpoint
from unit59.foundation.random import normal_draw
from unit59.networks.base import (
    Batch,
    Layer,
    Network,
    NetworkError,
    Noise,
    Stage,
    State,
    as_rgb,
    edited,
    noise_seeds,
)
from unit59.networks.configured import Configured
from unit59.networks.inputs import label_vectors
from unit59.networks.sampling import Noisy
from unit59.networks.weights import MAX_RESOLUTION, Weights

Mode = Literal["eval", "official-test"]
NormKind = Literal["batch", "instance", "none"]

_NESTS = ("state_dict", "generator", "netG", "G")
_DEEPER = ".model.3"
_NEST = re.compile(r"model\.model\.1((?:\.model\.3)*)\.model\.\d+\.")
_OUTERMOST_UP = "model.model.3"
_MAX_LEVELS = MAX_RESOLUTION.bit_length() - 1
#: What older files hold beside the weights: counters, and statistics that an instance norm never used.
_COUNTER, _STATISTICS = ".num_batches_tracked", (".running_mean", ".running_var")
_DROPPED = {"batch": (_COUNTER,), "instance": (_COUNTER, *_STATISTICS), "none": ()}
_EPSILON = 1e-5
#: Behind the norm of the levels between the fourth and the innermost, in official training.
_FIRST_DROPOUT_LEVEL = 5


class Pix2PixSettings(BaseModel):
    """What the weights alone do not say.

    Attributes:
        levels: halvings on the way down; 8 for unet_256.
        norm: batch (with stored statistics), instance (always the picture's own), or none.
        mode: see `Pix2Pix`.
        dropout: whether official-test mode drops half of the units of the deep levels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    levels: int = Field(ge=2, le=_MAX_LEVELS)
    norm: NormKind
    mode: Mode = "eval"
    dropout: bool = True


class _Norm(nn.Module):
    """Batch norm, with stored statistics or each picture's own; or instance norm, which has no weights."""

    def __init__(self, weights: Weights, units: int, kind: NormKind) -> None:
        super().__init__()
        self._kind = kind
        self.running_mean: Tensor
        self.running_var: Tensor
        if kind == "batch":
            self.weight = weights.parameter("weight", units)
            self.bias = weights.parameter("bias", units)
            self.register_buffer("running_mean", weights.take("running_mean", units))
            self.register_buffer("running_var", weights.take("running_var", units))

    def forward(self, x: Tensor, mode: Mode) -> Tensor:
        """[N,units,h,w] -> the same."""
        if self._kind == "none":
            return x
        if self._kind == "batch" and mode == "eval":
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=_EPSILON)
        variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)
        x = (x - mean) * (variance + _EPSILON).rsqrt()
        return x if self._kind == "instance" else x * self.weight[:, None, None] + self.bias[:, None, None]


class _Convolution(nn.Module):
    """One of the 4x4 convolutions with stride 2."""

    def __init__(self, weights: Weights, inputs: int | None, *, up: bool, biased: bool) -> None:
        super().__init__()
        self._up = up
        sizes = (inputs, None) if up else (None, inputs)
        self.weight = weights.parameter("weight", *sizes, 4, 4)
        self.inputs, self.units = self.weight.shape[:2] if up else self.weight.shape[1::-1]
        self.bias = weights.parameter("bias", self.units) if biased else None

    def forward(self, x: Tensor) -> Tensor:
        """[N,inputs,h,w] -> [N,units,h/2,w/2] or [N,units,2h,2w]."""
        convolve = F.conv_transpose2d if self._up else F.conv2d
        return convolve(x, self.weight, self.bias, stride=2, padding=1)


class Pix2PixSampling(Noisy):
    """The mode, and in official-test mode the dropout."""

    mode: Mode | None = None
    """How it runs: stored statistics and no dropout (default), or as its official test script does."""

    def words(self, network: Network) -> dict[str, str]:
        """Adds ``mode``."""
        said = {"eval": "evaluation", "official-test": "as its authors test it (own statistics, dropout)"}
        own = network.mode if isinstance(network, Pix2Pix) else "eval"
        return {"mode": said[self.mode or own]}


class Pix2Pix(Configured):
    """pix2pix's U-Net.

    The state holds, besides ``x`` [N,units,h,w]: ``mode``, see `Pix2PixSampling`; ``skips``, {level: what it
    hands across, [N,units,h,w]}; and ``dropout``, {level: factors 0 and 2, [1 or N,units,h,w]}.

    Args:
        settings: see `Pix2PixSettings`.
        weights: named as in the official code, without ``module.``

    Attributes:
        mode: in which it runs where the sampling names none. ``eval``: stored statistics, no dropout.
            ``official-test``: norms use the statistics of each picture alone, so that none depends on its
            batch, and dropout is on. Its masks come from ``noise``: "const" is the same mask for every
            picture, "none" no dropout, and a seed gives each picture a mask of its own. May be set at any
            time between passes.
        input_channels: of the pictures it takes.

    Raises:
        NetworkError: a tensor is missing or has the wrong shape.
    """

    family = "pix2pix"
    rows_apart = True
    SETTINGS = Pix2PixSettings
    SAMPLING = Pix2PixSampling
    settings: Pix2PixSettings
    takes = "image"

    def __init__(self, settings: Pix2PixSettings, weights: Weights) -> None:
        super().__init__(settings, weights)
        self._mode: Mode = settings.mode
        self._convolutions: list[_Convolution] = []
        self._norms: list[_Norm | None] = []
        levels = settings.levels
        for index, (path, norm) in enumerate(_official_paths(levels)):
            inputs = self._convolutions[-1].units if index else None
            if inputs is not None and index > levels:
                inputs += self._convolutions[2 * levels - 1 - index].units
            self._add(weights, path, norm, inputs, up=index >= levels)
        self.input_channels = self._convolutions[0].inputs
        colours = self._convolutions[-1].units
        if colours not in (1, 3):
            raise NetworkError(f"the last convolution makes {colours} colours; 1 and 3 are supported")
        self.resolution = (2**levels, 2**levels)
        self.levels = levels

    @property
    def mode(self) -> Mode:
        """``eval`` or ``official-test``."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        if mode not in get_args(Mode):
            raise NetworkError(f"mode={mode!r}: expected {' or '.join(map(repr, get_args(Mode)))}.")
        self._mode = mode

    @property
    def skips(self) -> Sequence[tuple[str, str]]:
        """Layers i and n + 1 - i of n, without the two in the middle."""
        return [(f"layer{i}", f"layer{2 * self.levels + 1 - i}") for i in range(1, self.levels)]

    def describe(self) -> Iterable[Layer]:
        """The convolutions, with the sizes that a picture of the nominal `resolution` gives."""
        levels = self.settings.levels
        for index, (path, _) in enumerate(_official_paths(levels)):
            side = 2 ** (levels - 1 - index if index < levels else index - levels + 1)
            yield Layer(f"layer{index + 1}", index, self._convolutions[index].units, side, side, path)

    def start(self, batch: Batch) -> State:
        """The picture and the dropout masks; there are no labels and no truncation.

        Raises:
            NetworkError: the picture has other channels, or a side that cannot be halved often enough.
        """
        inputs, mode = batch.inputs, batch.knobs(Pix2PixSampling).mode or self._mode
        step = 2**self.settings.levels
        if inputs.dim() != 4 or inputs.shape[1] != self.input_channels:
            raise NetworkError(
                f"pix2pix takes pictures [N,{self.input_channels},H,W], got {list(inputs.shape)}."
            )
        height, width = inputs.shape[2:]
        if height % step or width % step or not height or not width:
            raise NetworkError(
                f"this pix2pix takes sides that are multiples of {step}, got {height}x{width}."
            )
        x = inputs.to(self._convolutions[0].weight)
        label_vectors(batch.labels, len(x), 0, x)
        dropout = self._masks(batch.noise, x) if mode == "official-test" else {}
        return {"x": x, "mode": mode, "skips": {}, "dropout": dropout}

    def stages(self) -> Sequence[Stage]:
        """One stage a convolution, then the picture."""
        stages = [Stage(layer.name, self._stage(layer.number)) for layer in self.layers.values()]
        return [*stages, Stage("output", _output, layer=False)]

    def config(self) -> dict[str, Any]:
        """See `Pix2PixSettings`."""
        return {**super().config(), "mode": self._mode}

    def _add(self, weights: Weights, path: str, norm: str | None, inputs: int | None, *, up: bool) -> None:
        """Add a convolution and its norm under their official names."""
        biased = self.settings.norm == "instance" or path == _OUTERMOST_UP
        convolution = _Convolution(weights.under(f"{path}."), inputs, up=up, biased=biased)
        self._convolutions.append(convolution)
        _attach(self, path, convolution)
        if norm is None:
            self._norms.append(None)
            return
        module = _Norm(weights.under(f"{norm}."), convolution.units, self.settings.norm)
        self._norms.append(module)
        _attach(self, norm, module)

    def _stage(self, index: int) -> Callable[[State], State]:
        levels, convolution = self.settings.levels, self._convolutions[index]
        norm = self._norms[index - 1] if index else None

        def run(state: State) -> State:
            x = state["x"]
            if index == 0:
                return edited(state, convolution(x))
            x = x if norm is None else norm(x, state["mode"])
            if index < levels:
                skips = {**state["skips"], index: x}
                return edited(state, convolution(F.leaky_relu(x, 0.2)), skips=skips)
            if index > levels:
                level = 2 * levels - index + 1
                x = x * state["dropout"].get(level, 1)
                x = torch.cat([state["skips"][level - 1], x], dim=1)
            return edited(state, convolution(F.relu(x)))

        return run

    def _masks(self, noise: Noise, x: Tensor) -> dict[int, Tensor]:
        """Each deep level's dropout at p = 0.5, a stream of random numbers of its own for every picture."""
        seeds = noise_seeds(noise, len(x))
        if not self.settings.dropout or noise == "none":
            return {}
        levels = self.settings.levels
        masks = {}
        for level in range(_FIRST_DROPOUT_LEVEL, levels):
            units = self._convolutions[2 * levels - level].units
            shape = (units, x.shape[2] >> (level - 1), x.shape[3] >> (level - 1))
            drawn = [torch.from_numpy(normal_draw(seed, level, shape)) for seed in seeds or [0]]
            masks[level] = 2 * (torch.stack(drawn) > 0).to(x)
        return masks


#: The network's class, for the container of our own.
NETWORK = Pix2Pix


def recognise(checkpoint: Checkpoint) -> bool:
    """Whether the file is the state dict of a pix2pix U-Net."""
    return any(name.startswith("model.model.1.model.") for name in _official(checkpoint))


def build(checkpoint: Checkpoint) -> Pix2Pix:
    """The network of a checkpoint that `recognise` accepts.

    Raises:
        NetworkError: a tensor is missing, unknown, or of the wrong shape.
    """
    official = _official(checkpoint)
    nests = [len(match[1]) // len(_DEEPER) for name in official if (match := _NEST.match(name))]
    levels = max(nests, default=0) + 2
    if levels > _MAX_LEVELS:
        raise NetworkError(f"a U-Net of {levels} levels; up to {_MAX_LEVELS} are supported")
    norm = _norm_kind(official, levels)
    settings = Pix2PixSettings.model_validate({"levels": levels, "norm": norm})
    network = Pix2Pix(settings, Weights(official))
    known = network.state_dict().keys()
    for name in official:
        if name not in known and not name.endswith(_DROPPED[norm]):
            raise NetworkError(f"tensor {name!r} is none of a pix2pix U-Net of {levels} levels, {norm} norm")
    return network


def _official(checkpoint: Checkpoint) -> dict[str, Tensor]:
    tensors = checkpoint.state_dict(*_NESTS) or {}
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def _norm_kind(official: Mapping[str, Tensor], levels: int) -> NormKind:
    """Convolutions before an instance norm have a bias; a batch norm has weights of its own."""
    normed = [(path, norm) for path, norm in _official_paths(levels) if norm is not None]
    if any(f"{path}.bias" in official for path, _ in normed):
        return "instance"
    stored = ("weight", "bias", "running_mean", "running_var")
    return "batch" if any(f"{norm}.{name}" in official for _, norm in normed for name in stored) else "none"


def _official_paths(levels: int) -> list[tuple[str, str | None]]:
    """Each convolution's module, and the module of the norm behind it, in call order."""
    blocks = ["model"] + ["model.model.1" + _DEEPER * level for level in range(levels - 1)]
    down: list[tuple[str, str | None]] = [("model.model.0", None)]
    up: list[tuple[str, str | None]] = [("model.model.3", None)]
    for block in blocks[1:-1]:
        down.append((f"{block}.model.1", f"{block}.model.2"))
        up.insert(0, (f"{block}.model.5", f"{block}.model.6"))
    down.append((f"{blocks[-1]}.model.1", None))
    up.insert(0, (f"{blocks[-1]}.model.3", f"{blocks[-1]}.model.4"))
    return down + up


def _attach(root: nn.Module, path: str, module: nn.Module) -> None:
    """Make `module` reachable below `root` by a dotted path."""
    *parents, name = path.split(".")
    for parent in parents:
        if parent not in root._modules:
            root.add_module(parent, nn.Module())
        root = root.get_submodule(parent)
    root.add_module(name, module)


def _output(state: State) -> State:
    return {**state, "image": as_rgb(torch.tanh(state["x"]))}
