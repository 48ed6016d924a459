"""Files: atomic writing, folders for what is not finished yet, hashes, safe names."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: Folders of this name hold what is not finished; one that no running program holds is swept.
SCRATCH = ".unit59-partial-"
#: Longest name that `file_name` gives.
LONGEST_NAME = 80
#: Hexadecimal digits of a text's hash, where its name alone does not say which text it was.
HASH_DIGITS = 6
_PARTIAL = re.compile(r"\..+\.[0-9a-f]+\.partial")


def sha256_of(path: Path) -> str:
    """The file's sha256 as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes, scratch: Path | None = None) -> None:
    """Write `data` so that `path` holds either its old content or all of the new.

    Args:
        path: the file; its folder is made where needed.
        data: its content.
        scratch: a folder on the same file system for the unfinished file; by default it lies beside `path`.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A random name: on a folder that machines share, processes of two of them may bear one number.
    partial = (scratch or path.parent) / f".{path.name}.{secrets.token_hex(6)}.partial"
    try:
        with naming(path), _held_file(partial) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_plainly(path: Path, data: bytes) -> None:
    """Write into a folder that nothing reads yet, making it where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        path.write_bytes(data)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A full disk does not say for which file it was full."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sweep_partials(folder: Path, *, below: bool = False) -> None:
    """Remove what killed calls of `write_atomically` left in a folder, and in those below it.

    What a running program writes there is left alone.
    """
    for path in folder.glob("**/.*.partial" if below else ".*.partial"):
        if _PARTIAL.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
            with contextlib.suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _held_file(path: Path) -> BinaryIO:
    """A new file, locked as long as it is open."""
    while True:
        file = path.open("wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():
            return file
        file.close()  # swept before it was locked


# ---- folders for what is not finished yet


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """A new folder in `home`, held while the block runs and gone after it.

    A killed program cannot clear up after itself; `sweep_scratch` does, at the next run.
    """
    home.mkdir(parents=True, exist_ok=True)
    folder, held = _held_folder(home)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep_scratch(home: Path) -> None:
    """Remove the scratch folders in `home` that no running program holds."""
    for folder in home.glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):  # not a folder, a link, held by another program, or gone
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)


def _held_folder(home: Path) -> tuple[Path, int]:
    """A new scratch folder and an open, locked handle of it."""
    while True:
        folder = home / f"{SCRATCH}{secrets.token_hex(6)}"
        with naming(folder):
            folder.mkdir()
        with contextlib.suppress(FileNotFoundError):  # swept before it was locked
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(held, fcntl.LOCK_EX)
            if folder.exists():
                return folder, held
            os.close(held)


# ---- names


def is_reserved(name: str) -> bool:
    """Whether a folder of this name would stand where a page's own file does."""
    return name.lower().endswith((".html", ".md"))


def file_name(text: str) -> str:
    """A name for a folder or URL part made of `text`: letters, digits, `.`, `_`, `-`; never empty.

    It depends on the text alone. Where more than punctuation is lost (other scripts, a long end), a hash of
    the text follows, so that different texts keep different names.
    """
    plain = unicodedata.normalize("NFKD", text)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", "".join(c for c in plain if not unicodedata.combining(c)))
    slug = slug.lstrip("-._").rstrip("-.")
    lost = any(c.isalnum() and not c.isascii() for c in plain)
    if slug and not lost and len(slug) <= LONGEST_NAME:
        return slug.replace(".", "-") if is_reserved(slug) else slug
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    kept = slug[: LONGEST_NAME - HASH_DIGITS - 1].rstrip("-.")
    return f"{kept or 'unnamed'}-{mark}"
