"""Parts that are in the results, read back: what telling and later parts start from. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from unit59.results.manifest import Manifest, PartEntry
from unit59.results.places import home_of
from unit59.results.source import Source
from unit59.studies.tables import Tables


class Stored:
    """The parts of one model's results.

    Args:
        folder: the model's.
        parts: as its manifest lists them.
    """

    def __init__(self, folder: Path, parts: Mapping[str, PartEntry]) -> None:
        self._folder = folder
        self._source = Source(folder, Manifest(parts=dict(parts)))

    def facts(self, part: str) -> dict[str, Any]:
        """The facts of a part.

        Raises:
            ResultsError: it is not there, or damaged.
        """
        return self._source.object(f"{home_of(part)}facts.json")

    def recipe(self) -> tuple[Path, str]:
        """The file that holds the recipe's text, and the text.

        Raises:
            ResultsError: it is missing, or damaged.
        """
        return self._folder / "model.json", str(self._source.object("model.json").get("recipe", ""))

    def frame(self, part: str, name: str) -> pl.DataFrame:
        """One of a part's tables.

        Raises:
            ResultsError: it is not there, or damaged.
        """
        return self._source.table(f"{home_of(part)}{name}", {})

    def has(self, part: str, name: str) -> bool:
        """Whether a part has a table."""
        parts = self._source.manifest.parts
        return part in parts and f"{home_of(part)}{name}" in parts[part].files

    def tables(self, part: str) -> Tables:
        """What was measured of a part.

        Raises:
            ResultsError: it is not there, or damaged.
        """
        home, files = home_of(part), self._source.manifest.parts[part].files
        frames = [file.removeprefix(home) for file in files if file.endswith(".parquet")]
        return Tables(
            {name: self.frame(part, name) for name in frames},
            self.facts(part),
            _Pictures(self._source, f"{home}pictures/", files),
        )


class _Pictures(Mapping[str, bytes]):
    """A part's pictures by file name, read when they are asked for."""

    def __init__(self, source: Source, home: str, files: Mapping[str, Any]) -> None:
        self._source, self._home = source, home
        self._names = [file.removeprefix(home) for file in files if file.startswith(home)]

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        return self._source.content(f"{self._home}{name}")

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
