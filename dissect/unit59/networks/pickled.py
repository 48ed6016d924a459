"""The generator in a StyleGAN2-ADA or StyleGAN3 pickle: its modules and their attributes, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from unit59.checkpoints import Checkpoint
from unit59.checkpoints.records import PickledObject
from unit59.networks.base import NetworkError

#: Attributes that are arrays hold a size or a padding; nothing that a network needs is longer.
_MAX_ARRAY = 16
#: The names of StyleGAN3's layers are the longest list, and its kernels' source no attribute that is read.
_MAX_LIST, _MAX_TEXT = 128, 100


@dataclass(frozen=True)
class PickledModule:
    """A pickled `nn.Module` and where it stands, e.g. ``synthesis.b8.conv0``."""

    record: PickledObject
    path: str = ""

    def child(self, name: str) -> PickledModule:
        """A direct submodule.

        Raises:
            NetworkError: there is none of that name.
        """
        path = f"{self.path}.{name}".lstrip(".")
        record = self.record.children().get(name)
        if record is None:
            raise NetworkError(f"module {path!r} is missing")
        return PickledModule(record, path)

    def read(self, name: str) -> Any:
        """An attribute, numpy's scalars and arrays turned into Python's numbers and lists.

        Raises:
            NetworkError: there is none of that name, or it is neither a short text or number nor a list of
                such: a file's containers can share parts so that printing or comparing them never ends.
        """
        state = self.record.state
        if not isinstance(state, Mapping) or name not in state:
            raise NetworkError(f"attribute {self._full(name)!r} is missing")
        value = state[name]
        if isinstance(value, np.ndarray | np.generic):
            if value.size > _MAX_ARRAY:
                raise NetworkError(f"attribute {self._full(name)!r} is an array of {value.size} numbers")
            value = value.tolist()
        parts = value if isinstance(value, list | tuple) and len(value) <= _MAX_LIST else [value]
        if not all(_is_plain(part) for part in parts):
            raise NetworkError(f"attribute {self._full(name)!r} is no short text or number, or list of such")
        return value

    def read_side(self, name: str) -> Any:
        """An attribute that is a size: one number, or the same one for width and height.

        Raises:
            NetworkError: it is missing, or the two differ.
        """
        value = self.read(name)
        if not isinstance(value, list):
            return value
        if len(value) != 2 or value[0] != value[1]:
            raise NetworkError(f"attribute {self._full(name)!r} is {value}; only square maps are supported")
        return value[0]

    def _full(self, name: str) -> str:
        return f"{self.path}.{name}".lstrip(".")


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63)


def find_generator(checkpoint: Checkpoint) -> PickledModule | None:
    """The pickled generator: the averaged one (G_ema) of an official file, or a file that holds one alone."""
    content = checkpoint.content
    record = content.get("G_ema") if isinstance(content, dict) else content
    if isinstance(record, PickledObject) and {"mapping", "synthesis"} <= record.children().keys():
        return PickledModule(record)
    return None


def the_generator(checkpoint: Checkpoint) -> PickledModule:
    """The same, where there has to be one.

    Raises:
        NetworkError: there is none.
    """
    generator = find_generator(checkpoint)
    if generator is None:
        raise NetworkError("the file holds no pickled generator")
    return generator


def uniform(modules: Iterable[PickledModule], name: str) -> Any:
    """An attribute that has to be the same in all of `modules`.

    Raises:
        NetworkError: it is missing somewhere, or differs.
    """
    values = [(module.path, module.read(name)) for module in modules]
    first_path, first = values[0]
    for path, value in values:
        if type(value) is not type(first) or value != first:
            raise NetworkError(
                f"attribute '{path}.{name}' is {value!r}, but '{first_path}.{name}' is {first!r}"
            )
    return first
