"""Writing results: a part appears whole or not at all, and nothing that is not the tool's own is touched.

The tool's own is what a valid manifest lists. A part is replaced in three steps: its new files are made
ready outside the results (in a hidden folder in them, where these are a mount of their own); a manifest
without the part, which lists its old and new files as unfinished, is written; the files are moved into place
and the manifest with the part is written. A program killed in between leaves the old part, the new one, or a
manifest that says the part is not there; the next run clears up what is unfinished.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unit59.foundation.files import scratch_folder, sweep_scratch, write_atomically, write_plainly
from unit59.results.json_files import to_json
from unit59.results.manifest import FileEntry, KeptFile, Manifest, PartEntry, owned_files
from unit59.results.places import MANIFEST, RUN, is_part, owner_of, reach
from unit59.results.record import ResultsError


class ResultsWriter:
    """Writes one model's results, part by part.

    Args:
        root: the results folder; the model gets a folder of its own in it.
        model: the model's name.

    Raises:
        ResultsError: the model's folder is a link or no folder.
    """

    def __init__(self, root: Path, model: str) -> None:
        self.root, self.folder = root, root / model
        reach(self.folder, MANIFEST)
        # A damaged manifest only costs time: its parts are written again.
        manifest, self._unfinished = owned_files(self.folder)
        self.parts: dict[str, PartEntry] = dict(manifest.parts)
        self._planned = list(manifest.planned)
        self._sweep()

    def is_current(self, part: str, key: str) -> bool:
        """Whether `part` was measured with this `key` and every measured file is still as written."""
        known = self.parts.get(part)
        return known is not None and known.key == key and self._unchanged(known.files)

    def write_part(
        self, part: str, key: str, files: Mapping[str, bytes], told: Mapping[str, bytes] | None = None
    ) -> None:
        """Write what was measured of a part, replacing all that it had, told files included.

        Args:
            part: its name, which is its folder's: `layers/layer4`, `studies/noise`.
            key: hash of everything that its measured files depend on.
            files: by path in the model's folder.
            told: likewise, what is told from them, where it is known already.

        Raises:
            ResultsError: a link or something odd stands in the way.
            OSError: the disk is full; the part is as it was.
        """
        told = told or {}
        after = PartEntry(key=key, files=_entries(files), told=_entries(told))
        self._replace(part, None, after, {**files, **told})

    def write_told(self, part: str, files: Mapping[str, bytes]) -> None:
        """Write what is told of a part, replacing what was told before; nothing where it says the same.

        Args:
            part: its name; its measured files are there.
            files: by path in the model's folder.

        Raises:
            KeyError: the part was not measured.
            ResultsError: a link or something odd stands in the way.
        """
        known = self.parts[part]
        told = _entries(files)
        if told == known.told and self._unchanged(told):
            return
        before = known.model_copy(update={"told": {}})
        self._replace(part, before, known.model_copy(update={"told": told}), files)

    def plan(self, parts: Iterable[str]) -> None:
        """Say which parts the run will write, so that a check knows what is missing."""
        planned = sorted(parts)
        if planned != self._planned:
            self._planned = planned
            with self._scratch() as scratch:
                self._write_manifest(scratch)

    def keep_only(self, parts: set[str]) -> None:
        """Drop the parts that the recipe no longer names: their files and their entries."""
        dropped = [part for part in self.parts if part not in parts]
        if not dropped and not self._unfinished and self._planned == sorted(parts):
            return
        self._planned = sorted(parts)
        for part in dropped:
            self._unfinished = [*self._unfinished, *self.parts.pop(part).every]
        with self._scratch() as scratch:
            self._write_manifest(scratch)
            if self._unfinished:
                self._remove(self._unfinished)
                self._unfinished = []
                self._write_manifest(scratch)

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Write `run.json`: date, timings, machine. Not in the manifest, as it differs between runs."""
        with self._scratch() as scratch:
            write_atomically(reach(self.folder, RUN), to_json(run), scratch)

    # ---- one part's files

    def _replace(
        self, part: str, before: PartEntry | None, after: PartEntry, files: Mapping[str, bytes]
    ) -> None:
        """Put `files` in the place of those of the part that `before` does not have."""
        _check_places(part, files)
        known = self.parts.get(part)
        old = set(known.every if known else ()) - set(before.every if before else ())
        with self._scratch() as scratch:
            ready = {file: scratch / f"{number}" for number, file in enumerate(files)}
            for file, data in files.items():
                reach(self.folder, file)
                write_plainly(ready[file], data)
            others = self._unfinished
            self._set(part, before, sorted({*others, *old, *files}), scratch)
            for file, path in ready.items():
                target = reach(self.folder, file)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
            self._remove(old - set(files))
            self._set(part, after, [file for file in others if file not in files], scratch)

    def _set(self, part: str, entry: PartEntry | None, unfinished: list[str], scratch: Path) -> None:
        self.parts.pop(part, None)
        if entry is not None:
            self.parts[part] = entry
        self._unfinished = unfinished
        self._write_manifest(scratch)

    def _write_manifest(self, scratch: Path) -> None:
        parts = dict(sorted(self.parts.items()))
        manifest = Manifest(parts=parts, planned=self._planned, unfinished=self._unfinished)
        write_atomically(reach(self.folder, MANIFEST), to_json(manifest), scratch)

    def _unchanged(self, files: Mapping[str, FileEntry]) -> bool:
        return all(KeptFile(self.folder, file, entry).fault() is None for file, entry in files.items())

    def _remove(self, files: Iterable[str]) -> None:
        """Remove files of the tool's own, and folders that are empty then; what is odd stays."""
        kept = {file for part in self.parts.values() for file in part.every}
        for file in sorted(set(files) - kept):
            with contextlib.suppress(ResultsError, FileNotFoundError):
                reach(self.folder, file).unlink()
                home = os.path.dirname(file)  # noqa: PTH120  # of a name in the manifest, not of a path
                while home:
                    with contextlib.suppress(OSError):
                        (self.folder / home).rmdir()
                    home = os.path.dirname(home)  # noqa: PTH120

    # ---- what is not finished lies outside of what is published

    @property
    def _outside(self) -> Path:
        return self.root.absolute().parent

    @property
    def _scratch_home(self) -> Path:
        """Beside the results folder, where it can be moved from there; else in it."""
        same = self._outside.stat().st_dev == self.root.stat().st_dev
        return self._outside if same and os.access(self._outside, os.W_OK) else self.root

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        self.root.mkdir(parents=True, exist_ok=True)
        with scratch_folder(self._scratch_home) as folder:
            yield folder

    def _sweep(self) -> None:
        """An earlier run may have had another home for it: where the folder is mounted, for one."""
        for home in (self._outside, self.root):
            sweep_scratch(home)


def _entries(files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    return {file: FileEntry.of(data) for file, data in files.items()}


def _check_places(part: str, files: Iterable[str]) -> None:
    """A mistake of the program, not of the results: no part is written that would be refused when read."""
    if not is_part(part):
        raise ValueError(f"{part!r} is no name of a part")
    for file in files:
        if owner_of(file) != part:
            raise ValueError(f"{file!r} is no place of a file of the part {part!r}")
