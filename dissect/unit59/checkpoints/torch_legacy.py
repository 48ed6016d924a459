"""`torch.save` before its zip files: pickles for magic, protocol, system, content and keys, then raw numbers.

StyleGAN2-ADA and StyleGAN3 nest one such stream per tensor in their pickles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from unit59.checkpoints.base import CheckpointError, RefusedError
from unit59.checkpoints.inert import Known
from unit59.checkpoints.limits import Budget
from unit59.checkpoints.tensors import Storage, persistent_storage, storage_of
from unit59.checkpoints.unpickle import Unpickler

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


@dataclass
class _Storages:
    """The storages of a stream: first what the content's persistent ids say, then with their numbers."""

    sizes: dict[str, tuple[torch.dtype, int]] = field(default_factory=dict)
    loaded: dict[str, Storage] | None = None

    def resolve(self, identity: Any) -> Storage:
        dtype, key, count, part = persistent_storage(identity)
        if self.loaded is None:
            if self.sizes.setdefault(key, (dtype, count)) != (dtype, count):
                raise RefusedError(f"storage {key!r} has two types or sizes")
            whole = Storage(dtype, count)
        else:
            whole = self.loaded[key]
        if part is None:
            return whole
        _, offset, length = part
        if offset + length > count:
            raise RefusedError(f"a view of storage {key!r} reaches outside it")
        if whole.data is None:
            return Storage(dtype, length)
        size = dtype.itemsize
        return Storage(dtype, length, memoryview(whole.data)[offset * size : (offset + length) * size])


def read_stream(source: str, view: memoryview, known: dict[str, Known], budget: Budget) -> Any:
    """The object in a legacy stream.

    The content is unpickled twice: its tensors need the numbers, which follow it in an order and of
    sizes that only it gives.

    Raises:
        CheckpointError: the stream is damaged, truncated or hostile.
    """
    storages = _Storages()
    plain = Unpickler(source, view, {}, budget)
    content = Unpickler(source, view, known, budget, storages.resolve)
    magic, position = plain.load()
    protocol, position = plain.load(position)
    if magic != MAGIC or protocol != PROTOCOL:
        raise CheckpointError(f"{source}: not a torch stream of protocol {PROTOCOL}")
    _, start = plain.load(position)  # the writer's word sizes; numbers are little-endian whatever they were
    _, position = content.load(start)
    keys, position = plain.load(position)
    try:
        storages.loaded = _numbers(view, position, keys, storages.sizes)
    except RefusedError as error:
        raise CheckpointError(f"{source}: {error}") from None
    return content.load(start)[0]


def _numbers(
    view: memoryview, position: int, keys: Any, sizes: dict[str, tuple[torch.dtype, int]]
) -> dict[str, Storage]:
    """Each key's int64 count and raw numbers, from byte `position` on."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise RefusedError("the list of storages is malformed")
    if set(keys) != set(sizes) or len(keys) != len(sizes):
        raise RefusedError("the storages that the file holds are not those that its content uses")
    loaded = {}
    for key in keys:
        dtype, count = sizes[key]
        if int.from_bytes(view[position : position + 8], "little") != count or position + 8 > len(view):
            raise RefusedError(f"storage {key!r} does not hold the {count} numbers that its tensors need")
        start, position = position + 8, position + 8 + count * dtype.itemsize
        loaded[key] = storage_of(dtype, count, view[start:position])
    return loaded
