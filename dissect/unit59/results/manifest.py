"""The manifest: which files a model's results are, part by part, with sizes and hashes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from unit59.results.json_files import read_object, validated
from unit59.results.places import MANIFEST, PartName, open_plainly, owner_of, reach
from unit59.results.record import SCHEMA_VERSION, Record, ResultsError

#: What to do about results that cannot be believed.
WAY_OUT = "Run `unit59 dissect` with this model's recipe again: it rewrites what is missing or damaged."


#: `FileEntry` has a field of the type's name.
Buffer = bytes


class FileEntry(Record):
    """Size and hash of one file."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, content: Buffer) -> Self:
        """Of a file's content."""
        return cls(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


class PartEntry(Record):
    """Files that were written together, by their paths in the model's folder."""

    key: str  # hash of everything that the measured files depend on
    files: dict[str, FileEntry]  # measured
    told: dict[str, FileEntry] = {}  # told from what was measured

    @property
    def every(self) -> dict[str, FileEntry]:
        """Its files, measured and told."""
        return {**self.files, **self.told}


class Manifest(Record):
    """`manifest.json`."""

    schema_version: int = SCHEMA_VERSION
    parts: dict[PartName, PartEntry]
    planned: list[PartName] = []  # what the recipe asks for; more than `parts` after an interrupted run
    unfinished: list[str] = []  # files that an interrupted run was replacing; no part has them

    @model_validator(mode="after")
    def _files_lie_in_their_parts(self) -> Self:
        for name, part in self.parts.items():
            for file in part.every:
                if owner_of(file) != name:
                    raise ValueError(
                        f"{file!r} points outside the folder of its part {name!r}, or is no table, record or "
                        "picture of it"
                    )
        for file in self.unfinished:
            if owner_of(file) is None:
                raise ValueError(f"{file!r} points outside the folders of parts")
        return self


@dataclass(frozen=True)
class KeptFile:
    """A file of the results as the manifest lists it. It is there and unchanged only once it was read."""

    folder: Path  # the model's
    file: str  # path in it
    entry: FileEntry

    def fault(self, *, hashed: bool = True) -> str | None:
        """What is wrong with it, or None; without `hashed` only its presence and size are looked at."""
        try:
            path = reach(self.folder, self.file)
            if hashed:
                self._read(path)
                return None
            size = path.lstat().st_size
        except ResultsError as error:
            return str(error)
        except OSError as error:
            return self._unreadable(error)
        return None if size == self.entry.bytes else self._wrong_size(size)

    def read(self) -> bytes:
        """Its content.

        Raises:
            ResultsError: it is missing, a link, or not what was written.
        """
        try:
            return self._read(reach(self.folder, self.file))
        except OSError as error:
            raise ResultsError(self._unreadable(error)) from None

    def _read(self, path: Path) -> bytes:
        with os.fdopen(open_plainly(path), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != self.entry.bytes:
                raise ResultsError(self._wrong_size(size))
            data = file.read(self.entry.bytes + 1)
        if len(data) != self.entry.bytes or hashlib.sha256(data).hexdigest() != self.entry.sha256:
            raise ResultsError(
                f"{path}: the file's content is not what was written (sha256 differs). {WAY_OUT}"
            )
        return data

    def _wrong_size(self, size: int) -> str:
        place = self.folder / self.file
        return f"{place}: the file has {size} bytes, {self.entry.bytes} were written. {WAY_OUT}"

    def _unreadable(self, error: OSError) -> str:
        missing = isinstance(error, FileNotFoundError)
        what = "the file is missing" if missing else f"the file cannot be read ({error.strerror})"
        return f"{self.folder / self.file}: {what}. {WAY_OUT}"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model's folder.

    Raises:
        ResultsError: missing, damaged, of another schema, or it names what lies outside its parts.
    """
    path = reach(folder, MANIFEST)
    return validated(path, read_object(path), Manifest)


def kept_files(folder: Path, manifest: Manifest) -> dict[str, KeptFile]:
    """Every listed file, by its path in the model's folder."""
    return {
        file: KeptFile(folder, file, entry)
        for part in manifest.parts.values()
        for file, entry in part.every.items()
    }


def owned_files(folder: Path) -> tuple[Manifest, list[str]]:
    """The manifest to go on with, and files that an earlier run of this tool wrote and no part has.

    Of a damaged manifest nothing is believed. Of one of schema 1 the files are known as the tool's own, so
    that the next run removes what it does not replace.
    """
    empty = Manifest(parts={})
    try:
        content = read_object(reach(folder, MANIFEST))
    except ResultsError:
        return empty, []
    if content.get("schema_version") == 1:
        return empty, [file for file in _files_of_schema_1(content) if owner_of(file) is not None]
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError:
        return empty, []
    if manifest.schema_version != SCHEMA_VERSION:
        return empty, []
    return manifest, manifest.unfinished


def _files_of_schema_1(content: Mapping[str, Any]) -> list[str]:
    parts = content.get("parts")
    files = [part.get("files") for part in parts.values()] if isinstance(parts, dict) else []
    return [file for each in files if isinstance(each, dict) for file in each]
