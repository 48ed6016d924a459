"""A device that is none: its tensors lie in memory, and refuse whatever a GPU's tensors refuse.

So a machine without a GPU can tell whether anything is left on the wrong side: numpy is asked for a tensor
that is not in memory, or an operation meets tensors of both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

NAME = "xla"
DEVICE = torch.device(NAME)

_ANYWHERE = {Tensor.__getitem__, Tensor.__setitem__, Tensor.copy_, torch._has_compatible_shallow_copy_type}


class There(Tensor):
    """A tensor that says it is on the device."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func == Tensor.device.__get__:
            return DEVICE
        if func in {Tensor.numpy, Tensor.__array__, Tensor.data_ptr}:
            raise TypeError("can't convert a tensor of the pretended device to numpy")
        if func is Tensor.__iter__:
            return iter(_marked(here(args[0]).unbind()))
        if func is Tensor.cpu:
            return here(args[0]).clone()
        if func is Tensor.to:
            return _moved(args[0], args[1:], named)
        if func not in _ANYWHERE:
            _check(func, [*args, *named.values()])
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **named)
        return _marked(found)


class Pretending(TorchFunctionMode):
    """Factories and moves that name the device give its tensors."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func is Tensor.to:
            return _moved(args[0], args[1:], named)
        if _is_device(named.get("device")):
            del named["device"]
            learnt = named.pop("requires_grad", False)
            made = _marked(func(*args, **named))
            return made.requires_grad_() if learnt else made
        return func(*args, **named)


def _is_device(value: Any) -> bool:
    return value is not None and str(value).partition(":")[0] == NAME


def _moved(x: Tensor, args: Sequence[Any], named: dict[str, Any]) -> Tensor:
    rest: list[Any] = [arg for arg in args if isinstance(arg, torch.dtype | Tensor)]
    where = named.pop("device", next((arg for arg in args if isinstance(arg, str | torch.device)), None))
    if rest and isinstance(rest[0], Tensor):
        where = DEVICE if isinstance(rest[0], There) else "cpu"
        rest[0] = rest[0].dtype
    there = isinstance(x, There) if where is None else _is_device(where)
    named.pop("non_blocking", None)
    moved = here(x).to(*rest, **named) if rest or named else here(x)
    return _marked(moved) if there else moved


def here(x: Tensor) -> Tensor:
    """The same in memory."""
    with torch._C.DisableTorchFunctionSubclass():
        return x.as_subclass(Tensor)


def _marked(value: Any) -> Any:
    if isinstance(value, Tensor) and not isinstance(value, There):
        with torch._C.DisableTorchFunctionSubclass():
            return value.as_subclass(There)
    if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
        return type(value)([_marked(each) for each in value])
    return value


def _check(func: Callable[..., Any], values: Sequence[Any]) -> None:
    found: list[Tensor] = []
    for value in values:
        found += [
            each for each in (value if isinstance(value, tuple | list) else [value]) if torch.is_tensor(each)
        ]
    if any(not isinstance(each, There) and each.dim() > 0 for each in found):
        raise RuntimeError(f"{func}: expected all tensors to be on the same device")


@contextmanager
def pretended() -> Iterator[str]:
    """The name of the device, which exists inside."""
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        with Pretending():
            yield NAME
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
