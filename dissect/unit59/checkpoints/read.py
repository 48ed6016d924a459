"""Recognise a file's container by its first bytes and read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from unit59.checkpoints.arrays import NUMPY
from unit59.checkpoints.base import Checkpoint, CheckpointError, RefusedError
from unit59.checkpoints.inert import Known
from unit59.checkpoints.known import NETWORKS, PYTHON
from unit59.checkpoints.limits import Budget
from unit59.checkpoints.paths import refuse_odd_files
from unit59.checkpoints.published import how_to_get
from unit59.checkpoints.tensors import TORCH, Storage
from unit59.checkpoints.torch_legacy import MAGIC, read_stream
from unit59.checkpoints.torch_zip import read_zip
from unit59.checkpoints.unpickle import Unpickler

#: A legacy torch file's first pickle, at protocols from 2 and below.
_LEGACY_STARTS = (b"\x8a\x0a" + MAGIC.to_bytes(10, "little"), f"L{MAGIC}L".encode())


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read any supported file as data.

    Raises:
        CheckpointError: missing, truncated, damaged, of no known format, or holding anything but data.
    """
    path = Path(path)
    view = _read(path)
    start = bytes(view[:512])
    if start.startswith(b"PK\x03\x04"):
        return Checkpoint(path, "torch-zip", read_zip(str(path), view, PYTHON | NUMPY | TORCH))
    if any(legacy in start[:32] for legacy in _LEGACY_STARTS):
        content = read_stream(str(path), view, PYTHON | NUMPY | TORCH, Budget.of(len(view)))
        return Checkpoint(path, "torch-legacy", content)
    header = int.from_bytes(start[:8], "little")
    if path.suffix == ".safetensors" or (start[8:9] == b"{" and header < len(view)):
        del view  # the library reads the file itself
        return _read_safetensors(path)
    if start[257:262] == b"ustar":
        raise CheckpointError(
            f"{path}: a tar file, as torch.save wrote before 2017. Load it once with torch and save its "
            "state dict again."
        )
    if start[:1] in (b"\x80", b"(", b"]", b"}", b"c", b"d", b"l"):
        return Checkpoint(path, "pickle", _read_pickle(str(path), view))
    raise CheckpointError(f"{path}: neither a pickle, a torch file nor safetensors{_looks_like(start)}.")


def _read(path: Path) -> memoryview:
    """The whole file in one buffer, on which every tensor is a view."""
    if not refuse_odd_files(path):
        raise CheckpointError(how_to_get(path))
    try:
        with path.open("rb", buffering=0) as file:
            buffer = np.empty(path.stat().st_size, np.uint8).data
            filled = 0
            while filled < len(buffer) and (got := file.readinto(buffer[filled:])):
                filled += got
    except MemoryError:
        raise CheckpointError(f"{path}: the file is larger than the memory.") from None
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror}.") from None
    if not filled:
        raise CheckpointError(f"{path}: the file is empty.")
    return buffer[:filled]


def _read_pickle(source: str, view: memoryview) -> Any:
    """A plain pickle: official StyleGAN and Progressive GAN files, StyleGAN2-ADA and StyleGAN3."""
    budget = Budget.of(len(view))

    def nested(arguments: tuple[Any, ...]) -> Storage:
        """`torch.storage._load_from_bytes(bytes)`, of which torch's own would run whatever is nested."""
        if len(arguments) != 1 or not isinstance(arguments[0], bytes | bytearray | memoryview):
            raise RefusedError("torch.storage._load_from_bytes takes bytes")
        stream = memoryview(arguments[0])
        storage = read_stream(f"{source} (nested torch stream)", stream, TORCH, budget)
        if not isinstance(storage, Storage):
            raise RefusedError("a nested torch stream holds no storage")
        return storage

    known = Known("torch.storage._load_from_bytes", call=nested)
    return Unpickler(source, view, PYTHON | NUMPY | TORCH | NETWORKS | {known.name: known}, budget).load()[0]


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as file:
            content = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: as a safetensors file: {error}") from None
    return Checkpoint(path, "safetensors", content, metadata)


def _looks_like(start: bytes) -> str:
    if start.lstrip()[:1] == b"<":
        return " (it looks like a web page: the download may have failed)"
    if start.startswith(b"version https://git-lfs"):
        return " (it is a Git LFS pointer: run `git lfs pull`)"
    if start.startswith(b"\x1f\x8b"):
        return " (it is gzipped: unpack it first)"
    return ""
