"""Files of the store: atomic writing, stable JSON and Parquet, hashes, safe names."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel


def sha256_of(path: Path) -> str:
    """The file's sha256 as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds either its old content or all of the new.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with _naming(path), partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def to_json(record: BaseModel | Mapping[str, Any]) -> bytes:
    """Stable JSON: sorted keys, two-space indent, one final newline."""
    plain = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def file_name(text: str) -> str:
    """A name for a folder or URL part made of `text`: letters, digits, `.`, `_`, `-`; never empty."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    return slug[:80] or "unnamed"


def picture_name(unit: int, kind: str) -> str:
    """`0059-exemplars.webp`; kind is exemplars, ablated or inserted."""
    return f"{unit:04d}-{kind}.webp"


def table_bytes(table: pl.DataFrame, schema: Mapping[str, Any]) -> bytes:
    """The table as Parquet with exactly the columns and types of `schema`."""
    buffer = io.BytesIO()
    table.select([pl.col(name).cast(kind) for name, kind in schema.items()]).write_parquet(
        buffer, compression="zstd"
    )
    return buffer.getvalue()


def write_table(path: Path, table: pl.DataFrame, schema: Mapping[str, Any]) -> None:
    """Write `table_bytes` to `path`."""
    write_plainly(path, table_bytes(table, schema))


def write_plainly(path: Path, data: bytes) -> None:
    """Write into a folder that nothing reads yet, making it where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _naming(path):
        path.write_bytes(data)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """A full disk does not say for which file it was full."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
