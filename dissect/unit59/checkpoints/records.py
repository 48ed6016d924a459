"""Inert stand-ins for the objects of a pickle, and how to read a pickled `torch.nn.Module` through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from unit59.checkpoints.base import CheckpointError

#: A pickled module tree larger or deeper than this, or with more of one kind in one module, is damage or an
#: attack (a module can be its own parts' part many times over), never a network.
MAX_MODULES, MAX_MODULE_DEPTH, MAX_PARTS = 2_000, 32, 1_000


@dataclass(eq=False)
class PickledObject:
    """An object of a class that a published format uses, as data: nothing of the class was imported or run.

    Attributes:
        qualified_name: the class as the file names it: ``dnnlib.tflib.network.Network``, or
            ``torch_utils.persistence:Generator`` for the classes whose source StyleGAN2-ADA and
            StyleGAN3 files embed (and which is never looked at).
        args: what the pickle passed to its constructor.
        state: its ``__dict__`` (or whatever it pickled instead).
    """

    qualified_name: str
    args: tuple[Any, ...] = ()
    state: Any = None

    def get(self, name: str, default: Any = None) -> Any:
        """The attribute `name` of the pickled object, or `default`."""
        return self.state.get(name, default) if isinstance(self.state, dict) else default

    def children(self) -> dict[str, PickledObject]:
        """The direct submodules of a pickled `nn.Module`, in its order."""
        return {name: child for name, child in self._table("_modules") if isinstance(child, PickledObject)}

    def tensors(self) -> dict[str, Tensor]:
        """The parameters and buffers of a pickled `nn.Module`, named as in its state dict.

        Raises:
            CheckpointError: the module tree is absurdly large or deep.
        """
        found: dict[str, Tensor] = {}
        for prefix, module in self.modules():
            for table in ("_parameters", "_buffers"):
                found.update(
                    (prefix + name, value)
                    for name, value in module._table(table)
                    if isinstance(value, Tensor)
                )
        return found

    def modules(self) -> Iterator[tuple[str, PickledObject]]:
        """This module and all below it, as (prefix ending in a dot, module).

        Raises:
            CheckpointError: the module tree is absurdly large or deep.
        """
        waiting = [("", self, 0)]
        count = 0
        while waiting:
            prefix, module, depth = waiting.pop()
            count += 1
            if count > MAX_MODULES or depth > MAX_MODULE_DEPTH:
                raise CheckpointError(f"{self.qualified_name}: too many modules, or nested too deeply")
            yield prefix, module
            waiting += [
                (f"{prefix}{name}.", child, depth + 1) for name, child in reversed(module.children().items())
            ]

    def _table(self, name: str) -> list[tuple[str, Any]]:
        table = self.get(name)
        if not isinstance(table, dict):
            return []
        if len(table) > MAX_PARTS:
            raise CheckpointError(f"{self.qualified_name}: {len(table)} {name}, more than any network has")
        return [(key, value) for key, value in table.items() if isinstance(key, str) and len(key) < 256]
