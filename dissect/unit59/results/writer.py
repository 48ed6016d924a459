"""Writing results: a part appears whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from unit59.results.files import file_name, sha256_of, to_json, write_atomically, write_plainly, write_table
from unit59.results.reader import file_fault, read_record
from unit59.results.schema import LAYER_TABLES, FileEntry, Manifest, Part, ResultsError


class ResultsWriter:
    """Writes one model's results, part by part.

    Args:
        root: the results folder; the model gets a folder of its own in it.
        model: the model's name.
    """

    def __init__(self, root: Path, model: str) -> None:
        self.folder = root / model
        self._manifest_path = self.folder / "manifest.json"
        self.parts: dict[str, Part] = {}
        if self._manifest_path.exists():
            # A damaged manifest only costs time: its parts are written again.
            with contextlib.suppress(ResultsError):
                self.parts = dict(read_record(self._manifest_path, Manifest).parts)

    def is_current(self, part: str, key: str) -> bool:
        """Whether `part` was written with this `key` and every file of it is still as written."""
        known = self.parts.get(part)
        return (
            known is not None
            and known.key == key
            and all(file_fault(self.folder / name, entry) is None for name, entry in known.files.items())
        )

    def write_layer(
        self, layer: str, key: str, tables: Mapping[str, pl.DataFrame], pictures: Mapping[str, bytes]
    ) -> None:
        """Write all of one layer, replacing what was there in one step.

        Args:
            layer: the layer's name.
            key: hash of everything the layer's numbers and pictures depend on.
            tables: file name (see `LAYER_TABLES`) to table.
            pictures: file name to encoded WebP.
        """
        home = self.folder / "layers" / file_name(layer)
        staged = home.with_name(f".{home.name}.partial")
        shutil.rmtree(staged, ignore_errors=True)
        try:
            for name, table in tables.items():
                write_table(staged / name, table, LAYER_TABLES[name])
            for name, data in pictures.items():
                write_plainly(staged / "pictures" / name, data)
            files = {
                f"layers/{home.name}/{path.relative_to(staged).as_posix()}": _entry(path)
                for path in sorted(staged.rglob("*"))
                if path.is_file()
            }
            replaced = home.with_name(f".{home.name}.replaced")
            shutil.rmtree(replaced, ignore_errors=True)
            if home.exists():
                home.rename(replaced)
            staged.rename(home)
            # What else stood in the folder (the effects) went with it, and is written again.
            for part in [name for name in self.parts if name.startswith(f"layers/{home.name}/")]:
                del self.parts[part]
            self._commit(f"layers/{home.name}", Part(key=key, files=files))
            shutil.rmtree(replaced, ignore_errors=True)
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def write_files(self, part: str, key: str, files: Mapping[str, bytes]) -> None:
        """Write a part of single files (paths relative to the model's folder); its old files go."""
        for name in set(self.parts[part].files) - set(files) if part in self.parts else ():
            (self.folder / name).unlink(missing_ok=True)
        for name, data in files.items():
            write_atomically(self.folder / name, data)
        self._commit(part, Part(key=key, files={name: _entry(self.folder / name) for name in files}))

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Write `run.json`: date, timings, machine. Not in the manifest, as it differs between runs."""
        write_atomically(self.folder / "run.json", to_json(run))

    def keep_only(self, parts: set[str]) -> None:
        """Drop layers, effects and studies that the recipe no longer names, files and entries both."""
        for part in sorted(set(self.parts) - parts):
            for name in self.parts[part].files:
                (self.folder / name).unlink(missing_ok=True)
            if part.startswith(("layers/", "studies/")):
                shutil.rmtree(self.folder / part, ignore_errors=True)
            del self.parts[part]
        self._write_manifest()

    def _commit(self, part: str, entry: Part) -> None:
        self.parts[part] = entry
        self._write_manifest()

    def _write_manifest(self) -> None:
        write_atomically(self._manifest_path, to_json(Manifest(parts=dict(sorted(self.parts.items())))))


def _entry(path: Path) -> FileEntry:
    return FileEntry(bytes=path.stat().st_size, sha256=sha256_of(path))
