"""NumPy arrays and torch tensors, in every container and protocol, and what is wrong with bad ones."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from unit59.checkpoints import CheckpointError, read_checkpoint

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "matrix": np.arange(600, dtype=np.float32).reshape(20, 30),
    "fortran": np.asfortranarray(np.arange(600, dtype=np.float64).reshape(20, 30)),
    "big": np.arange(300, dtype=">f4"),
    "flags": np.array([True, False, True]),
    "scalar": np.array(3, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "small": np.array([1, 2], np.uint8),
    "half": np.arange(5, dtype=np.float16),
}


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.pkl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_numpy_arrays(tmp_path: Path, protocol: int, core: str) -> None:
    data = pickle.dumps({**ARRAYS, "number": np.float32(0.1), "again": ARRAYS["matrix"]}, protocol)
    if protocol < 4:  # names with a length before them cannot be exchanged
        data = data.replace(b"numpy._core", core.encode())
    content = read_checkpoint(written(tmp_path, data)).content
    for name, array in ARRAYS.items():
        found = content[name]
        assert found.shape == array.shape
        assert found.dtype.kind == array.dtype.kind
        np.testing.assert_array_equal(found, array)
    assert content["number"] == np.float32(0.1)
    assert content["again"] is content["matrix"]


def test_numpy_object_arrays_are_refused(tmp_path: Path) -> None:
    data = pickle.dumps(np.array([None, "text"], object), 4)
    with pytest.raises(CheckpointError, match=r"numpy\.dtype: 'O8'"):
        read_checkpoint(written(tmp_path, data))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"M\xe8\x03", b"M\xe9\x03", "needs 4004 bytes, the file has 4000"),
        (b"M\xe8\x03", b"J\xff\xff\xff\xff", "-1 is no size"),
        (b"M\xe8\x03", b"\x8a\x07" + b"\xff" * 6 + b"\x7f", "is no size"),
        (b"\x8c\x02f4", b"\x8c\x02f7", "numpy.dtype: 'f7'"),
        (b"\x8c\x01<", b"\x8c\x01x", "numpy.dtype: its state"),
    ],
)
def test_numpy_claims_are_checked(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    data = pickle.dumps(np.zeros(1000, np.float32), 4)
    start = data.index(b"\x95") + 9  # without the frame, whose length would be wrong
    data = (data[:2] + data[start:]).replace(old, new)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(written(tmp_path, data))


def tensors() -> dict[str, Any]:
    base = torch.arange(1000, dtype=torch.float32)
    return OrderedDict(
        whole=base,
        transposed=base.view(20, 50).t(),
        strided=base[3::7],
        tail=base[990:],
        expanded=torch.tensor([7.0]).expand(4, 5),
        parameter=nn.Parameter(torch.randn(3, 4, generator=torch.Generator().manual_seed(0))),
        number=torch.tensor(5),
        empty=torch.zeros(0, 3),
        half=torch.arange(5).half(),
        bfloat=torch.arange(5).bfloat16(),
        double=torch.arange(5).double(),
        bytes=torch.arange(5, dtype=torch.uint8),
    )


@pytest.mark.parametrize("call", [b"ctorch\nSize\n(", b"cnumpy\ndtype\n("], ids=["size", "dtype"])
def test_what_never_ends_is_not_printed(tmp_path: Path, call: bytes) -> None:
    """60 lists, each of which holds the one before twice: 2 to the power of 60 ways to the innermost."""
    endless = b"]q\x00" + b"".join(b"0(h%ch%clq%c" % (n, n, n + 1) for n in range(60))
    (tmp_path / "file.pkl").write_bytes(b"\x80\x02" + call + endless + b"tR.")
    with pytest.raises(CheckpointError, match=r"something of type list is (no size|none)"):
        read_checkpoint(tmp_path / "file.pkl")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_torch_tensors(tmp_path: Path, zipped: bool, protocol: int) -> None:
    path = tmp_path / "file.pth"
    expected = {"state_dict": tensors(), "epoch": 3, "size": torch.Size([2, 3])}
    torch.save(expected, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoint = read_checkpoint(path)
    assert checkpoint.container == ("torch-zip" if zipped else "torch-legacy")
    assert checkpoint.content["epoch"] == 3
    assert checkpoint.content["size"] == (2, 3)
    found = checkpoint.state_dict("state_dict")
    assert found is not None
    for name, tensor in tensors().items():
        assert found[name].dtype == tensor.dtype
        torch.testing.assert_close(found[name], tensor.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_booleans_are_read_as_bytes(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "file.pth"
    torch.save(torch.tensor([True, False]), path, _use_new_zipfile_serialization=zipped)
    content = read_checkpoint(path).content
    assert content.dtype == torch.uint8
    assert content.tolist() == [1, 0]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_state_dict_of_a_module(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "file.pth"
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path).state_dict()
    assert found is not None
    assert list(found) == list(module.state_dict())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_whole_module_is_refused_by_name(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "file.pth"
    torch.save(nn.Conv2d(1, 1, 1), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=r"refuses the global 'torch\.nn\.modules\.conv\.Conv2d'"):
        read_checkpoint(path)


def test_big_endian_zip(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.arange(5, dtype=torch.float32)}, path)
    entries = unzipped(path)
    entries["file/byteorder"] = b"big"
    entries["file/data/0"] = np.arange(5, dtype=">f4").tobytes()
    found = read_checkpoint(zipped_to(path, entries)).content["a"]
    assert found.tolist() == [0, 1, 2, 3, 4]


def test_zip_entries_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.arange(1000, dtype=torch.float32)}, path)
    entries = unzipped(path)
    cases: list[tuple[dict[str, bytes], int, str]] = [
        (entries | {"file/data/0": bytes(3999)}, 0, "storage of 1000 numbers needs 4000 bytes, found 3999"),
        (entries | {"file/data/0": bytes(4001)}, 0, "found 4001"),
        ({k: v for k, v in entries.items() if k != "file/data/0"}, 0, "storage '0' is missing"),
        ({k: v for k, v in entries.items() if k != "file/data.pkl"}, 0, "no data.pkl"),
        (entries | {"file/byteorder": b"odd"}, 0, "byteorder"),
        (entries, zipfile.ZIP_DEFLATED, "compressed or encrypted"),
    ]
    for changed, compression, message in cases:
        with pytest.raises(CheckpointError, match=message):
            read_checkpoint(zipped_to(path, changed, compression))


def test_a_tensor_stays_inside_its_storage(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.zeros(600)[100:].view(20, 25)}, path)
    entries = unzipped(path)
    pkl = entries["file/data.pkl"]
    for old, new in ((b"Kd", b"Ke"), (b"K\x14K\x19", b"K\x15K\x19"), (b"K\x19K\x01", b"K\x1aK\x01")):
        assert pkl.count(old) == 1
        changed = entries | {"file/data.pkl": pkl.replace(old, new)}
        with pytest.raises(CheckpointError, match="reaches outside its storage of 600"):
            read_checkpoint(zipped_to(path, changed))


def test_expanding_cannot_claim_memory(tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.zeros(1).expand(1000, 1000)}, path)
    with pytest.raises(CheckpointError, match="reaches outside its storage"):
        read_checkpoint(path)


def test_legacy_storages_are_checked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1000)}, buffer, _use_new_zipfile_serialization=False)
    data = buffer.getvalue()
    count = data.rindex((1000).to_bytes(8, "little"))
    for damaged, message in (
        (data[:-1], "needs 4000 bytes, found 3999"),
        (data[:count], "does not hold the 1000 numbers"),
        (data[:count] + (10**15).to_bytes(8, "little") + data[count + 8 :], "does not hold the 1000 numbers"),
    ):
        with pytest.raises(CheckpointError, match=message):
            read_checkpoint(written(tmp_path, damaged))


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    save_file({"a": torch.arange(6.0).view(2, 3)}, path, {"key": "value"})
    checkpoint = read_checkpoint(path)
    assert checkpoint.container == "safetensors"
    assert checkpoint.metadata == {"key": "value"}
    assert checkpoint.content["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    data = path.read_bytes()
    for cut in range(0, len(data), 3):
        path.write_bytes(data[:cut])
        with pytest.raises(CheckpointError):
            read_checkpoint(path)


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped_to(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_an_absurd_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.pth"
    torch.save({str(n): torch.zeros(1) for n in range(50)}, path)
    assert len(read_checkpoint(path).content) == 50
    monkeypatch.setattr("unit59.checkpoints.torch_zip._LARGEST_DIRECTORY", 1000)
    with pytest.raises(CheckpointError, match="directory is absurdly large"):
        read_checkpoint(path)
