"""Hostile and damaged files: a `CheckpointError` or a correct load, and nothing that they carry ever runs."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest
import torch

from tests.published import FIXTURES, REDUCE, generator_files, some_inputs
from unit59.checkpoints import CheckpointError, read_checkpoint
from unit59.networks import load

FILES = {path.name: path for path in generator_files()}
CUTS, FLIPS = 30, 200
SLOW = {"stylegan2ada": 40, "stylegan3": 25}  # their files hold some hundred pickles each


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The malicious files write `pwned` into the current directory; the standard library never loads."""
    monkeypatch.chdir(tmp_path)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a checkpoint reached code that can execute it")

    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(torch.storage, "_load_from_bytes", refuse)


def test_a_reduce_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"posix\.system") as caught:
        load(REDUCE)
    assert REDUCE.name in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/MALICIOUS*")), ids=lambda path: path.name)
def test_malicious_fixtures_write_nothing(tmp_path: Path, path: Path) -> None:
    try:
        net = load(path)
        net.generate(*some_inputs(net))  # only the embedded source is malicious, and is never looked at
    except CheckpointError as error:
        assert path.name in str(error)
    assert list(tmp_path.iterdir()) == []


class Evil:
    """Pickles as a call of whatever a test wants."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("container", ["pickle", "zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_call_is_refused_in_every_container(tmp_path: Path, container: str, protocol: int) -> None:
    path = tmp_path / "evil.pkl"
    content = {"weight": torch.zeros(3), "x": Evil(Path.touch, tmp_path / "pwned")}
    if container == "pickle":
        path.write_bytes(pickle.dumps(Evil(print, "pwned"), protocol))
    else:
        zipped = container == "zip"
        torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"refuses the global '(builtins\.|__builtin__\.|pathlib)"):
        load(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_call_nested_in_a_torch_stream_is_refused(tmp_path: Path) -> None:
    """`_load_from_bytes` of such a stream would run it; here it is read by the same rules."""
    inner = tmp_path / "inner"
    torch.save(Evil(print, "pwned"), inner, _use_new_zipfile_serialization=False)
    stream = inner.read_bytes()
    outer = b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + len(stream).to_bytes(4, "little") + stream
    (tmp_path / "outer.pkl").write_bytes(outer + b"\x85R.")
    with pytest.raises(
        CheckpointError, match=r"nested torch stream.*refuses the global '__builtin__\.print'"
    ):
        load(tmp_path / "outer.pkl")


@pytest.mark.parametrize("name", FILES)
def test_truncation(tmp_path: Path, name: str) -> None:
    data, cut = FILES[name].read_bytes(), tmp_path / "cut"
    draw = random.Random(1)
    ends = [0, 1, 2, 20, len(data) - 1, *(draw.randrange(len(data)) for _ in range(CUTS))]
    for end in ends:
        cut.write_bytes(data[:end])
        with pytest.raises(CheckpointError) as caught:
            load(cut)
        assert str(cut) in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_flipped_bytes(tmp_path: Path, name: str) -> None:
    """Half of the flips fall into the first tenth of the file, which is mostly structure."""
    data, flipped = FILES[name].read_bytes(), tmp_path / "flipped"
    draw, refused = random.Random(2), 0
    flips = SLOW.get(FILES[name].parent.name, FLIPS)
    for number in range(flips):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data) // (10 if number % 2 else 1))] ^= draw.randrange(1, 256)
        flipped.write_bytes(damaged)
        try:
            load(flipped)
        except CheckpointError as error:
            refused += 1
            assert str(flipped) in str(error)
    assert 0 < refused < flips


def test_reading_costs_no_copy(tmp_path: Path) -> None:
    """Two tensors of one file are views of one buffer."""
    torch.save({"a": torch.zeros(1000), "b": torch.ones(1000)}, tmp_path / "file.pth")
    content = read_checkpoint(tmp_path / "file.pth").content
    distance = content["b"].data_ptr() - content["a"].data_ptr()
    assert 0 < abs(distance) < (tmp_path / "file.pth").stat().st_size
