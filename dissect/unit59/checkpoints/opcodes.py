"""Pickle opcodes and their arguments, decoded from memory without trusting a single length.

The opcodes themselves come from the standard library's table (`pickletools`). Arguments become Python
values, except bytes from `LONG_BYTES` and text from `LONG_TEXT` on: these stay views of the file, so
that an array's data is never held twice.
"""

from __future__ import annotations

import codecs
import pickletools
import re
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from unit59.checkpoints.base import RefusedError

LONG_BYTES, LONG_TEXT = 256, 1 << 20
LONGEST_INTEGER = 1024  # bytes; checkpoints hold seeds and sizes, not proofs of primality

#: How many bytes the length before an argument takes (pickletools' negative "sizes").
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}


class Step(NamedTuple):
    """One decoded opcode: its name, its argument (None if it has none), and where the next begins."""

    name: str
    argument: Any
    end: int


def decode(view: memoryview, start: int) -> Step:
    """The opcode at byte `start` of `view`.

    Raises:
        RefusedError: the byte is no opcode, or its argument is malformed or runs past the end.
    """
    if start >= len(view):
        raise RefusedError("the pickle ends without a STOP opcode (the file is truncated)")
    opcode = _OPCODES.get(view[start])
    if opcode is None:
        raise RefusedError(f"byte 0x{view[start]:02x} is no pickle opcode")
    if opcode.arg is None:
        return Step(opcode.name, None, start + 1)
    kind = opcode.arg.name
    payload, end = _payload(view, start + 1, opcode.arg.n, lines=2 if kind.endswith("_pair") else 1)
    try:
        return Step(opcode.name, _CONVERT[kind](payload), end)
    except ValueError:
        raise RefusedError(f"{opcode.name} has a malformed argument") from None


def _payload(view: memoryview, start: int, size: int, lines: int) -> tuple[memoryview, int]:
    """The bytes of an argument (without its length or final newline) and where they end."""
    if size == pickletools.UP_TO_NEWLINE:
        end = start
        for _ in range(lines):
            end = _newline(view, end) + 1
        return view[start : end - 1], end
    if size < 0:
        prefix = _LENGTH_BYTES[size]
        length = view[start : start + prefix]
        start += prefix
        size = int.from_bytes(length, "little") if len(length) == prefix else len(view)
    if start + size > len(view):
        raise RefusedError("an argument runs past the end (the file is truncated or damaged)")
    return view[start : start + size], start + size


def _newline(view: memoryview, start: int) -> int:
    width = 256
    while start < len(view):
        found = bytes(view[start : start + width]).find(b"\n")
        if found >= 0:
            return start + found
        start, width = start + width, min(2 * width, LONG_TEXT)
    raise RefusedError("a line runs past the end (the file is truncated or damaged)")


def _bytes(payload: memoryview) -> bytes | memoryview:
    return bytes(payload) if len(payload) < LONG_BYTES else payload


def _text(payload: memoryview) -> str | memoryview:
    if len(payload) > LONG_TEXT:
        return payload
    return str(payload, "utf-8", "surrogatepass")


def _python2_text(payload: bytes) -> str | bytes:
    """Python 2 wrote names and raw bytes with one opcode: ASCII is a name."""
    return payload.decode("ascii") if payload.isascii() else payload


def _python2_string(payload: memoryview) -> str | bytes | memoryview:
    return _python2_text(bytes(payload)) if len(payload) <= LONG_TEXT else payload


def _quoted(payload: memoryview) -> str | bytes:
    line = bytes(payload).strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        raise ValueError
    return _python2_text(codecs.escape_decode(line[1:-1])[0])


def _unicode_line(payload: memoryview) -> str | memoryview:
    if len(payload) > 64 * LONG_TEXT:
        raise ValueError
    # Called directly: by its name, Python would first import the codec, and a reader imports nothing.
    text = codecs.raw_unicode_escape_decode(payload)[0]
    # An array's bytes at protocol 0 are Latin-1 text with escapes.
    return text if len(payload) <= LONG_TEXT else memoryview(text.encode())


def _decimal(payload: memoryview) -> int | bool:
    line = bytes(payload).strip()
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > LONGEST_INTEGER or not re.fullmatch(rb"[+-]?[0-9]+L?", line):
        raise ValueError
    return int(line.removesuffix(b"L"))


def _long(payload: memoryview) -> int:
    if len(payload) > LONGEST_INTEGER:
        raise ValueError
    return int.from_bytes(payload, "little", signed=True)


def _float_line(payload: memoryview) -> float:
    if len(payload) > 64:
        raise ValueError
    return float(bytes(payload))


def _unsigned(payload: memoryview) -> int:
    return int.from_bytes(payload, "little")


def _float8(payload: memoryview) -> float:
    value: float = struct.unpack(">d", payload)[0]
    return value


def _line(payload: memoryview) -> str:
    if len(payload) > LONG_TEXT:
        raise ValueError
    return str(payload, "utf-8")


_CONVERT: dict[str, Callable[[memoryview], Any]] = {
    "uint1": _unsigned,
    "uint2": _unsigned,
    "uint4": _unsigned,
    "uint8": _unsigned,
    "int4": _long,
    "long1": _long,
    "long4": _long,
    "float8": _float8,
    "floatnl": _float_line,
    "decimalnl_short": _decimal,
    "decimalnl_long": _decimal,
    "string1": _python2_string,
    "string4": _python2_string,
    "stringnl": _quoted,
    "stringnl_noescape": _line,
    "stringnl_noescape_pair": lambda payload: tuple(_line(payload).split("\n")),
    "unicodestring1": _text,
    "unicodestring4": _text,
    "unicodestring8": _text,
    "unicodestringnl": _unicode_line,
    "bytes1": _bytes,
    "bytes4": _bytes,
    "bytes8": _bytes,
    "bytearray8": lambda payload: bytearray(payload) if len(payload) < LONG_BYTES else payload,
}
