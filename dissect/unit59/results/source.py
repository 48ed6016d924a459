"""One model's results as files: what the manifest lists, read and verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import polars as pl

from unit59.results.json_files import parsed, validated
from unit59.results.manifest import KeptFile, Manifest, kept_files, read_manifest
from unit59.results.record import Record, ResultsError
from unit59.results.tables import parse_table

_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True)
class ModelFolder:
    """A model's folder with its manifest."""

    folder: Path
    manifest: Manifest

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Read the manifest.

        Raises:
            ResultsError: missing, damaged, of another schema, or it names what lies outside its parts.
        """
        return cls(folder, read_manifest(folder))

    @cached_property
    def files(self) -> dict[str, KeptFile]:
        """Every listed file, by its path in the folder."""
        return kept_files(self.folder, self.manifest)

    def has(self, path: Path) -> bool:
        """Whether a file is listed that lies there."""
        return path.is_relative_to(self.folder) and path.relative_to(self.folder).as_posix() in self.files

    def kept(self, path: Path) -> KeptFile:
        """The listed file that lies there.

        Raises:
            ResultsError: the manifest lists no such file.
        """
        if not self.has(path):
            raise ResultsError(f"{path}: the manifest of {self.folder} lists no such file.")
        return self.files[path.relative_to(self.folder).as_posix()]

    def content(self, file: str) -> bytes:
        """A listed file's content.

        Raises:
            ResultsError: not listed, missing, a link, or not what was written.
        """
        return self.kept(self.folder / file).read()

    def table(self, file: str, schema: Mapping[str, Any]) -> pl.DataFrame:
        """A listed table.

        Raises:
            ResultsError: as `content`, or it is not a table of this schema.
        """
        return parse_table(str(self.folder / file), self.content(file), schema)

    def object(self, file: str) -> dict[str, Any]:
        """A listed JSON file.

        Raises:
            ResultsError: as `content`, or it is no JSON object.
        """
        return parsed(self.folder / file, self.content(file))

    def record(self, file: str, kind: type[_R]) -> _R:
        """A listed JSON file as a record.

        Raises:
            ResultsError: as `object`, or it is no such record.
        """
        return validated(self.folder / file, self.object(file), kind)
