"""`torch.save`'s zip files: ``data.pkl`` for the content, ``data/<key>`` for each storage."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

from unit59.checkpoints.base import CheckpointError, RefusedError
from unit59.checkpoints.inert import Known
from unit59.checkpoints.limits import Budget
from unit59.checkpoints.tensors import Storage, persistent_storage, storage_of
from unit59.checkpoints.unpickle import Unpickler

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LARGEST_DIRECTORY = 8 << 20  # bytes; some ten thousand storages take a tenth of it


def read_zip(source: str, view: memoryview, known: Mapping[str, Known]) -> Any:
    """The object in a torch zip file.

    Raises:
        CheckpointError: the file is damaged, truncated or hostile.
    """
    try:
        entries = _entries(view)
        names = [name for name in entries if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(names) != 1:
            raise RefusedError("it is a zip file, but none that torch.save writes (there is no data.pkl)")
        root = names[0].removesuffix("data.pkl")
        order = bytes(entries.get(f"{root}byteorder", memoryview(b"little")))
        if order not in (b"little", b"big"):
            raise RefusedError("its byteorder entry is neither little nor big")
    except RefusedError as error:
        raise CheckpointError(f"{source}: {error}") from None
    storages: dict[str, Storage] = {}

    def resolve(identity: Any) -> Storage:
        dtype, key, count, part = persistent_storage(identity)
        if part is not None:
            raise RefusedError("a storage view, which zip files do not use")
        if f"{root}data/{key}" not in entries:
            raise RefusedError(f"storage {key!r} is missing from the file")
        data = entries[f"{root}data/{key}"]
        if key not in storages:
            storages[key] = storage_of(dtype, count, data, big_endian=order == b"big")
        if (storages[key].dtype, storages[key].count) != (dtype, count):
            raise RefusedError(f"storage {key!r} has two types or sizes")
        return storages[key]

    return Unpickler(
        f"{source} ({names[0]})", entries[names[0]], known, Budget.of(len(view)), resolve
    ).load()[0]


def _entries(view: memoryview) -> dict[str, memoryview]:
    """Each entry's bytes. Only stored entries: a compressed one could claim any size."""
    try:
        with zipfile.ZipFile(_Window(view)) as archive:
            infos = archive.infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        OverflowError,
        OSError,
        struct.error,
    ) as error:
        raise RefusedError(f"the zip file is truncated or damaged ({error})") from None
    return {info.filename: _stored(view, info) for info in infos}


def _stored(view: memoryview, info: zipfile.ZipInfo) -> memoryview:
    start = info.header_offset
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
        raise RefusedError(
            f"zip entry {info.filename[:200]!r} is compressed or encrypted, which torch.save never does"
        )
    header = view[start : start + _LOCAL_HEADER.size] if start >= 0 else view[:0]
    if len(header) < _LOCAL_HEADER.size:
        raise RefusedError(f"zip entry {info.filename[:200]!r} lies outside the file")
    signature, name, extra = _LOCAL_HEADER.unpack(header)
    start += _LOCAL_HEADER.size + name + extra
    if signature != b"PK\x03\x04" or start + info.file_size > len(view):
        raise RefusedError(f"zip entry {info.filename[:200]!r} lies outside the file")
    return view[start : start + info.file_size]


class _Window(io.RawIOBase):
    """`view` as a file, without the copy that `io.BytesIO` makes."""

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        self._view, self._position = view, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}[whence]
        if base + offset < 0:
            raise ValueError("seeks before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if len(buffer) > _LARGEST_DIRECTORY:  # `zipfile` reads the directory at once, and believes its size
            raise ValueError("the directory is absurdly large")
        part = self._view[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)
