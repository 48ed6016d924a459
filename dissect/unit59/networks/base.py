"""What every network is here: an ordered list of named stages over an explicit state.

A forward pass is ``start -> stage -> stage -> … -> image``. Each stage takes a state and returns a new
one; it never changes a tensor or dict it was given. So a pass can stop after any layer, be edited, and
run on from there as often as wanted without repeating what came before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from unit59.foundation.errors import Unit59Error
from unit59.foundation.suggest import nearest

#: Tensors (and plain values) by name. ``state["x"]`` is the running activation [N,C,h,w]: right after a
#: layer's stage it is that layer's activation. Everything else that later stages need (styles, noise,
#: skip connections, the image so far) has a key of its own.
State = dict[str, Any]

#: "const": the stored noise; "none": zero; an int s: row r of the batch draws from seed s + r;
#: a sequence: one seed a row. Networks without noise inputs accept and ignore all of them.
Noise = Literal["const", "none"] | int | Sequence[int]


class NetworkError(Unit59Error):
    """A network was asked for something that it does not have."""


class SamplingError(NetworkError):
    """A knob of the sampling is set to something that the network does not have.

    Attributes:
        field: the knob.
        what: what is wrong with it.
    """

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}")
        self.field, self.what = field, what


class Sampling(BaseModel):
    """How samples are drawn: the knobs of a family, with their words. This one has none.

    A family derives its own; a recipe's `sampling:` is validated by it. See `unit59.networks.sampling` for
    knobs that several families have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def check(self, network: Network) -> None:
        """Refuse what this very network does not have.

        Raises:
            SamplingError: about the first such knob.
        """

    def words(self, network: Network) -> dict[str, str]:
        """How the samples are drawn, {term: words}, for the model's page."""
        return {}

    def classes(self, drawn: Sequence[int]) -> Sequence[int]:
        """The classes that samples of a conditional network get, given those drawn with them."""
        return drawn

    def noise_inputs(self, seeds: Sequence[int]) -> Noise:
        """The noise inputs that samples get, given the seeds drawn with them."""
        return seeds


_Sampling = TypeVar("_Sampling", bound=Sampling)


@dataclass(frozen=True)
class Batch:
    """What a forward pass starts from.

    Attributes:
        inputs: latent codes [N, latent_size], or pictures [N,3,H,W] in [-1,1].
        labels: [N, label_size] for a conditional network.
        noise: see `Noise`.
        sampling: the family's knobs; None is their defaults.
    """

    inputs: Tensor
    labels: Tensor | None = None
    noise: Noise = "const"
    sampling: Sampling | None = None

    def knobs(self, kind: type[_Sampling]) -> _Sampling:
        """The sampling, which is to be of a family's own kind.

        Raises:
            NetworkError: it is another family's.
        """
        if self.sampling is None:
            return kind()
        if not isinstance(self.sampling, kind):
            raise NetworkError(f"sampling: expected {kind.__name__}, got {type(self.sampling).__name__}.")
        return self.sampling


@dataclass(frozen=True)
class Layer:
    """A layer that can be dissected.

    Attributes:
        name: as in the published literature, e.g. ``layer6`` or ``b8.conv0``.
        number: its position among the network's layers in forward order, from 0.
        units: channels.
        height: of its map, in pixels.
        width: of its map, in pixels.
        path: the module or variable it reads, in the official code's naming.
        margin: pixels of its map on each side that lie outside the picture.
    """

    name: str
    number: int
    units: int
    height: int
    width: int
    path: str
    margin: int = 0


@dataclass(frozen=True)
class Stage:
    """One step of the forward pass; `layer` says whether ``state["x"]`` after it is a layer's activation."""

    name: str
    run: Callable[[State], State]
    layer: bool = True


