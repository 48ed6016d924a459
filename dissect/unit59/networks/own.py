"""A network of your own: any `torch.nn.Module`, named by ``package.module:factory``, through hooks.

The contract. ``factory()`` takes nothing and returns an `nn.Module` with its weights loaded. Attributes of
the module (or else of the factory) say what it takes:

``latent_size``
    an int: ``module(z)`` with z [N, latent_size]. Or
``image_size``
    (height, width): ``module(x)`` with pictures [N,3,height,width] in [-1,1].
``label_size``
    an int, optional: the module is called as ``module(z, labels)`` with labels [N, label_size].
``layers``
    a list of names of submodules, optional: what can be dissected. By default every `nn.Conv2d` and
    `nn.ConvTranspose2d` that runs exactly once in a pass.

The module returns pictures [N,1 or 3,H,W]. A layer's activation is the output [N,units,h,w] of its submodule,
before whatever follows changes it in place. Random draws inside the module are the same in every pass.

A factory may also return a `Network` of its own making: a new family, with stages and with a sampling of its
own (`Network.SAMPLING`). It is used as it is.

Running on from a layer repeats the module's forward pass with the outputs of that layer, and of the layers
before it, replaced by those in the state. That is exact for any module, and costs one pass an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unit59.foundation.own_code import OwnCode, find_own, is_own, own_calls
from unit59.foundation.printable import is_printable
from unit59.networks.base import Batch, Layer, Network, NetworkError, Stage, State, as_rgb
from unit59.networks.inputs import label_vectors, latent_codes
from unit59.networks.sampling import Labelled
from unit59.results.record import NAME_RULE, is_name


def load(
    spec: str,
    *,
    latent_size: int | None = None,
    image_size: tuple[int, int] | None = None,
    label_size: int | None = None,
    layers: Sequence[str] | None = None,
    folder: Path | None = None,
) -> Network:
    """Import the factory that `spec` names, call it, and wrap what it makes, if that is no `Network`.

    This runs the user's own code because the user named it; see `unit59.foundation.own_code` for what may be
    named. A checkpoint never comes here.

    Args:
        spec: ``package.module:factory``.
        latent_size: in place of the attribute; likewise `image_size`, `label_size` and `layers`.
        image_size: (height, width).
        label_size: 0 for none.
        layers: names of submodules.
        folder: below which the module is found; see `find_own`.

    Raises:
        NetworkError: the module cannot be imported or made, or does not keep the contract.
    """
    own = _find(spec, folder)
    factory = own.found
    with own_calls(NetworkError, f"{spec}: the factory raised", own.root):
        module = factory()
    if not isinstance(module, nn.Module):
        raise NetworkError(f"{spec}: the factory made a {type(module).__name__}, expected a torch.nn.Module.")

    if isinstance(module, Network):
        with own_calls(NetworkError, f"{spec}: its layers", own.root):
            _check_layers(module.layers, spec)
        module.code = own.fingerprint
        _guard(module, spec, own.root)
        return module.requires_grad_(False).eval()

    def given(name: str, value: Any, default: Any = None) -> Any:
        if value is not None:
            return value
        return getattr(module, name, getattr(factory, name, default))

    with own_calls(NetworkError, spec, own.root):
        network = OwnNetwork(
            module,
            latent_size=given("latent_size", latent_size),
            image_size=given("image_size", image_size),
            label_size=given("label_size", label_size, 0),
            layers=given("layers", layers),
            name=spec,
            root=own.root,
        )
    network.code = own.fingerprint
    return network


def _guard(network: Network, name: str, root: Path) -> None:
    """A network of the user's own making: what its passes raise, whoever asks for them, is one message."""
    start, stages = network.start, network.stages

    def guarded(call: Callable[[Any], State]) -> Callable[[Any], State]:
        def run(given: Any) -> State:
            with own_calls(NetworkError, f"{name}: a pass raised", root):
                return call(given)

        return run

    def guarded_stages() -> list[Stage]:
        return [replace(stage, run=guarded(stage.run)) for stage in stages()]

    # Of this object only: the class is the user's.
    network.__dict__.update(start=guarded(start), stages=guarded_stages)


