"""NumPy's arrays, dtypes and scalars as their pickles spell them, rebuilt as views of the file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from unit59.checkpoints.base import RefusedError
from unit59.checkpoints.inert import Known, Unfinished

#: Numbers and booleans. Object arrays would hold pickles of their own; text has no place in a network.
_CODE = re.compile(r"[<>|=]?(\?|b1|[iu][1248]|f[248]|c8|c16|[bBhHiIlLqQefd])")
_MAX_DIMENSIONS, _MAX_SIZE = 32, 1 << 48
Bytes = bytes | bytearray | memoryview


class DType(Unfinished):
    """`numpy.dtype`: a code such as ``f4``, then BUILD with the byte order."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> DType:
        """Set the byte order."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise RefusedError("numpy.dtype: its state is none")
        if state[1] != "|":  # native ("=") is little-endian wherever these files come from
            self.dtype = self.dtype.newbyteorder(">" if state[1] == ">" else "<")
        return self


class ArrayShell(Unfinished):
    """`numpy.ndarray` before BUILD has given it shape and data."""

    def build(self, state: Any) -> np.ndarray[Any, Any]:
        """The array; `state` is ([version], shape, dtype, fortran order, data)."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise RefusedError("numpy.ndarray: its state is none")
        shape, dtype, fortran, data = state[-4:]
        return array_of(data, dtype, shape, "F" if fortran else "C")


def array_of(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray[Any, Any]:
    """An array over `data`, which must be exactly as long as `shape` says.

    Raises:
        RefusedError: the parts are of the wrong kind or do not agree.
    """
    if not isinstance(dtype, DType):
        raise RefusedError("numpy.ndarray: its dtype is none")
    sizes = sizes_of(shape, "numpy.ndarray")
    raw = raw_bytes(data, "numpy.ndarray")
    expected = math.prod(sizes) * dtype.dtype.itemsize
    if len(raw) != expected:
        raise RefusedError(
            f"numpy.ndarray: shape {list(sizes)} needs {expected} bytes, the file has {len(raw)}"
        )
    if not expected:
        return np.empty(sizes, dtype.dtype)
    array = np.frombuffer(raw, dtype.dtype)
    return array.reshape(sizes, order="F" if order == "F" else "C")


def sizes_of(value: Any, what: str) -> tuple[int, ...]:
    """`value` as sizes whose product (zeros apart) a computer can address.

    Raises:
        RefusedError: it is none.
    """
    sizes = whole_numbers(value, what)
    if math.prod(size or 1 for size in sizes) >= _MAX_SIZE:
        raise RefusedError(f"{what}: sizes {list(sizes)} are beyond any memory")
    return sizes


def whole_numbers(value: Any, what: str) -> tuple[int, ...]:
    """`value` as at most 32 non-negative whole numbers.

    Raises:
        RefusedError: it is no tuple or list of such.
    """
    if not isinstance(value, tuple | list) or len(value) > _MAX_DIMENSIONS:
        raise RefusedError(f"{what}: its sizes are no short tuple")
    for size in value:
        if type(size) is not int or not 0 <= size < _MAX_SIZE:
            raise RefusedError(f"{what}: {_shown(size)} is no size")
    return tuple(value)


def _shown(value: Any) -> str:
    """A value for a message; a container's parts can be shared so that printing it never ends."""
    if isinstance(value, str):
        return repr(value[:40])
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**64):
        return repr(value)
    return f"something of type {type(value).__name__}"


def raw_bytes(value: Any, what: str) -> Bytes:
    """`value` as bytes; Python 2 wrote them as text.

    Raises:
        RefusedError: it holds no bytes.
    """
    if isinstance(value, str) and value.isascii():
        return value.encode("ascii")
    if not isinstance(value, bytes | bytearray | memoryview):
        raise RefusedError(f"{what}: its data are a {type(value).__name__}, not bytes")
    return value


def _dtype(arguments: tuple[Any, ...]) -> DType:
    code = arguments[0] if arguments else None
    code = str(code, "ascii", "replace") if isinstance(code, bytes) else code
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise RefusedError(f"numpy.dtype: {_shown(code)} is none that a network has")
    return DType(code)


def _scalar(arguments: tuple[Any, ...]) -> bool | int | float | complex:
    if len(arguments) != 2:
        raise RefusedError("a numpy scalar takes a dtype and its bytes")
    value: bool | int | float | complex = array_of(arguments[1], arguments[0], (), "C").item()
    return value


def _from_buffer(arguments: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    if len(arguments) < 3:
        raise RefusedError("numpy._frombuffer takes data, a dtype and a shape")
    data, dtype, shape, *order = arguments
    return array_of(data, dtype, shape, "F" if order == ["F"] else "C")


def _entries() -> Iterator[Known]:
    for core in ("numpy.core", "numpy._core"):  # NumPy 2 moved them
        yield Known(f"{core}.multiarray._reconstruct", call=lambda _: ArrayShell())
        yield Known(f"{core}.multiarray.scalar", call=_scalar)
        yield Known(f"{core}.numeric._frombuffer", call=_from_buffer)
    yield Known("numpy.ndarray")
    yield Known("numpy.dtype", call=_dtype)


NUMPY = {known.name: known for known in _entries()}
