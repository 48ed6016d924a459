"""Reading and writing JSON: stable when written, bounded and checked when read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from unit59.results.places import open_plainly
from unit59.results.record import SCHEMA_VERSION, Record, ResultsError

_R = TypeVar("_R", bound=Record)

#: No JSON file of results is larger (the manifest of 100 000 units takes 60 MB) or nested deeper.
MOST_BYTES, MOST_DEPTH = 128_000_000, 40
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def to_json(record: BaseModel | Mapping[str, Any]) -> bytes:
    """Stable JSON: sorted keys, two-space indent, one final newline."""
    plain = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        ResultsError: missing, a link, too large, too deep, not JSON, no object.
    """
    try:
        with os.fdopen(open_plainly(path), "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ResultsError(f"{path}: the file is missing.") from None
    except OSError as error:
        raise ResultsError(f"{path}: the file cannot be read ({error.strerror}).") from None
    return parsed(path, data)


def parsed(path: Path, data: bytes) -> dict[str, Any]:
    """The JSON object in a file's content.

    Raises:
        ResultsError: too large, too deep, not JSON, no object.
    """
    if len(data) > MOST_BYTES:
        raise ResultsError(f"{path}: the file is larger than {MOST_BYTES:,} bytes, the most of a JSON file.")
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_refuse)
        if _SURROGATE.search(data):  # half of a pair is no text that could be written again
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: not readable as JSON ({error}).") from None
    if not isinstance(content, dict):
        raise ResultsError(f"{path}: expected a JSON object.")
    if _deeper(content, MOST_DEPTH):
        raise ResultsError(f"{path}: nested deeper than {MOST_DEPTH} levels, the most of a JSON file.")
    return content


def validated(path: Path, content: Mapping[str, Any], kind: type[_R]) -> _R:
    """A record from a JSON object.

    Raises:
        ResultsError: not of this kind, or of another schema than this program's.
    """
    version = content.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path}: written with results schema {version}, this unit59 reads {SCHEMA_VERSION}. "
            "Update it: `pip install --upgrade unit59`."
        )
    if isinstance(version, int) and version < SCHEMA_VERSION:
        raise ResultsError(
            f"{path}: written with results schema {version}, this unit59 reads {SCHEMA_VERSION}. "
            "Run `unit59 dissect` with this model's recipe again."
        )
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ResultsError(f"{path}: {f'{place}: ' if place else ''}{said}.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _deeper(content: Any, most: int) -> bool:
    level: list[Any] = [content]
    for _ in range(most):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
