"""An interrupted training ends with the same weights as one that ran through."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from tests.training.tiny import RECIPES, write_recipe
from unit59.foundation.progress import Reporter
from unit59.networks import load
from unit59.training import checkpoint
from unit59.training.checkpoint import Saved, TrainingError
from unit59.training.train import read_training, start

QUIET = Reporter(quiet=True)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the processes that are killed: sums come out the same."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tensors(path: Path) -> bytes:
    """A safetensors file's numbers, without the header, whose order and seconds differ."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


@pytest.mark.parametrize("family", RECIPES)
def test_stopped_anywhere_the_weights_are_the_same(tmp_path: Path, family: str) -> None:
    recipe = write_recipe(tmp_path, family)
    whole = start(recipe, tmp_path / "whole", "cpu", QUIET).run()
    steps = start(recipe, tmp_path / "whole", "cpu", QUIET).step
    for stop in (1, steps // 2, steps // 2 + 1, steps):
        training = start(recipe, tmp_path / "parts", "cpu", QUIET)
        training.run(stop)
        assert training.step == stop
    parts = start(recipe, tmp_path / "parts", "cpu", QUIET).export()
    assert tensors(parts) == tensors(whole)
    saved = [tmp_path / run / "tiny" / "checkpoint.safetensors" for run in ("whole", "parts")]
    assert tensors(saved[0]) == tensors(saved[1])


def test_killed_without_warning(tmp_path: Path) -> None:
    """200 steps, killed with SIGKILL twice on the way."""
    text = RECIPES["progan"].replace("images: 24", "images: 400").replace("images: 48", "images: 400")
    recipe = tmp_path / "progan.yaml"
    recipe.write_text(text)
    checkpoint = tmp_path / "killed" / "tiny" / "checkpoint.safetensors"
    for wanted in (20, 120):
        process = _train(recipe, tmp_path / "killed")
        for _ in range(3000):
            if process.poll() is not None or _steps_in(checkpoint) >= wanted:
                break
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert wanted <= _steps_in(checkpoint) < 200
    finished = _train(recipe, tmp_path / "killed")
    assert finished.wait(timeout=120) == 0
    expected = start(recipe, tmp_path / "whole", "cpu", QUIET).run()
    assert tensors(tmp_path / "killed" / "tiny" / "tiny.safetensors") == tensors(expected)
    lines = [
        json.loads(line) for line in (tmp_path / "killed" / "tiny" / "log.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [50, 100, 150, 200]


def _train(recipe: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "unit59", "train", str(recipe), "--folder", str(folder), "--quiet"]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _steps_in(checkpoint: Path) -> int:
    if not checkpoint.exists():
        return 0
    data = checkpoint.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return int(json.loads(header["__metadata__"]["state"])["step"])


def test_sheets_log_and_weights(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "stylegan")
    recipe.write_text(recipe.read_text() + "sheet_every: 30\n")
    path = start(recipe, tmp_path, "cpu", QUIET).run()
    sheets = sorted(sheet.name for sheet in (tmp_path / "tiny" / "sheets").iterdir())
    assert sheets == ["000000032.webp", "000000064.webp", "000000096.webp"]
    network = load(path)
    assert network.resolution == (16, 16)
    assert [layer.units for layer in network.layers.values()] == [6, 6, 5, 4, 3, 3]


def test_another_recipe_does_not_go_on_from_it(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "progan")
    start(recipe, tmp_path, "cpu", QUIET).run(2)
    recipe.write_text(recipe.read_text().replace("latent: 5", "latent: 6"))
    with pytest.raises(TrainingError, match="other settings"):
        start(recipe, tmp_path, "cpu", QUIET)
    (tmp_path / "tiny" / "checkpoint.safetensors").write_bytes(b"damaged")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        start(recipe, tmp_path, "cpu", QUIET)


def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    path, known = tmp_path / "checkpoint.safetensors", read_training(write_recipe(tmp_path, "progan"))
    numbers = torch.arange(30, dtype=torch.float32)
    state = {"a": numbers, "b": numbers.bfloat16().reshape(5, 6), "c": torch.tensor(7), "d": numbers[:0]}
    checkpoint.write(path, Saved(3, 1.5, state), known)
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            found = checkpoint.read(path, known)
        except TrainingError:
            continue
        assert found is not None
        assert (found.step, found.seconds, found.tensors.keys()) == (3, 1.5, state.keys())
        assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_a_checkpoint_of_before_the_checksum_is_read(tmp_path: Path) -> None:
    path, known = tmp_path / "checkpoint.safetensors", read_training(write_recipe(tmp_path, "progan"))
    checkpoint.write(path, Saved(3, 1.5, {"a": torch.ones(2)}), known)
    with safe_open(path, "pt") as file:
        metadata = {name: text for name, text in file.metadata().items() if name != "sha256"}
    path.write_bytes(save({"a": torch.zeros(2)}, metadata))
    found = checkpoint.read(path, known)
    assert found is not None
    assert found.tensors["a"].tolist() == [0, 0]


def test_what_a_killed_training_left_is_swept(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "progan")
    left = [
        tmp_path / "tiny" / name for name in (".checkpoint.safetensors.1.partial", "sheets/.8.webp.1.partial")
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    held, own = tmp_path / "tiny" / ".log.jsonl.2.partial", tmp_path / "tiny" / "mine.partial"
    own.touch()
    with held.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        start(recipe, tmp_path, "cpu", QUIET)
        assert not [path for path in left if path.exists()]
        assert held.exists()
        assert own.exists()


def test_how_often_it_saves_changes_nothing(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "progan")
    start(recipe, tmp_path, "cpu", QUIET).run(3)
    recipe.write_text(recipe.read_text().replace("save_seconds: 0.01", "save_seconds: 1000"))
    assert start(recipe, tmp_path, "cpu", QUIET).step == 3


def test_phases_to_come_may_still_change(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "progan")
    start(recipe, tmp_path, "cpu", QUIET).run(4)
    recipe.write_text(recipe.read_text().replace("images: 24", "images: 32").replace("fade: 24", "fade: 8"))
    start(recipe, tmp_path, "cpu", QUIET).run(10)
    recipe.write_text(recipe.read_text().replace("images: 48", "images: 56"))
    assert start(recipe, tmp_path, "cpu", QUIET).step == 10
    recipe.write_text(recipe.read_text().replace("fade: 8", "fade: 12"))  # in the midst of it
    with pytest.raises(TrainingError, match="other settings"):
        start(recipe, tmp_path, "cpu", QUIET)
