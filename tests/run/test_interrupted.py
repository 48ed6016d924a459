"""Interrupted anywhere, the same command ends with the bytes of a run that nothing disturbed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.conftest import StopAt
from unit59.edit import unit_pictures
from unit59.results import find_faults, read_model
from unit59.studies.layers import measure as layers

#: Small enough that a run can be stopped at many of its steps.
SMALL: dict[str, Any] = {
    "samples": 8,
    "layers": "[layer3]",
    "exemplars": 1,
    "more": "effects: {samples: 8, extra: 0, layers: [layer3]}",
}
#: Of the steps every third is tried.
STRIDE = 3


@pytest.mark.parametrize("when", [1, 2, 5, 9, 13, 16, 26, 33, 45, 56, 57])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(
    finished: Path, tmp_path: Path, stop_at: StopAt, when: int
) -> None:
    stop_at(when, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path)
    stop_at(10**9, KeyboardInterrupt())
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


def every_step(patch: pytest.MonkeyPatch, before: Callable[[], None]) -> None:
    """Call `before` ahead of every flush of a file, and of every move of one to its place."""
    flush, move = os.fsync, Path.replace

    def fsync(file: int) -> None:
        before()
        flush(file)

    def replace(self: Path, target: Path) -> Path:
        before()
        return move(self, target)

    patch.setattr(os, "fsync", fsync)
    patch.setattr(Path, "replace", replace)


class Steps:
    """Counts steps, and stops at one of them as a key press does."""

    def __init__(self, stop: int) -> None:
        self.stop, self.done = stop, 0

    def __call__(self) -> None:
        self.done += 1
        if self.done == self.stop:
            raise KeyboardInterrupt


def stopped(folder: Path, stop: int) -> int:
    """A small run that stops at a step; how many there were."""
    steps = Steps(stop)
    with pytest.MonkeyPatch.context() as patch:
        every_step(patch, steps)
        if stop:
            with pytest.raises(KeyboardInterrupt):
                tiny.run(folder, **SMALL)
        else:
            tiny.run(folder, **SMALL)
    return steps.done


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, bytes]]:
    """How many steps a small run has, and what it gives."""
    folder = tmp_path_factory.mktemp("small")
    return stopped(folder, 0), tiny.contents(folder / "results/tiny")


def test_stopped_before_a_flush_or_a_move(small: tuple[int, dict[str, bytes]], tmp_path: Path) -> None:
    steps, whole = small
    assert steps > 80
    for stop in range(1, steps + 1, STRIDE):
        folder = tmp_path / str(stop)
        folder.mkdir()
        stopped(folder, stop)
        if (folder / "results/tiny/manifest.json").exists():
            list(find_faults(folder / "results/tiny"))
        assert tiny.contents(tiny.run(folder, **SMALL)) == whole, f"stopped at step {stop}"
        assert not list(folder.rglob("*partial*"))


def test_stopped_again_and_again(small: tuple[int, dict[str, bytes]], tmp_path: Path) -> None:
    """Each run gets forty steps further, more than any part takes; what it finished is there for the next."""
    steps, whole = small
    for _ in range(steps):
        with pytest.MonkeyPatch.context() as patch:
            every_step(patch, Steps(40))
            try:
                tiny.run(tmp_path, **SMALL)
            except KeyboardInterrupt:
                continue
        break
    assert tiny.contents(tmp_path / "results/tiny") == whole
    assert list(find_faults(tmp_path / "results/tiny")) == []


def test_a_full_disk_loses_nothing(finished: Path, tmp_path: Path, stop_at: StopAt) -> None:
    stop_at(9, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space"):
        tiny.run(tmp_path)
    assert not list((tmp_path / "cache").rglob("*.partial"))
    stop_at(10**9, KeyboardInterrupt())
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


@pytest.mark.parametrize("until", ["samples/layer1", "measures/layer2", "pictures/layer1", "pictures/layer3"])
def test_kill_9_and_the_same_command_again(finished: Path, tmp_path: Path, until: str) -> None:
    recipe = tiny.write_recipe(tmp_path)
    command = [sys.executable, "-m", "unit59", "dissect", str(recipe)]
    command += ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--quiet"]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while not (tmp_path / "cache/tiny" / until).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert subprocess.run(command, check=False).returncode == 0
    assert tiny.contents(tmp_path / "results" / "tiny") == tiny.contents(finished)


def test_an_interrupted_run_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = unit_pictures.draw_strips

    def failing(sweep: Any, *rest: Any) -> Any:
        if sweep.layer == "layer2":
            raise KeyboardInterrupt
        return draw(sweep, *rest)

    monkeypatch.setattr(layers, "draw_strips", failing)
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path)
    results = read_model(tmp_path / "results" / "tiny")
    assert [layer.record.name for layer in results.layers] == ["layer1"]
    assert results.missing_layers == ["layer2", "layer3"]
