"""What is kept between runs: arrays and bytes under the hash of everything that they depend on.

Every kept file ends in the sha256 of what stands before it. What is damaged, however that came about, is said
and made again; it is never believed.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from unit59.results import file_name, write_atomically

Arrays = Mapping[str, NDArray[Any]]

_DIGEST = 32


def key_of(**depends_on: Any) -> str:
    """A short hash of everything that something depends on."""
    text = json.dumps(depends_on, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Kept:
    """Something that is kept: where, for people who look, and under which key.

    Attributes:
        place: a few words joined by slashes; each becomes a folder or file name.
        key: the hash of everything that it depends on (see `key_of`).
    """

    place: str
    key: str

    @property
    def path(self) -> Path:
        """Below the store's folder."""
        *rooms, name = map(file_name, self.place.split("/"))
        return Path(*rooms, f"{name}-{self.key}")


class Store:
    """Keeps things below one folder.

    Args:
        folder: the cache's; it may be deleted at any time.
        say: is told of what was damaged.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.folder, self.say = folder, say
        #: Of every file that was read: its size and time, and whether it was whole.
        self._read_before: dict[Path, tuple[tuple[int, int], bool]] = {}

    def has(self, kept: Kept) -> bool:
        """Whether it is there, whole."""
        path = self.folder / kept.path
        try:
            state = path.stat()
        except OSError:
            return False
        known = self._read_before.get(path)
        if known and known[0] == (state.st_size, state.st_mtime_ns):
            return known[1]
        return self._read(kept) is not None

    def keep(self, kept: Kept, data: bytes) -> None:
        """Keep bytes, whole or not at all.

        Raises:
            OSError: the disk is full, or the folder cannot be written.
        """
        self._read_before.pop(self.folder / kept.path, None)
        write_atomically(self.folder / kept.path, _sealed(data))

    def sealed(self, kept: Kept) -> bytes | None:
        """What is kept, with its hash, to travel to another store; None where it is missing or damaged."""
        data = self._read(kept)
        return None if data is None else _sealed(data)

    def unseal(self, kept: Kept, sealed: bytes) -> bool:
        """Keep what `sealed` gave elsewhere; whether it came whole."""
        data = _unsealed(sealed)
        if data is not None:
            self.keep(kept, data)
        return data is not None

    def bytes_of(self, kept: Kept, make: Callable[[], bytes]) -> bytes:
        """What is kept, else what `make` gives now."""
        known = self._read(kept)
        if known is None:
            known = make()
            self.keep(kept, known)
        return known

    def forget(self, kept: Kept) -> None:
        """Take it away, if it is there."""
        self._read_before.pop(self.folder / kept.path, None)
        (self.folder / kept.path).unlink(missing_ok=True)

    def keep_arrays(self, kept: Kept, arrays: Mapping[str, Any], *, small: bool = False) -> None:
        """Keep arrays by name; `small` spends time on a smaller file."""
        plain = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
        data = pack(plain)
        self.keep(kept, b"z" + zlib.compress(data, 1) if small else b"p" + data)

    def arrays(self, kept: Kept) -> dict[str, NDArray[Any]] | None:
        """Kept arrays; None where they are missing or damaged. They may be read, not written."""
        data = self._read(kept)
        if data is None:
            return None
        try:
            return unpack(zlib.decompress(data[1:]) if data[:1] == b"z" else data[1:])
        except (SafetensorError, zlib.error):  # no rot: another version wrote it
            return None

    def arrays_of(self, kept: Kept, make: Callable[[], Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        """Kept arrays, else what `make` gives now."""
        known = self.arrays(kept)
        if known is None:
            self.keep_arrays(kept, make())
            known = self.arrays(kept)
        if known is None:
            raise OSError(f"{self.folder / kept.path}: what was just written cannot be read.")
        return known

    def _read(self, kept: Kept) -> bytes | None:
        path = self.folder / kept.path
        try:
            data, state = path.read_bytes(), path.stat()
        except FileNotFoundError:
            return None
        content = _unsealed(data)
        now = ((state.st_size, state.st_mtime_ns), content is not None)
        if content is None and self._read_before.get(path) != now:
            self.say(f"{path}: damaged since it was written; made again.")
        self._read_before[path] = now
        return content


def _sealed(data: bytes) -> bytes:
    return data + hashlib.sha256(data).digest()


def _unsealed(data: bytes) -> bytes | None:
    content, digest = data[:-_DIGEST], data[-_DIGEST:]
    return content if len(data) >= _DIGEST and hashlib.sha256(content).digest() == digest else None
