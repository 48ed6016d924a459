"""Where a part's files may lie. One rule, for everything that reads, writes, checks or copies results.

Results travel: in archives, in pull requests. So names in a manifest are anybody's, and a folder may hold
links to anywhere. A part has a folder of its own, named by the part; its files lie in it, or in its folder
`pictures`, under plain names; and nothing on the way to them is a link.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from unit59.results.record import ResultsError, is_name

#: Files of a model's folder that belong to no part: what it holds, and how the run went.
MANIFEST, RUN = "manifest.json", "run.json"

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_FILE = re.compile(rf"{_PLAIN}\.(?:json|parquet)")
_PICTURE = re.compile(rf"{_PLAIN}\.webp")


def is_part(part: str) -> bool:
    """Whether a part of results may have this name."""
    match part.split("/"):
        case ["model"] | ["quality"]:
            return True
        case ["layers" | "studies", name] | ["layers", name, "effects"]:
            return is_name(name)
    return False


def home_of(part: str) -> str:
    """The folder of a part in the model's folder, with a slash at its end; empty for the model's own."""
    return "" if part == "model" else f"{part}/"


def owner_of(file: str) -> str | None:
    """The part that may have this file (a path in the model's folder); None where none may."""
    *home, last = file.split("/")
    rule = _FILE
    if home[-1:] == ["pictures"]:
        home, rule = home[:-1], _PICTURE
    part = "/".join(home) or "model"
    placed = home != ["model"] and is_part(part) and rule.fullmatch(last) and file not in {MANIFEST, RUN}
    return part if placed else None


def _part_rule(part: str) -> str:
    if not is_part(part):
        raise ValueError(
            f"{part!r} is no part's name: these are `model`, `quality`, `layers/<layer>`, "
            "`layers/<layer>/effects` and `studies/<study>`"
        )
    return part


#: A part's name, which is also its folder's; the model's own files lie in the model's folder.
PartName = Annotated[str, StringConstraints(max_length=200), AfterValidator(_part_rule)]


def reach(folder: Path, file: str) -> Path:
    """The path of a file in a model's folder, when no step on the way is a link or anything odd.

    Args:
        folder: the model's folder.
        file: a plain relative path in it, see `owner_of`; the file may be missing.

    Raises:
        ResultsError: a step is a link, or is no folder; the file is a link, a folder, a device, a pipe.
    """
    path = folder
    _demand(path, stat.S_ISDIR, "folder")
    *steps, last = file.split("/")
    for step in steps:
        path /= step
        _demand(path, stat.S_ISDIR, "folder")
    _demand(path / last, stat.S_ISREG, "file")
    return path / last


def open_plainly(path: Path) -> int:
    """A handle of a regular file, for reading; of nothing else, and of what no link names.

    Raises:
        OSError: it cannot be opened.
        ResultsError: it is something else.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ResultsError(f"{path}: this is no regular file.")
    return handle


def contents(folder: Path) -> Iterator[tuple[str, bool]]:
    """Everything in a model's folder but folders, as (path in it, whether it is a regular file).

    Links are named and not followed.
    """
    open_folders = [""]
    while open_folders:
        prefix = open_folders.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    open_folders.append(f"{prefix}{entry.name}/")
                else:
                    yield f"{prefix}{entry.name}", entry.is_file(follow_symlinks=False)


def _demand(path: Path, is_right: Callable[[int], bool], what: str) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise ResultsError(f"{path.parent}: a file stands where a folder should be. Remove it.") from None
    if stat.S_ISLNK(mode):
        raise ResultsError(f"{path}: links are not followed in results. Put what it names in its place.")
    if not is_right(mode):
        raise ResultsError(f"{path}: here should be a {what}, and it is something else. Remove it.")
