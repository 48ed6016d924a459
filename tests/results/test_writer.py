"""A part is there whole, as it was or not at all, wherever the writer is stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unit59.foundation.files import SCRATCH, sweep_partials
from unit59.results import ResultsError, ResultsWriter, find_faults, find_missing, to_json
from unit59.results.manifest import Manifest, read_manifest

PART = "studies/x"
OLD = {f"{PART}/a.parquet": b"old", f"{PART}/gone.parquet": b"old", f"{PART}/pictures/p.webp": b"old"}
NEW = {f"{PART}/a.parquet": b"new", f"{PART}/more.parquet": b"new", f"{PART}/pictures/p.webp": b"new!"}
STEPS = ("write_bytes", "replace", "unlink", "mkdir", "rmdir")


def _files(model: Path) -> dict[str, bytes]:
    found = (path for path in model.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(model).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "results"


def test_a_part_replaces_all_that_it_had(root: Path) -> None:
    writer = ResultsWriter(root, "m")
    writer.write_part(PART, "1", OLD, {f"{PART}/study.json": b"{}"})
    assert writer.is_current(PART, "1")
    assert not writer.is_current(PART, "2")
    writer.write_part(PART, "2", NEW)
    assert _files(root / "m") == NEW
    assert ResultsWriter(root, "m").is_current(PART, "2")
    assert list(find_faults(root / "m")) == []
    assert [path.name for path in root.parent.iterdir()] == ["results"]


def test_what_is_told_is_apart_from_what_was_measured(root: Path) -> None:
    writer = ResultsWriter(root, "m")
    writer.write_part(PART, "1", OLD)
    told = root / "m" / PART / "study.json"
    writer.write_told(PART, {f"{PART}/study.json": b"{}"})
    first = told.stat().st_mtime_ns
    writer.write_told(PART, {f"{PART}/study.json": b"{}"})
    assert told.stat().st_mtime_ns == first
    told.write_bytes(b"{ }")
    assert writer.is_current(PART, "1")
    assert any("study.json" in fault for fault in find_faults(root / "m"))
    writer.write_told(PART, {f"{PART}/study.json": b"{}"})
    assert list(find_faults(root / "m")) == []
    writer.write_told(PART, {f"{PART}/words.json": b"{}"})
    assert not told.exists()
    assert writer.is_current(PART, "1")
    with pytest.raises(KeyError):
        writer.write_told("studies/y", {"studies/y/study.json": b"{}"})


def test_a_changed_or_removed_measured_file_is_not_current(root: Path) -> None:
    for spoil in (lambda path: path.write_bytes(b"odd"), Path.unlink):
        writer = ResultsWriter(root, "m")
        writer.write_part(PART, "1", OLD)
        spoil(root / "m" / PART / "a.parquet")
        assert not writer.is_current(PART, "1")


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("when", range(40))
def test_stopped_at_any_step_nothing_mixed_is_believed(
    root: Path, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """Every step is one change of the file system; a killed program takes none of the steps that follow."""
    ResultsWriter(root, "m").write_part(PART, "1", OLD)
    left = when

    with monkeypatch.context() as patch:
        for name in STEPS:
            plain = getattr(Path, name)

            def step(path: Path, *args: object, plain: object = plain, **options: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Stopped
                return plain(path, *args, **options)  # type: ignore[operator]

            patch.setattr(Path, name, step)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with contextlib.suppress(Stopped):
            ResultsWriter(root, "m").write_part(PART, "2", NEW)
    parts = read_manifest(root / "m").parts
    found = _files(root / "m")
    if PART in parts:
        assert found in (OLD, NEW)
        assert parts[PART].key == ("1" if found == OLD else "2")
        assert list(find_faults(root / "m")) == []
    else:
        assert list(find_missing(root / "m"))
    writer = ResultsWriter(root, "m")
    writer.write_part(PART, "2", NEW)
    writer.keep_only({PART})
    assert _files(root / "m") == NEW
    assert list(find_faults(root / "m")) == []
    assert [path.name for path in root.parent.iterdir()] == ["results"]


def test_what_a_killed_writer_left_is_swept_at_the_next_run(root: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from unit59.foundation.files import scratch_folder\n"
        "with scratch_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'half').write_bytes(b'half'); print('ready', flush=True); time.sleep(60)\n"
    )
    root.mkdir()
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(root.parent)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    ResultsWriter(root, "m")
    assert list(root.parent.glob(f"{SCRATCH}*"))  # another program holds it
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    mine = root.parent / "notes.partial"
    mine.write_text("not the tool's")
    ResultsWriter(root, "m")
    assert not list(root.parent.glob(f"{SCRATCH}*"))
    assert mine.exists()
    assert list(root.iterdir()) == []


def test_what_a_killed_writer_left_in_the_results_is_swept_too(root: Path) -> None:
    """There, where they were a mount of their own when it ran; today they are none."""
    left = root / f"{SCRATCH}00" / "half"
    left.parent.mkdir(parents=True)
    left.touch()
    ResultsWriter(root, "m")
    assert list(root.iterdir()) == []


def test_results_that_are_a_mount_of_their_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # as good as another file system beside them
    ResultsWriter(root, "m").write_part(PART, "1", OLD)
    assert _files(root / "m") == OLD
    assert [path.name for path in root.iterdir()] == ["m"]


def test_a_thousand_pictures_cost_no_flush_each(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    files = {f"layers/l/pictures/{i:04d}-exemplars.webp": bytes(20_000) for i in range(1000)}
    ResultsWriter(root, "m").write_part("layers/l", "1", files)
    assert len(flushed) == 2  # the manifest, before and after


def test_results_of_schema_1_are_refused_by_readers_and_measured_anew_by_the_writer(root: Path) -> None:
    model = root / "m"
    (model / "layers" / "l").mkdir(parents=True)
    old = {"quality.json": "{}", "layers/l/effects.json": "{}", "mine.json": "{}"}
    for name, text in old.items():
        (model / name).write_text(text)
    entry = {"bytes": 2, "sha256": "0" * 64}
    parts = {
        "quality": {"key": "k", "files": {"quality.json": entry}},
        "layers/l/effects": {"key": "k", "files": {"layers/l/effects.json": entry, "../x.json": entry}},
    }
    (model / "manifest.json").write_bytes(to_json({"schema_version": 1, "parts": parts}))
    with pytest.raises(ResultsError, match=r"results schema 1.*dissect"):
        read_manifest(model)
    writer = ResultsWriter(root, "m")
    assert not writer.is_current("quality", "k")
    writer.write_part(PART, "1", OLD)
    writer.keep_only({PART})
    assert set(_files(model)) == {*OLD, "mine.json"}


def test_what_a_run_has_not_written_is_named(root: Path) -> None:
    writer = ResultsWriter(root, "m")
    writer.plan({"model", "layers/a", PART})
    assert len(list(find_missing(root / "m"))) == 4  # no layer finished, and three parts
    writer.write_part(PART, "1", OLD)
    assert any(f"{PART} was measured and not told" in line for line in find_missing(root / "m"))


def test_no_part_is_written_that_would_be_refused(root: Path) -> None:
    for part, file in (("studies/..", "studies/../a.json"), (PART, "model.json"), (PART, f"{PART}/a.html")):
        with pytest.raises(ValueError, match=r"no name of a part|no place"):
            ResultsWriter(root, "m").write_part(part, "1", {file: b""})
    assert Manifest(parts={}).unfinished == []


def test_what_killed_writers_left_in_a_cache_is_swept(tmp_path: Path) -> None:
    left, mine = tmp_path / "k" / ".00000.safetensors.123.partial", tmp_path / "notes.partial"
    left.parent.mkdir()
    for path in (left, mine):
        path.write_bytes(b"half")
    sweep_partials(tmp_path, below=True)
    assert not left.exists()
    assert mine.exists()