class Network(nn.Module, ABC):
    """An image generator with its weights. See `unit59.networks.load`."""

    #: Short name of the architecture: dcgan, progan, stylegan, stylegan2, stylegan3, pix2pix.
    family: ClassVar[str]
    #: What `generate` takes: latent codes [N, latent_size] or pictures [N,3,H,W] in [-1,1].
    takes: Literal["latent", "image"] = "latent"
    #: The knobs of its sampling.
    SAMPLING: ClassVar[type[Sampling]] = Sampling

    #: Whether each row of a batch is made by itself, and no other tensor of a state looks like a batch: rows
    #: of several states can be put together (see `chosen_rows`).
    rows_apart: ClassVar[bool] = False

    latent_size: int = 0
    label_size: int = 0
    #: Of a user's own: a hash of its code; results depend on it.
    code: str = ""
    #: Height and width of the pictures it makes.
    resolution: tuple[int, int]

    # ---- to be given by each architecture

    @abstractmethod
    def describe(self) -> Iterable[Layer]:
        """The layers in forward order."""

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """The stages in forward order; after the last, ``state["image"]`` is the picture."""

    @abstractmethod
    def start(self, batch: Batch) -> State:
        """The state before the first stage (latent mapping, truncation and noise inputs included)."""

    # ---- what only some architectures have

    #: Halvings on a U-Net's way down: its first so many layers are the encoder; 0 for other networks.
    levels: int = 0

    @property
    def skips(self) -> Sequence[tuple[str, str]]:
        """A U-Net's mirrored layers: the second one's convolution reads the first through a skip.

        After the layer behind the first of a pair, ``state["skips"]`` holds what goes across.
        """
        return ()

    def styles(self, layer: str, state: State) -> Tensor | None:
        """A layer's style channels [N,K,channels], K parts: scale and, in some networks, offset.

        None for a layer without.
        """
        return None

    def with_styles(self, layer: str, state: State, value: Tensor) -> State:
        """The state before a layer with other styles of it, [N,K,channels].

        Raises:
            NetworkError: it has none.
        """
        raise NetworkError(f"layer {layer} of this {self.family} has no style channels.")

    def style_layer(self, layer: str) -> str | None:
        """The layer whose style channel k acts on unit k of `layer`; None where there is none."""
        return None

    @property
    def noise_layers(self) -> Sequence[str]:
        """The layers with noise inputs."""
        return ()

    def without_noise(self, state: State, layers: Collection[str]) -> State:
        """The state in which the noise inputs of some layers are zero."""
        return state

    @property
    def normalises(self) -> bool:
        """Whether layers are normalised by their own maps, in a way that `held_statistics` can hold."""
        return False

    def held_statistics(self, state: State, layer: str) -> State | None:
        """The state right after a layer in which the layers behind it are rescaled as they are now.

        An edit of it then lacks normalisation's answer to the edit. None where layers are not normalised.
        """
        return None

    # ---- for the container of our own (see `unit59.networks.files`)

    def config(self) -> dict[str, Any]:
        """Hyperparameters that JSON can hold; with `state_dict()` they make the same network again.

        Raises:
            NetworkError: this kind of network cannot be saved.
        """
        raise NetworkError(f"a {self.family} network cannot be saved")

    @classmethod
    def from_config(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """The network that `config()` and `state_dict()` describe.

        Both come from a file and are validated like everything else that does; no tensor is allocated
        on the word of `config` alone.

        Raises:
            NetworkError: a hyperparameter or tensor is missing or wrong.
        """
        raise NetworkError(f"a {cls.family} network cannot be loaded from a converted file")

    # ---- the public interface

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Layer name to `Layer`, in forward order."""
        return {layer.name: layer for layer in self.describe()}

    def layer(self, name: str) -> Layer:
        """The layer of a name.

        Raises:
            NetworkError: there is none.
        """
        self._position([name], name)
        return self.layers[name]

    def run(self, state: State, *, after: str | None = None, until: str | None = None) -> State:
        """Run the stages behind `after` (default: from the start) up to and including `until` (default: all).

        Raises:
            NetworkError: there is no such layer.
        """
        names = [stage.name for stage in self.stages()]
        first = 0 if after is None else self._position(names, after) + 1
        last = len(names) if until is None else self._position(names, until) + 1
        for stage in self.stages()[first:last]:
            state = stage.run(state)
        return state

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> Tensor:
        """Make pictures.

        Args:
            inputs: latent codes [N, latent_size], or pictures [N,3,H,W] in [-1,1] for pix2pix.
            labels: [N, label_size] for a conditional network.
            psi: truncation; 1 is none.
            cutoff: layers below this number are truncated; None is all.
            noise: see `Noise`.

        Returns:
            float32 [N,3,H,W], nominally in [-1,1] (not clamped).
        """
        image: Tensor = self.run(self.start(self.batch(inputs, labels, psi, cutoff, noise)))["image"]
        return image

    @torch.no_grad()
    def activations(
        self,
        inputs: Tensor,
        layers: Sequence[str],
        labels: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> dict[str, Tensor]:
        """The activations {layer: float32 [N,units,h,w]} of the named layers; stops after the last of them.

        Arguments as for `generate`.

        Raises:
            NetworkError: there is no such layer.
        """
        state = self.start(self.batch(inputs, labels, psi, cutoff, noise))
        wanted = self.trace(state, layers, finish=False)[1]
        return {name: state["x"] for name, state in wanted.items()}

    def batch(
        self,
        inputs: Tensor,
        labels: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        noise: Noise = "const",
    ) -> Batch:
        """What `start` takes, from the arguments of `generate`; a family without truncation ignores it."""
        given: dict[str, Any] = {"psi": psi, "cutoff": cutoff}
        own = {name: value for name, value in given.items() if name in self.SAMPLING.model_fields}
        return Batch(inputs, labels, noise, self.SAMPLING.model_construct(**own))

    def trace(
        self, state: State, layers: Iterable[str], *, finish: bool = True
    ) -> tuple[State, dict[str, State]]:
        """One forward pass that keeps the state right after each of `layers`.

        Returns:
            The final state (after the last named layer if not `finish`), and {layer: state}.
        """
        wanted = set(layers)
        names = [stage.name for stage in self.stages()]
        for name in wanted:
            self._position(names, name)
        kept: dict[str, State] = {}
        for stage in self.stages():
            if not finish and len(kept) == len(wanted):
                break
            state = stage.run(state)
            if stage.name in wanted:
                kept[stage.name] = state
        return state, {name: kept[name] for name in layers}

    def _position(self, names: Sequence[str], layer: str) -> int:
        if layer not in self.layers:
            raise NetworkError(
                f"{self.family} has no layer {layer!r}{nearest(layer, self.layers)} "
                f"It has {', '.join(self.layers)}."
            )
        return names.index(layer)


def noise_seeds(noise: Noise, count: int) -> list[int] | None:
    """One seed a row for seeded noise, None for "const" and "none".

    Raises:
        NetworkError: `noise` is none of the accepted forms, or the sequence's length is not `count`.
    """
    if isinstance(noise, str):
        if noise not in ("const", "none"):
            raise NetworkError(f"noise={noise!r}: expected 'const', 'none', an int, or one int a sample.")
        return None
    if isinstance(noise, int | np.integer):
        return [int(noise) + row for row in range(count)]
    if len(noise) != count:
        raise NetworkError(f"noise: {len(noise)} seeds for {count} samples.")
    return [int(seed) for seed in noise]


def count_parameters(network: nn.Module) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def edited(state: State, x: Tensor, **more: Any) -> State:
    """A copy of `state` with another running activation."""
    return {**state, "x": x, **more}


def chosen_rows(states: Sequence[Any], places: Sequence[tuple[int, int]], rows: int) -> Any:
    """A state (or a part of it) of chosen rows of others, which have `rows` rows each.

    Args:
        states: of one network, made alike.
        places: (number of a state, its row) for each row of the result.
        rows: what is no tensor of so many rows belongs to no row, and is the first state's.
    """
    first = states[0]
    if isinstance(first, Tensor):
        apart = first.dim() > 0 and first.shape[0] == rows
        return torch.stack([states[number][row] for number, row in places]) if apart else first
    if isinstance(first, Mapping):
        return {key: chosen_rows([each[key] for each in states], places, rows) for key in first}
    if isinstance(first, tuple | list):
        return type(first)(chosen_rows(each, places, rows) for each in zip(*states, strict=True))
    return first


def as_rgb(image: Tensor) -> Tensor:
    """Pictures [N,1,H,W] or [N,3,H,W] as [N,3,H,W]: grey ones get three equal channels."""
    return image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image


def require(tensors: Mapping[str, Any], name: str) -> Any:
    """`tensors[name]`, or a `NetworkError` that names what is missing."""
    if name not in tensors:
        raise NetworkError(f"tensor {name!r} is missing")
    return tensors[name]
