"""Paths that a recipe or a person names: only plain files of the disk are read."""

from __future__ import annotations

import stat
from pathlib import Path

from unit59.checkpoints.base import CheckpointError

#: File systems whose files are windows into the running system, of any or no length.
_SYSTEM = (Path("/proc"), Path("/sys"))


def refuse_odd_files(path: Path) -> bool:
    """Whether there is a file, which then is a plain one.

    Raises:
        CheckpointError: it is a folder, a device or a pipe, lies in /proc or /sys, or is no path at all.
    """
    try:
        mode, home = path.stat().st_mode, path.resolve()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError, RuntimeError) as error:
        shown = str(path) if len(str(path)) < 500 else f"{str(path)[:60]}… ({len(str(path))} characters)"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CheckpointError(f"{shown!r}: cannot be read as a file: {reason}.") from None
    if stat.S_ISDIR(mode):
        raise CheckpointError(f"{path}: a folder, not a file.")
    if not stat.S_ISREG(mode) or any(home.is_relative_to(system) for system in _SYSTEM):
        raise CheckpointError(f"{path}: no plain file (a device, a pipe or part of the running system).")
    return True
