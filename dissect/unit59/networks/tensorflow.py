"""The networks in NVIDIA's TensorFlow pickles, as the reader leaves them: inert records of variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unit59.checkpoints import Checkpoint, PickledObject
from unit59.networks.base import NetworkError
from unit59.networks.weights import MAX_RESOLUTION

NETWORK_CLASSES = ("dnnlib.tflib.network.Network", "tfutil.Network")


@dataclass(frozen=True)
class Pickled:
    """One network of such a file.

    Attributes:
        options: the keyword arguments that it was built with (only those that differ from the defaults).
        variables: its own arrays by local name, e.g. ``8x8/Conv1/weight``.
        components: the networks inside it, e.g. ``mapping``.
    """

    options: Mapping[str, Any]
    variables: Mapping[str, Any]
    components: Mapping[str, Pickled]

    @property
    def resolution(self) -> int:
        """Side of the largest block that any variable belongs to; 0 if there is none.

        Raises:
            NetworkError: beyond `MAX_RESOLUTION`.
        """
        sides = [int(match[1]) for name in self.variables if (match := re.match(r"(\d{1,9})x\1/", name))]
        if max(sides, default=0) > MAX_RESOLUTION:
            raise NetworkError(f"a resolution of {max(sides)}")
        return max(sides, default=0)


def averaged_generator(checkpoint: Checkpoint) -> Pickled | None:
    """`Gs` of (G, D, Gs), the generator with averaged weights; or the only network of the file."""
    content = checkpoint.content
    record = content[2] if isinstance(content, tuple | list) and len(content) == 3 else content
    return _unpack(record, depth=0) if _is_network(record) else None


def block_sides(resolution: int) -> Iterable[int]:
    """4, 8, … up to `resolution`.

    Raises:
        NetworkError: `resolution` is no such power of two.
    """
    if resolution < 4 or resolution & (resolution - 1):
        raise NetworkError(f"a resolution of {resolution} is no power of two from 4 on")
    return [2**power for power in range(2, resolution.bit_length())]


def _is_network(record: Any) -> bool:
    return isinstance(record, PickledObject) and record.qualified_name in NETWORK_CLASSES


def _unpack(record: PickledObject, depth: int) -> Pickled:
    options, parts = record.get("static_kwargs"), record.get("components")
    return Pickled(
        options=options if isinstance(options, dict) else {},
        variables=_variables(record.get("variables")),
        components={
            name: _unpack(parts[name], depth + 1)
            for name in ("mapping", "synthesis")
            if isinstance(parts, dict) and _is_network(parts.get(name)) and depth < 2
        },
    )


def _variables(pairs: Any) -> dict[str, Any]:
    return {
        pair[0]: pair[1]
        for pair in (pairs if isinstance(pairs, list | tuple) else [])
        if isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str)
    }