class OwnNetwork(Network):
    """Any module as a network of named stages; see this file's text for the contract.

    Args:
        module: makes pictures; it is put into evaluation mode.
        latent_size: length of z, or None.
        image_size: (height, width) of the pictures that it takes, or None.
        label_size: length of the label vector, 0 for none.
        layers: names of submodules; None for every convolution that runs once.
        name: for messages.
        root: below it lies the code, whose lines messages name.

    Raises:
        NetworkError: the contract is not kept.
    """

    family = "own"
    SAMPLING = Labelled

    def __init__(
        self,
        module: nn.Module,
        *,
        latent_size: int | None = None,
        image_size: tuple[int, int] | None = None,
        label_size: int = 0,
        layers: Sequence[str] | None = None,
        name: str = "network",
        root: Path | None = None,
    ) -> None:
        super().__init__()
        self._name, self._root, self.module = name, root, module.eval()
        if not _is_size(label_size, least=0) or (latent_size is None) == (image_size is None):
            raise NetworkError(f"{name}: exactly one of latent_size and image_size says what it takes.")
        sizes = (latent_size,) if image_size is None else tuple(image_size)
        if len(sizes) != (1 if image_size is None else 2) or not all(_is_size(size) for size in sizes):
            raise NetworkError(
                f"{name}: latent_size is a number, image_size is (height, width), got {sizes}."
            )
        self.takes = "latent" if image_size is None else "image"
        self.latent_size, self.label_size = latent_size or 0, label_size
        self._input_shape = sizes if image_size is None else (3, *sizes)
        self._candidates = self._named(layers)
        self._found, self.resolution = self._probe(required=layers is not None)
        _check_layers(self._found, name)
        for key in module.state_dict():
            if not is_printable(key):
                raise NetworkError(
                    f"{name}: the weight {key!r} has a character in its name that cannot be shown."
                )

    def describe(self) -> Iterable[Layer]:
        """The layers in the order in which they run."""
        for number, (name, (_, units, height, width)) in enumerate(self._found.items()):
            yield Layer(name, number, units, height, width, name)

    def start(self, batch: Batch) -> State:
        """The inputs; truncation and noise are the module's own affair."""
        inputs = batch.inputs
        like = next(iter(self.module.parameters()), inputs)
        if self.takes == "latent":
            inputs = latent_codes(inputs, self.latent_size, like)
        elif inputs.shape[1:] != self._input_shape:
            shape = ", ".join(map(str, self._input_shape))
            raise NetworkError(f"{self._name} takes pictures [N, {shape}], got {list(inputs.shape)}.")
        vectors = label_vectors(batch.labels, len(inputs), self.label_size, like)
        arguments = (inputs.to(like.device, torch.float32),) + (() if vectors is None else (vectors,))
        return {"arguments": arguments, "fixed": {}, "ahead": {}}

    def stages(self) -> Sequence[Stage]:
        """One stage a layer, then the picture."""
        names = list(self.layers)
        before = [None, *names]
        stages = [Stage(name, self._stage(before[number], name)) for number, name in enumerate(names)]
        return [*stages, Stage("output", self._stage(before[-1], None), layer=False)]

    def _stage(self, previous: str | None, name: str | None) -> Callable[[State], State]:
        """The stage between layers `previous` and `name` (None: the input, the picture).

        ``fixed`` holds the layers so far, ``ahead`` what the last pass gave for the layers to come: it
        stays good until someone edits ``x``, and then one more pass replaces it.
        """

        def run(state: State) -> State:
            fixed, ahead = dict(state["fixed"]), state["ahead"]
            if previous is not None:
                fixed[previous] = state["x"]
            if not ahead or (previous is not None and ahead.get(previous) is not state["x"]):
                ahead = self._pass(state["arguments"], fixed)
            key = "x" if name is not None else "image"
            return {**state, "fixed": fixed, "ahead": ahead, key: ahead[name]}

        return run

    def _pass(self, arguments: tuple[Tensor, ...], fixed: Mapping[str, Tensor]) -> dict[str | None, Tensor]:
        """Every layer's output and, under None, the picture; the outputs in `fixed` replace the module's."""
        seen: dict[str | None, Tensor] = dict(fixed.items())
        count = len(arguments[0])

        def hook(name: str) -> Callable[[nn.Module, Any, Any], Tensor]:
            def record(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
                if name in fixed:
                    return fixed[name].clone()  # what follows may work in place
                self._check_maps(name, output, (count, *self._found[name][1:]))
                seen[name] = output.clone()
                return output

            return record

        with (
            self._hooked({name: hook(name) for name in self._found}),
            _same_draws(arguments[0]),
            own_calls(NetworkError, f"{self._name}: a pass raised", self._root),
        ):
            image = self.module(*(argument.clone() for argument in arguments))
        self._check_picture(image, count)
        missing = [name for name in self._found if name not in seen]
        if missing:
            raise NetworkError(f"{self._name}: {missing[0]} ran in the first pass but not in this one.")
        seen[None] = as_rgb(image)
        return seen

    def _check_maps(self, name: str, output: Any, shape: tuple[int, ...]) -> None:
        """Refuse what no layer gives; `shape` is what the first pass gave, of as many samples as asked."""
        if not isinstance(output, Tensor) or output.dtype != torch.float32:
            what = output.dtype if isinstance(output, Tensor) else type(output).__name__
            raise NetworkError(
                f"{self._name}: layer {name} gives {what}, expected torch.float32 (`module.float()`)."
            )
        if tuple(output.shape) != shape:
            raise NetworkError(
                f"{self._name}: layer {name} gives {list(output.shape)} for {shape[0]} samples, expected "
                f"{list(shape)}: the first dimension counts samples, the others are the same in every pass."
            )

    def _check_picture(self, image: Any, count: int) -> None:
        if not isinstance(image, Tensor) or image.dim() != 4 or image.shape[1] not in (1, 3):
            raise NetworkError(f"{self._name}: the module returned no pictures [N, 1 or 3, H, W].")
        if image.dtype != torch.float32:
            raise NetworkError(
                f"{self._name}: the module returned {image.dtype}, expected torch.float32 in [-1, 1]."
            )
        if len(image) != count or (self._found and tuple(image.shape[2:]) != self.resolution):
            size = list(self.resolution) if self._found else ["H", "W"]
            raise NetworkError(
                f"{self._name}: the module returned {list(image.shape)} for {count} samples, "
                f"expected [{count}, 1 or 3, {size[0]}, {size[1]}]."
            )

    def _named(self, layers: Sequence[str] | None) -> dict[str, nn.Module]:
        modules = dict(self.module.named_modules())
        if layers is None:
            kinds = (nn.Conv2d, nn.ConvTranspose2d)
            return {name: module for name, module in modules.items() if isinstance(module, kinds) and name}
        if isinstance(layers, str) or not isinstance(layers, Sequence):
            raise NetworkError(
                f"{self._name}: `layers` lists names of submodules, it is a {type(layers).__name__}."
            )
        for name in layers:
            if name not in modules:
                raise NetworkError(f"{self._name}: there is no submodule {name!r}.")
        return {name: modules[name] for name in layers}

    @torch.no_grad()
    def _probe(self, required: bool) -> tuple[dict[str, tuple[int, ...]], tuple[int, int]]:
        """One pass that finds the layers' order and shapes, and the size of the picture."""
        shapes: dict[str, list[tuple[int, ...] | None]] = {}
        faults: dict[str, NetworkError] = {}

        def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
            def record(_module: nn.Module, _inputs: Any, output: Any) -> None:
                shape = tuple(output.shape) if isinstance(output, Tensor) and output.dim() == 4 else None
                try:
                    self._check_maps(name, output, (count, *(shape or (0, 0, 0, 0))[1:]))
                except NetworkError as fault:
                    shape, faults[name] = None, fault
                shapes.setdefault(name, []).append(shape)

            return record

        self._found = {}
        like = next(iter(self.module.parameters()), torch.zeros(()))
        count = 2
        inputs = torch.zeros(count, *self._input_shape, device=like.device)
        labels = torch.zeros(count, self.label_size, device=like.device) if self.label_size else None
        with self._hooked({name: hook(name) for name in self._candidates}):
            image = self._pass(self.start(Batch(inputs, labels))["arguments"], {})[None]
        found = {name: calls[0] for name, calls in shapes.items() if len(calls) == 1}
        maps = {name: shape for name, shape in found.items() if shape is not None}
        lost = [name for name in self._candidates if name not in maps]
        if lost and required:
            calls = len(shapes.get(lost[0], []))
            if calls == 1:
                raise faults[lost[0]]
            raise NetworkError(f"{self._name}: {lost[0]} runs {calls} times in a pass; a layer runs once.")
        if not maps:
            raise NetworkError(f"{self._name}: no convolution runs exactly once; name the layers.")
        return maps, (image.shape[2], image.shape[3])

    @contextmanager
    def _hooked(self, hooks: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        handles = [self._candidates[name].register_forward_hook(hook) for name, hook in hooks.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def _same_draws(like: Tensor) -> Iterator[None]:
    """Random numbers inside are the same every time, and those outside are as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[like.device] if like.is_cuda else []):
        torch.manual_seed(0)
        yield


def _check_layers(names: Iterable[str], who: str) -> None:
    """Refuse layers' names that no folder or address can have, and names that differ in capitals alone."""
    known: dict[str, str] = {}
    for name in names:
        if not is_name(name):
            raise NetworkError(
                f"{who}: the layer {name!r} is no name for a folder and an address ({NAME_RULE}). Rename it, "
                "or leave it out of `layers`."
            )
        if (other := known.setdefault(name.lower(), name)) != name:
            raise NetworkError(
                f"{who}: the layers {other!r} and {name!r} are one name in files and addresses; rename one, "
                "or leave it out of `layers`."
            )


def _is_size(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _find(spec: str, folder: Path | None) -> OwnCode:
    if not is_own(spec):
        raise NetworkError(f"{spec}: expected package.module:factory.")
    own = find_own(spec, folder, NetworkError, spec, "unit59.networks")
    if isinstance(own.found, type) and not issubclass(own.found, nn.Module):
        raise NetworkError(f"{spec}: the class is no torch.nn.Module; name such a class, or a function.")
    return own
