"""`unit59 dissect --engine dask`: what is wrong is one line, and nobody outlives the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests import tiny
from tests.test_cli import call, wait_for_samples
from unit59.cluster import machines


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return tiny.write_recipe(tmp_path, samples=3000, layers="[layer2]")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--workers", "2"], "--scheduler and --workers go with --engine dask."),
        (["--engine", "dask", "--workers", "2", "--scheduler", "tcp://a:1"], "Give one."),
        (
            ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"],
            "no Dask scheduler answers there within 1 s",
        ),
        (["--engine", "dask", "--scheduler", "nonsense://x"], "--scheduler nonsense://x: no Dask scheduler"),
        (["--engine", "dask", "--scheduler", "not-there.json"], "(FileNotFoundError)"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    recipe: Path,
    given: list[str],
    says: str,
) -> None:
    monkeypatch.setattr(machines, "PATIENCE", 1)
    status, out, err = call(capsys, "dissect", recipe, *given)
    assert (status, out) == (2, "")
    assert err.startswith("unit59: ") and says in err and "Traceback" not in err


def test_without_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, recipe: Path
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    status, _, err = call(capsys, "dissect", recipe, "--engine", "dask")
    assert status == 2
    assert err == (
        "unit59: --engine dask: distributed is not installed. It needs `pip install 'unit59[cluster]'`."
    )


def test_each_worker_has_a_gpu_where_dask_cuda_is(monkeypatch: pytest.MonkeyPatch) -> None:
    report, dask = tiny.Listening(), SimpleNamespace(LocalCluster="plain")
    assert machines._kind(dask, "cpu", report) == "plain" and not report.said
    monkeypatch.setitem(sys.modules, "dask_cuda", None)
    assert machines._kind(dask, "cuda", report) == "plain"
    assert report.said == [
        "dask-cuda is not installed: all workers share cuda. With it each has a GPU of its own."
    ]
    there = ModuleType("dask_cuda")
    there.__dict__["LocalCUDACluster"] = "one GPU each"
    monkeypatch.setitem(sys.modules, "dask_cuda", there)
    assert machines._kind(dask, "cuda", report) == "one GPU each"


def in_session(session: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue  # it has ended since
        if int(its) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "status", "says"),
    [
        (signal.SIGTERM, 143, "unit59: terminated. The same command goes on from here."),
        (signal.SIGINT, 130, "unit59: interrupted. The same command goes on from here."),
    ],
)
def test_nobody_outlives_the_command(
    tmp_path: Path, recipe: Path, number: signal.Signals, status: int, says: str
) -> None:
    command = [
        sys.executable,
        "-m",
        "unit59",
        "dissect",
        str(recipe),
        "--engine",
        "dask",
        "--workers",
        "1",
    ]
    command += ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        wait_for_samples(tmp_path)
        assert len(in_session(process.pid)) > 1
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        process.wait()
        deadline = time.monotonic() + 60
        while in_session(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert in_session(process.pid) == []
        assert process.stderr is not None
        said = process.stderr.read()
    assert said.splitlines()[-1] == says
    assert "Traceback" not in said
    assert process.returncode == status
