"""PyTorch's storages and tensors as their pickles spell them, rebuilt as views of the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unit59.checkpoints.arrays import Bytes, raw_bytes, sizes_of, whole_numbers
from unit59.checkpoints.base import RefusedError
from unit59.checkpoints.inert import Known

#: Storage classes by what the file calls them.
DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.uint8,  # a byte other than 0 and 1 would be no boolean
    "torch.storage.UntypedStorage": torch.uint8,
}
#: An expanded tensor repeats its storage; beyond this it claims memory that the file does not hold.
_MAX_REPEATED = 1 << 16


@dataclass(frozen=True)
class Storage:
    """A flat run of numbers.

    Attributes:
        dtype: of the numbers.
        count: how many.
        data: their bytes; None while only the sizes are being read.
    """

    dtype: torch.dtype
    count: int
    data: Bytes | None = None

    def flat(self) -> Tensor:
        """The numbers [count], without a copy where the file's bytes can be used as they are."""
        if not self.count or self.data is None:
            return torch.empty(0, dtype=self.dtype)
        data = bytearray(self.data) if memoryview(self.data).readonly else self.data
        return torch.frombuffer(data, dtype=self.dtype, count=self.count)


def storage_of(dtype: torch.dtype, count: int, data: Any, *, big_endian: bool = False) -> Storage:
    """A storage over exactly `count` numbers of `data`.

    Raises:
        RefusedError: `data` is longer or shorter.
    """
    raw = raw_bytes(data, "storage")
    if len(raw) != count * dtype.itemsize:
        raise RefusedError(
            f"a storage of {count} numbers needs {count * dtype.itemsize} bytes, found {len(raw)}"
        )
    if big_endian and dtype.itemsize > 1:
        swapped = torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(-1, dtype.itemsize).flip(1)
        raw = swapped.contiguous().numpy().data.cast("B")
    return Storage(dtype, count, raw)


def persistent_storage(identity: Any) -> tuple[torch.dtype, str, int, tuple[str, int, int] | None]:
    """What a persistent id says: dtype, key, count, and (key, offset, count) of a part in old files.

    Raises:
        RefusedError: it is not ('storage', type, key, location, count[, view]).
    """
    if (
        not isinstance(identity, tuple)
        or len(identity) not in (5, 6)
        or identity[0] not in ("storage", b"storage")
    ):
        raise RefusedError("a persistent id that is no storage")
    _, kind, key, _, count, *view = identity
    if not isinstance(kind, Known) or kind.name not in DTYPES:
        raise RefusedError("a storage of no known type")
    if not isinstance(key, str) or len(key) > 256:
        raise RefusedError("a storage's key is no short string")
    sizes_of((count,), "storage")
    part = view[0] if view else None
    if part is not None:
        if not isinstance(part, tuple) or len(part) != 3 or not isinstance(part[0], str):
            raise RefusedError("a storage's view is malformed")
        sizes_of(part[1:], "storage view")
    return DTYPES[kind.name], key, count, part


def _tensor(arguments: tuple[Any, ...]) -> Tensor:
    """`_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)` and its predecessor."""
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        raise RefusedError("a tensor takes a storage, an offset, sizes and strides")
    storage, offset, size, stride = arguments[:4]
    sizes, strides = sizes_of(size, "tensor"), whole_numbers(stride, "tensor")
    (offset,) = sizes_of((offset,), "tensor")
    if len(sizes) != len(strides):
        raise RefusedError(f"a tensor of sizes {list(sizes)[:8]} has strides {list(strides)[:8]}")
    count = math.prod(sizes)
    if not count:
        return torch.empty(sizes, dtype=storage.dtype)
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if last >= storage.count or count > max(storage.count, _MAX_REPEATED):
        raise RefusedError(f"a tensor of sizes {list(sizes)} reaches outside its storage of {storage.count}")
    if storage.data is None:
        return torch.empty(0)
    tensor: Tensor = storage.flat().as_strided(sizes, strides, offset)
    return tensor


def _parameter(arguments: tuple[Any, ...]) -> Tensor:
    if not arguments or not isinstance(arguments[0], Tensor):
        raise RefusedError("a parameter takes a tensor")
    return arguments[0]


def _typed_tensor(arguments: tuple[Any, ...]) -> Tensor:
    """`_rebuild_from_type_v2(function, type, arguments, state)`: a tensor with attributes of its own."""
    if len(arguments) < 3 or not isinstance(arguments[2], tuple):
        raise RefusedError("a tensor of a type takes a function, the type and arguments")
    call = arguments[0].call if isinstance(arguments[0], Known) else None
    if call not in (_tensor, _parameter):
        raise RefusedError("a tensor of a type is made by something else")
    return _tensor(arguments[2]) if call is _tensor else _parameter(arguments[2])


def _size(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    return sizes_of(arguments[0] if arguments else (), "torch.Size")


def _device(arguments: tuple[Any, ...]) -> str:
    return ":".join(str(part)[:40] for part in arguments[:2] if isinstance(part, str | int))


def _entries() -> Iterator[Known]:
    for name in DTYPES:
        yield Known(name)
    for name in (
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "bool",
    ):
        yield Known(f"torch.{name}")
    yield Known("torch._utils._rebuild_tensor", call=_tensor)
    yield Known("torch._utils._rebuild_tensor_v2", call=_tensor)
    yield Known("torch._utils._rebuild_parameter", call=_parameter)
    yield Known("torch._utils._rebuild_parameter_with_state", call=_parameter)
    yield Known("torch._tensor._rebuild_from_type_v2", call=_typed_tensor)
    yield Known("torch.Tensor")
    yield Known("torch.nn.parameter.Parameter")
    yield Known("torch.Size", call=_size)
    yield Known("torch.device", call=_device)


TORCH = {known.name: known for known in _entries()}
