"""Saying what is wrong with results, and what an interrupted run has not written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unit59.foundation.files import SCRATCH
from unit59.results.manifest import Manifest
from unit59.results.places import MANIFEST, RUN, contents
from unit59.results.reader import model_folders, read_model
from unit59.results.record import ResultsError
from unit59.results.schema import ModelRecord
from unit59.results.source import ModelFolder

#: What others keep in a folder of a repository, or of a file system of its own.
_BELONGS = re.compile(r"\.git\w*|lost\+found")


def find_faults(folder: Path) -> Iterator[str]:
    """Say what is wrong with one model's results, a message a fault; nothing when all is well.

    Every listed file must be there and as it was written, every other file must not be there, and the whole
    must be what the site stage can read.

    Args:
        folder: `results/<model>`.
    """
    try:
        source = ModelFolder.of(folder)
    except ResultsError as error:
        yield str(error)
        return
    found = False
    for fault in [*_damage(source), *_strangers(source)]:
        found = True
        yield fault
    if found or "model.json" not in source.files:
        return
    try:
        read_model(folder)
    except ResultsError as error:
        yield str(error)


def find_missing(folder: Path) -> Iterator[str]:
    """Say which parts an interrupted run has not written, a message a part; nothing when it was finished.

    Args:
        folder: `results/<model>`.

    Raises:
        ResultsError: its manifest or model.json cannot be read.
    """
    source = ModelFolder.of(folder)
    go_on = "The run that writes it was interrupted; the same `unit59 dissect` goes on from there."
    if "model.json" not in source.files:
        yield f"{folder}: no layer of this model is finished. {go_on}"
    if source.manifest.unfinished:
        yield f"{folder}: {len(source.manifest.unfinished)} files belong to no finished part. {go_on}"
    for part in _planned(source):
        if part not in source.manifest.parts:
            yield f"{folder}: {part} is missing. {go_on}"
        elif part.startswith("studies/") and f"{part}/study.json" not in source.files:
            yield f"{folder}: {part} was measured and not told. Run `unit59 dissect` again."


def _planned(source: ModelFolder) -> list[str]:
    planned = list(source.manifest.planned)
    if "model.json" in source.files:
        record = source.record("model.json", ModelRecord)
        planned += [f"layers/{layer}" for layer in record.planned_layers]
    return list(dict.fromkeys(planned))


def _damage(source: ModelFolder) -> Iterator[str]:
    for kept in source.files.values():
        if fault := kept.fault():
            yield fault


def _strangers(source: ModelFolder) -> Iterator[str]:
    """Files that nobody of the tool's wrote: they are not read, not published, and not removed."""
    known = _known(source.manifest)
    for file, is_regular in contents(source.folder):
        if not is_regular and file not in source.files:
            yield f"{source.folder / file}: links and devices have no place in results. Remove it."
        elif file not in known:
            yield f"{source.folder / file}: the manifest does not list this file. Remove it."


def _known(manifest: Manifest) -> set[str]:
    listed = {file for part in manifest.parts.values() for file in part.every}
    return {MANIFEST, RUN, *listed, *manifest.unfinished}


def _beside_models(root: Path, models: list[Path]) -> Iterator[str]:
    """What has no place in a results folder, beside those of its models."""
    for path in sorted(set(root.iterdir()) - set(models)):
        if path.name.startswith(SCRATCH):
            yield f"{path}: a run that was killed left this. The next `unit59 dissect` removes it."
        elif path.is_symlink() or not _BELONGS.fullmatch(path.name):
            yield f"{path}: this is no model's folder with a manifest. Remove it."


def check_results(root: Path) -> list[str]:
    """Everything that is wrong with a results folder or missing from it, a message each.

    Raises:
        ResultsError: there is no model's folder.
    """
    models = model_folders(root)
    said = list(_beside_models(root, models))
    for folder in models:
        faults = list(find_faults(folder))
        # What cannot be read cannot say what it lacks.
        said += faults or list(find_missing(folder))
    return said
