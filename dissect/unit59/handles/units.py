"""The units of one layer under one handle; what a user's own handle gives is checked at every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from unit59.foundation.own_code import own_calls
from unit59.handles.base import Handle, HandleError
from unit59.handles.channels import Channel
from unit59.networks import Layer, Network, State
from unit59.store import key_of

_T = TypeVar("_T")
#: Of a layer: each has a page and pictures of its own.
MOST_UNITS = 65_536


@dataclass(frozen=True)
class Units:
    """The units of one layer under one handle.

    Attributes:
        shown: name, number of units, size and place, as results and pages have them.
        layer: the network's.
        handle: what a unit is.
        beside: see `Handle.beside`.
    """

    shown: Layer
    layer: Layer
    handle: Handle
    beside: str | None = None

    @property
    def name(self) -> str:
        """In the results."""
        return self.shown.name

    @property
    def count(self) -> int:
        """How many."""
        return self.shown.units

    @cached_property
    def key(self) -> str:
        """Hash of what they are: of which layer, under which handle."""
        handle = self.handle
        if handle == Channel():
            return key_of(layer=self.layer.name)
        return key_of(
            layer=self.layer.name,
            handle=f"{type(handle).__module__}.{type(handle).__qualname__}",
            version=handle.version,
            code=handle.own.fingerprint if handle.own else "",
            settings=handle.model_dump(mode="json", exclude={"layers"}),
        )

    def read(self, network: Network, state: State) -> Tensor:
        """Their values [N,U,a,b], see `Handle.read`.

        Raises:
            HandleError: a user's own raised, or gave something else; likewise below.
        """
        values = _asked(self.handle, self.layer, "read", lambda: self.handle.read(network, self.layer, state))
        if self.handle.own:
            if not (_is_plain(values) and values.dim() == 4):
                raise self._fail("read", values, "dense maps, float32 [samples, units, h, w]")
            expected = [len(state.get("x", values)), self.count, *values.shape[2:]]
            if self.handle.maps:
                expected[2:] = self.layer.height, self.layer.width
            if list(values.shape) != expected:
                raise self._fail("read", values, str(expected))
        return values

    def write(self, network: Network, state: State, old: Tensor, new: Tensor) -> State:
        """The state with other values, see `Handle.write`."""
        handle, layer = self.handle, self.layer
        changed = _asked(handle, layer, "write", lambda: handle.write(network, layer, state, old, new))
        if handle.own:
            if not isinstance(changed, Mapping) or not changed.keys() >= state.keys():
                raise self._fail("write", changed, "the state with other values")
            if "x" in state:
                x, shape = changed["x"], state["x"].shape
                if not _is_plain(x) or x.shape != shape:
                    raise self._fail("write", x, f"float32 {list(shape)} as its `x`")
                self._check_finite("write", x)
        return changed

    def silent(self, usual: Tensor) -> Tensor:
        """The values [U,a,b] at which nothing passes, see `Handle.silent`."""
        return self._level("silent", self.handle.silent, usual)

    def shifted(self, step: Tensor) -> Tensor:
        """The part of a step [U,a,b] that a shift moves, see `Handle.shifted`."""
        return self._level("shifted", self.handle.shifted, step)

    def _level(self, what: str, method: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
        level = _asked(self.handle, self.layer, what, lambda: method(given))
        if not isinstance(level, Tensor) or level.shape != given.shape:
            raise self._fail(what, level, str(list(given.shape)))
        self._check_finite(what, level)
        return level

    def _check_finite(self, what: str, values: Tensor) -> None:
        if self.handle.own and not bool(torch.isfinite(values).all()):
            who = _who(self.handle, self.layer)
            raise HandleError(f"{who}: {what} returned values that are not finite (NaN or infinite).")

    def _fail(self, what: str, got: Any, expected: str) -> HandleError:
        said = f"{got.dtype} {list(got.shape)}" if isinstance(got, Tensor) else type(got).__name__
        return HandleError(f"{_who(self.handle, self.layer)}: {what} returned {said}, expected {expected}.")


def units_of(network: Network, layer: Layer, handle: Handle, name: str) -> Units:
    """The units of a layer under a handle.

    Args:
        network: that has the layer.
        layer: one of its layers.
        handle: what a unit is.
        name: what they are called in the results.

    Raises:
        HandleError: the layer has no units of this kind.
    """
    count = count_units(network, layer, handle)
    if not count:
        raise HandleError(f"layer {layer.name} of this {network.family} has no {handle.title} units.")
    place = layer.path if name == layer.name else f"{layer.path} ({handle.title})"
    shown = Layer(name, layer.number, count, layer.height, layer.width, place, layer.margin)
    beside = _asked(handle, layer, "beside", lambda: handle.beside(network, layer))
    if beside is not None and not (isinstance(beside, str) and beside in network.layers):
        raise HandleError(f"{_who(handle, layer)}: beside returned {beside!r}, expected a layer or None.")
    return Units(shown, layer, handle, beside)


def count_units(network: Network, layer: Layer, handle: Handle) -> int:
    """How many units a layer has under a handle; 0 where it has none of the kind.

    Raises:
        HandleError: a user's own raised, or gave no such number.
    """
    count = _asked(handle, layer, "units", lambda: handle.units(network, layer))
    if type(count) is not int or not 0 <= count <= MOST_UNITS:
        raise HandleError(
            f"{_who(handle, layer)}: units returned {count!r}, expected a number from 0 to {MOST_UNITS}."
        )
    return count


def _is_plain(values: Any) -> bool:
    if not isinstance(values, Tensor) or values.is_meta:
        return False
    return values.dtype == torch.float32 and values.layout == torch.strided


def _asked(handle: Handle, layer: Layer, what: str, call: Callable[[], _T]) -> _T:
    """What a handle gives; what a user's own raises is said in a sentence, with its line."""
    if handle.own is None:
        return call()
    with own_calls(HandleError, f"{_who(handle, layer)}: {what}", handle.own.root):
        return call()


def _who(handle: Handle, layer: Layer) -> str:
    return f"handle {handle.own.spec if handle.own else handle.title}, layer {layer.name}"
