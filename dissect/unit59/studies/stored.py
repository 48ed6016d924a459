"""Parts that are in the results, read back: what telling and later parts start from. Never imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from unit59.results.manifest import Manifest, PartEntry
from unit59.results.places import home_of
from unit59.results.source import ModelFolder
from unit59.studies.tables import Tables

_T = TypeVar("_T")


class Stored:
    """The parts of one model's results.

    Args:
        folder: the model's.
        parts: as its manifest lists them.
    """

    def __init__(self, folder: Path, parts: Mapping[str, PartEntry]) -> None:
        self._folder = folder
        self._source = ModelFolder(folder, Manifest(parts=dict(parts)))

    def __contains__(self, part: str) -> bool:
        return part in self._source.manifest.parts

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
        return part in self and f"{home_of(part)}{name}" in self._source.manifest.parts[part].files

    def tables(self, part: str) -> Tables:
        """What was measured of a part.

        Raises:
            ResultsError: it is not there, or damaged.
        """
        home, files = home_of(part), self._source.manifest.parts[part].files
        frames = [file.removeprefix(home) for file in files if file.endswith(".parquet")]
        shown = f"{home}pictures/"
        pictures = [file.removeprefix(shown) for file in files if file.startswith(shown)]
        return Tables(
            _Read(frames, lambda name: self.frame(part, name)),
            self.facts(part),
            _Read(pictures, lambda name: self._source.content(f"{shown}{name}")),
        )


class _Read(Mapping[str, _T]):
    """A part's files of one kind by name, read when they are asked for."""

    def __init__(self, names: Sequence[str], read: Callable[[str], _T]) -> None:
        self._names, self._read = names, read

    def __getitem__(self, name: str) -> _T:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
