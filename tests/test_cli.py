"""The command line: bad input gives one clear message and exit status 2, never a traceback."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from tests import tiny
from unit59 import cli
from unit59.commands.many import dissect_all
from unit59.foundation.version import __version__
from unit59.results import read_model


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, standard output, standard error (in one line) of `unit59 …`."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as exit_:
        patch.setattr("sys.argv", ["unit59", *map(str, arguments)])
        cli.main()
    out, err = capsys.readouterr()
    code = exit_.value.code
    return code if isinstance(code, int) else int(bool(code)), out, " ".join(err.split())


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version")[:2] == (0, f"unit59 {__version__}\n")
    status, out, _ = call(capsys, "--help")
    assert status == 0
    assert "dissect" in out


@pytest.mark.parametrize(
    "arguments",
    [["dissect"], ["disect"], ["dissect", "--batch-size", "0", "x.yaml"], ["check", "--nonsense"]],
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, _, err = call(capsys, *arguments)
    assert status == 2
    assert "Usage" in err
    assert "Traceback" not in err


def test_a_whole_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, layers="[layer2]", samples=16)
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, out, err = call(capsys, "dissect", recipe, *places)
    assert (status, out) == (0, "")
    assert "samples: 16 samples in" in err
    assert "layer2: pictures: 5 units in" in err
    run = json.loads((tmp_path / "results/tiny/run.json").read_text())
    assert run["device"] == "cpu"
    status, _, err = call(capsys, "dissect", recipe, *places, "--quiet")
    assert (status, err) == (0, "")
    status, out, _ = call(capsys, "check", tmp_path / "results")
    assert status == 0
    assert "as they were written" in out


def two_recipes(folder: Path, samples: int = 16) -> list[Path]:
    return [
        tiny.write_recipe(folder, f"{name}.yaml", model=name, layers="[layer2]", samples=samples)
        for name in "ab"
    ]


def test_several_recipes_side_by_side(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, out, err = call(capsys, "dissect", *two_recipes(tmp_path), *places)
    assert (status, out) == (0, "")
    assert "a samples: 16 samples in" in err
    assert "b layer2: pictures: 5 units in" in err
    alone = tiny.run(tmp_path, results="alone", cache="other", layers="[layer2]", samples=16)
    for model in "ab":
        units = (tmp_path / "results" / model / "layers/layer2/units.parquet").read_bytes()
        assert units == (alone / "layers/layer2/units.parquet").read_bytes()


def test_one_that_fails_does_not_stop_the_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache", "--jobs", "1")
    first, second = two_recipes(tmp_path)
    first.write_text(first.read_text().replace("layer2", "layer9"))
    status, _, err = call(capsys, "dissect", first, second, *places)
    assert status == 2
    assert "no layer 'layer9'" in err
    assert f"not finished: {first}." in err
    assert "Traceback" not in err
    assert read_model(tmp_path / "results/b").missing_layers == []
    second.write_text("modle: b")
    assert call(capsys, "dissect", first, second, *places)[0] == 2  # said before anything runs


def test_the_current_folder_s_files_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = two_recipes(tmp_path)
    (tmp_path / "yaml.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit")
    monkeypatch.chdir(tmp_path)
    ended = dissect_all(recipes, ["--quiet"], 2, print)
    assert not (tmp_path / "ran").exists()
    assert set(ended.values()) == {0}
    assert read_model(tmp_path / "results/b").missing_layers == []


def test_status_0_halfway_is_not_done(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    first, second = two_recipes(tmp_path)
    (tmp_path / "ends.py").write_text("import os\nos._exit(0)")
    first.write_text(first.read_text().replace("colours", "ends:Colours"))
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, _, err = call(capsys, "dissect", first, second, *places)
    assert status == 2
    assert "a unit59: something ended the run before it was done." in err
    assert f"not finished: {first}." in err


def wait_for_samples(folder: Path) -> None:
    """Until the first of many samples are made."""
    deadline = time.monotonic() + 120
    while not list((folder / "cache").glob("*/samples/pictures/*")) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_ctrl_c_reaches_all(tmp_path: Path) -> None:
    recipes = [str(path) for path in two_recipes(tmp_path, 3000)]
    command = [sys.executable, "-m", "unit59", "dissect", *recipes]
    command += ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_samples(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 130
    assert "The same command goes on from here." in said
    assert "Traceback" not in said


def started(folder: Path, recipes: list[Path]) -> subprocess.Popen[str]:
    """`unit59 dissect` of many samples, once the first are made."""
    command = [sys.executable, "-m", "unit59", "dissect", *map(str, recipes)]
    command += ["--results", str(folder / "results"), "--cache", str(folder / "cache"), "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for_samples(folder)
    return process


@pytest.mark.parametrize("count", [1, 2])
def test_sigterm_ends_like_ctrl_c(tmp_path: Path, count: int) -> None:
    with started(tmp_path, two_recipes(tmp_path, 3000)[:count]) as process:
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 143
    assert said.splitlines()[-1] == "unit59: terminated. The same command goes on from here."
    assert "Traceback" not in said
    assert not list(tmp_path.rglob("*.partial"))


def children(parent: int) -> list[int]:
    found = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(child) for tasks in found for child in tasks.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_children_do_not_survive_their_parent(tmp_path: Path) -> None:
    with started(tmp_path, two_recipes(tmp_path, 3000)) as process:
        running = children(process.pid)
        assert running
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{child}").exists() for child in running) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [child for child in running if Path(f"/proc/{child}").exists()]


def test_names_do_not_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    from unit59.foundation.progress import Reporter

    reporter = Reporter()
    reporter.say("a \x1b[31m[red] :four: \ud800")
    reporter.console = Console(stderr=True, force_terminal=True, color_system=None)
    reporter.say("b \x1b[31m[red] :four: \ud800")
    with reporter.step("c [red] :four: \x1b]0;x", 1, "units") as advance:
        advance(1)
    cli._complain("d \x1b[31m[red] :four: \ud800")
    err = capsys.readouterr().err
    for letter in "abd":
        assert f"{letter} ?[31m[red] :four: ?" in err
    assert "c [red] :four: ?]0;x" in err


def test_missing_truncated_and_foreign_weights(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tiny.write_recipe(tmp_path)
    weights = tmp_path / "tiny.pth"
    whole = weights.read_bytes()
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    for content, says in (
        (whole[: len(whole) // 2], "tiny.pth"),
        (b"not a checkpoint", "tiny.pth"),
        (b"", "tiny.pth"),
    ):
        weights.write_bytes(content)
        status, _, err = call(capsys, "dissect", recipe, *places)
        assert status == 2, err
        assert says in err
        assert "Traceback" not in err
    weights.unlink()
    status, _, err = call(capsys, "dissect", recipe, *places)
    assert status == 2
    assert "tiny.yaml:4: checkpoint.file:" in err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("device", ["quantum", "cuda:99", "cuda:x", "cuda:-2"])
def test_no_such_device(device: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = call(capsys, "dissect", tiny.write_recipe(tmp_path), "--device", device)
    assert status == 2
    assert f"--device {device}: torch cannot use it here" in err
    assert len(err.strip().splitlines()) == 1


def test_damaged_newer_and_empty_results(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = call(capsys, "check", tmp_path / "nowhere")
    assert status == 2
    assert "no results folder here" in err
    (tmp_path / "empty").mkdir()
    assert call(capsys, "check", tmp_path / "empty")[0] == 2
    folder = tiny.run(tmp_path, layers="[layer2]", samples=16)
    (folder / "layers/layer2/pictures/0002-inserted.webp").unlink()
    status, _, err = call(capsys, "check", tmp_path / "results")
    assert status == 2
    assert "0002-inserted.webp: the file is missing" in err
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["schema_version"] = 99
    (folder / "manifest.json").write_text(json.dumps(manifest))
    status, _, err = call(capsys, "check", tmp_path / "results")
    assert status == 2
    assert "results schema 99" in err
    assert "pip install --upgrade unit59" in err


def test_a_manifest_that_points_outside_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tiny.run(tmp_path, layers="[layer2]", samples=16)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["parts"]["model"]["files"]["../../secret"] = {"bytes": 1, "sha256": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    status, _, err = call(capsys, "check", tmp_path / "results")
    assert status == 2
    assert "points outside the folder of its part" in err


def test_a_full_disk_and_a_key_press(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny.write_recipe(tmp_path, layers="[layer2]", samples=16)
    command = ("dissect", recipe, "--results", tmp_path / "results", "--cache", tmp_path / "cache")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr("os.fsync", full)
    status, _, err = call(capsys, *command)
    assert status == 2
    assert "somewhere: No space left on device. Make room" in err

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", pressed)
    assert call(capsys, *command)[0] == 130
    monkeypatch.undo()
    assert call(capsys, *command)[0] == 0
    assert read_model(tmp_path / "results/tiny").missing_layers == []


def test_two_runs_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import fcntl

    recipe = tiny.write_recipe(tmp_path)
    (tmp_path / "cache/tiny").mkdir(parents=True)
    with (tmp_path / "cache/tiny/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, _, err = call(capsys, "dissect", recipe, "--cache", tmp_path / "cache")
    assert status == 2
    assert "another run is dissecting this model" in err


def test_fetching_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "fetch", "face")
    assert status == 2
    assert "did you mean 'faces'?" in err
