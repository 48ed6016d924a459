"""Recognise a file's container by its first bytes and read it."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import torch

from dissect.checkpoints.base import Checkpoint, CheckpointError


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read any supported file as data.

    Raises:
        CheckpointError: missing, truncated, damaged, of no known format, or holding anything but data.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: there is no such file.")
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path}: not a torch zip file (truncated, or another format).")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, OSError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: {str(error).splitlines()[0]}") from None
    return Checkpoint(path, "torch-zip", content)
