"""Where encoded pictures lie: a folder of image files, or an LMDB database as LSUN publishes them.

A source numbers its pictures in the order of their names and hands out their bytes; `decode` decodes them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import lmdb
import numpy as np
from PIL import Image, ImageOps

from unit59.foundation.errors import Unit59Error

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})
#: The largest encoded picture that is read.
MAX_BYTES = 256 * 2**20
#: A picture that claims more pixels is refused before it is decoded.
MAX_PIXELS = 64_000_000
#: Nor is one that is longer: scaling takes memory with the edge as well.
MAX_EDGE = 32_768
#: Decoders that may run; others (EPS, for one) start programs or are rarely tested.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
#: One key in so many is kept in memory.
STRIDE = 1024


class InputError(Unit59Error):
    """Inputs that cannot be read: names the file or the database's key."""


class Source(Protocol):
    """Encoded pictures, numbered from 0."""

    def __len__(self) -> int: ...

    def name(self, number: int) -> str:
        """The file, or the database and the key."""

    def read(self, number: int) -> bytes:
        """The encoded picture."""


class Folder:
    """The image files below a folder, sorted by their path inside it; hidden files are left out.

    Args:
        folder: the folder. Links to files are followed, links to folders are not.

    Raises:
        InputError: there is no such folder, or no image file in it.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder of images.")
        self.folder = folder
        inside = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        visible = (path for path in inside if not any(part.startswith(".") for part in path.parts))
        self.files = sorted((path for path in visible if (folder / path).is_file()), key=_order)
        if not self.files:
            raise InputError(f"{folder}: holds no image files ({', '.join(sorted(SUFFIXES))}).")

    def __len__(self) -> int:
        return len(self.files)

    def name(self, number: int) -> str:
        """The file."""
        return str(self.folder / self.files[number])

    def read(self, number: int) -> bytes:
        """The file's bytes.

        Raises:
            InputError: unreadable or larger than `MAX_BYTES`.
        """
        path = self.folder / self.files[number]
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{path}: {path.stat().st_size} bytes; at most {MAX_BYTES} are read.")
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}.") from None


#: LMDB refuses to open a folder twice in one process.
_ENVIRONMENTS: WeakValueDictionary[Path, lmdb.Environment] = WeakValueDictionary()


def _environment(folder: Path) -> lmdb.Environment:
    environment = _ENVIRONMENTS.get(folder)
    if environment is None:
        environment = lmdb.open(str(folder), readonly=True, lock=False, readahead=False, create=False)
        _ENVIRONMENTS[folder] = environment
    return environment


def _order(path: Path) -> tuple[str, str]:
    """By the name without its suffix first, so that two folders with the same stems agree."""
    return path.with_suffix("").as_posix(), path.suffix


class Database:
    """An LMDB folder of encoded pictures, in the order of its keys.

    Memory stays small whatever the number of pictures: of the keys, only every `STRIDE`-th is kept, as
    far as they have been walked, and the values are read through the memory map.

    Args:
        folder: with ``data.mdb``, e.g. ``bedroom_train_lmdb``.

    Raises:
        InputError: no LMDB database, or an empty one.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "data.mdb").is_file():
            raise InputError(f"{folder}: no LMDB folder (it has no data.mdb); LSUN's are unpacked first.")
        self.folder = folder
        try:
            self._environment = _environment(folder.resolve())
            self._refuse_truncated()
            self._count = int(self._environment.stat()["entries"])
        except lmdb.Error as error:
            raise InputError(f"{folder}: not a readable LMDB database: {error}.") from None
        if not self._count:
            raise InputError(f"{folder}: an empty LMDB database.")
        #: Keys number 0, STRIDE, 2 STRIDE, …
        self._kept: list[bytes] = []

    def __len__(self) -> int:
        return self._count

    def _refuse_truncated(self) -> None:
        """The file is read through a memory map, where a page that is missing would end the program."""
        pages, size = self._environment.info()["last_pgno"] + 1, self._environment.stat()["psize"]
        held = (self.folder / "data.mdb").stat().st_size
        if held < pages * size:
            raise InputError(
                f"{self.folder}: data.mdb has {held} bytes, but its own first page says {pages * size}: it "
                "was cut off. Copy or download it again."
            )

    def name(self, number: int) -> str:
        """The database and the key."""
        return f"{self.folder} key {self._key(number).decode('utf-8', 'backslashreplace')!r}"

    def read(self, number: int) -> bytes:
        """The value.

        Raises:
            InputError: larger than `MAX_BYTES`, or the database is damaged.
        """
        key = self._key(number)
        try:
            with self._environment.begin(buffers=True) as transaction:
                value = transaction.get(key)
                if value is None or len(value) > MAX_BYTES:
                    size = "no" if value is None else len(value)
                    raise InputError(f"{self.name(number)}: {size} bytes; at most {MAX_BYTES} are read.")
                return bytes(value)
        except lmdb.Error as error:
            raise InputError(f"{self.folder}: {error}.") from None

    def _key(self, number: int) -> bytes:
        waypoint = number // STRIDE
        if waypoint >= len(self._kept):
            start = self._kept[-1] if self._kept else None
            for steps, key in enumerate(self._walk(start)):
                if steps % STRIDE == 0 and (steps or start is None):
                    self._kept.append(key)
                if len(self._kept) > waypoint:
                    break
        if waypoint < len(self._kept):
            for steps, key in enumerate(self._walk(self._kept[waypoint])):
                if steps == number % STRIDE:
                    return key
        raise InputError(f"{self.folder}: there is no picture number {number}; it ends before.")

    def _walk(self, start: bytes | None) -> Iterator[bytes]:
        """The keys in order, from `start` (included) on."""
        try:
            with self._environment.begin() as transaction, transaction.cursor() as cursor:
                if cursor.set_key(start) if start is not None else cursor.first():
                    yield from cursor.iternext(keys=True, values=False)
        except lmdb.Error as error:
            raise InputError(f"{self.folder}: {error}.") from None


def decode(encoded: bytes, name: str) -> Image.Image:
    """An encoded picture, upright, as RGB with 8 bits a channel.

    Raises:
        InputError: no picture of a known format, damaged, or too large; names it.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(encoded), formats=FORMATS) as picture,
        ):
            if picture.width * picture.height > MAX_PIXELS or max(picture.size) > MAX_EDGE:
                raise InputError(
                    f"{name}: {picture.width} x {picture.height} pixels; at most {MAX_PIXELS} are read, "
                    f"and at most {MAX_EDGE} on a side."
                )
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I"):  # 16-bit grey, which Pillow would clip
                upright = Image.fromarray((np.asarray(upright).clip(0, 65535) // 257).astype(np.uint8))
            return upright.convert("RGB")
    except InputError:
        raise
    except Exception as error:  # decoders raise many kinds
        raise InputError(f"{name}: not a readable picture: {error}.") from error
