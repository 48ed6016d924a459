"""Which files a user's own code opens, seen through Python's audit events, so that keys can name them.

What is opened for reading counts for the source file whose code asked for it: the innermost frame that lies
below a watched folder, unless a frame of unit59 comes first. So a module that is imported under a computed
name, and what it opens, is seen as well. Not seen is what a library reads without Python.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.util import source_from_cache
from pathlib import Path
from types import FrameType
from typing import Any

from unit59.foundation.files import sha256_of

Notes = defaultdict[Path, set[Path]]

_OURS = Path(__file__).parents[1]
#: Python's own, what is installed, the system's: code that works for others, and files that are no data.
_OTHERS = [
    _OURS.resolve(),
    *{
        Path(place).resolve()
        for place in [*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()]
    },
    *map(Path, ("/proc", "/sys", "/dev")),
]
#: Below these lies the code that is watched.
_WATCHED: list[Path] = []
#: By source file, what its code opened: while it was loaded, and since then.
_LOADING: Notes = defaultdict(set)
_LATER: Notes = defaultdict(set)
#: Where notes are taken now, the last counts.
_TAKEN: list[Notes | None] = [_LOADING]
#: By folder, its sources and what they read, with their digests when that was first asked for.
_SEEN: dict[Path, dict[Path, str]] = defaultdict(dict)


def watch(place: Path) -> None:
    """From now on, note what code in or below a resolved `place` opens."""
    if not _WATCHED:
        sys.addaudithook(_notice)  # it cannot be removed again
        # Python takes a compiled file for current that is of the same second and size.
        sys.dont_write_bytecode = True
    if place not in _WATCHED:
        _WATCHED.append(place)
        _is_own.cache_clear()


@contextmanager
def noted_as_late() -> Iterator[None]:
    """Keys are made: what own code opens inside is told by `unknown_reads` and changes no fingerprint."""
    with _taken(_LATER):
        yield


@contextmanager
def not_noted() -> Iterator[None]:
    """What own code opens inside needs no key, as it runs every time."""
    with _taken(None):
        yield


def digests_of(root: Path, files: Iterable[Path]) -> dict[Path, str]:
    """Sources, and all that their code opened while it was loaded, with their sha256 when first asked for.

    A module under a computed name is opened only when it is first imported: it counts for all code below
    `root`.
    """
    opened = [
        file for source, found in list(_LOADING.items()) if source.is_relative_to(root) for file in found
    ]
    waiting = [*files, *(file for file in opened if file.suffix == ".py" and file.is_relative_to(root))]
    known: dict[Path, str] = {}
    while waiting:
        file = waiting.pop()
        if file not in known:
            known[file] = _SEEN[root].setdefault(file, _digest(file))
            waiting += _LOADING.get(file, ())
    return known


def forget_changed(root: Path) -> bool:
    """Whether a file that `digests_of` named is another than then; if so, what was opened is forgotten.

    So are modules under computed names: the next import runs them as they are now.
    """
    if all(_digest(file) == known for file, known in _SEEN[root].items()):
        return False
    del _SEEN[root]
    opened = set()
    for source in [source for source in _LOADING if source.is_relative_to(root)]:
        opened |= {str(file) for file in _LOADING.pop(source)}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in opened:
            del sys.modules[name]
    return True


def unknown_reads(root: Path) -> Iterator[str]:
    """A line for every source file, below `root` or installed, whose code opened what no key knows.

    What came late is told once.
    """
    known = {file for seen in _SEEN.values() for file in seen}
    for source in sorted(file for file in known if _counts_for(root, file)):
        found = sorted((_LOADING.get(source, set()) | _LATER.pop(source, set())) - known)
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            yield (
                f"{source} reads {found[0]}{more}, which no key knows: it was opened after the code had been "
                "loaded, so nothing is made anew when it changes. Open it in the module, a factory or "
                "`__init__`, or name it in `files`."
            )


@contextmanager
def _taken(notes: Notes | None) -> Iterator[None]:
    _TAKEN.append(notes)
    try:
        yield
    finally:
        _TAKEN.pop()


def _notice(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or (notes := _TAKEN[-1]) is None:
        return
    path, _, flags = args
    if not isinstance(path, str | bytes | os.PathLike) or flags & (os.O_WRONLY | os.O_RDWR):
        return
    source = _asking(_callers(sys._getframe(1)))  # of whom Python asks
    if source is None:
        return
    try:
        file = Path(os.path.realpath(os.fsdecode(path)))
    except (OSError, ValueError):
        return  # nor can it be opened
    if file.suffix == ".pyc" and file.parent.name == "__pycache__":
        with suppress(ValueError):  # a name of somebody else's, such as pytest's, has no source
            file = Path(source_from_cache(str(file)))
    is_data = _is_own(str(file)) or not any(file.is_relative_to(place) for place in _OTHERS)
    if is_data and str(file) != source:  # whoever asks for a class's text opens its own source
        notes[Path(source)].add(file)


def at_fault(fault: BaseException, root: Path) -> bool:
    """Whether own code, below `root` or installed, raised it, or something that such code called."""
    frames = [frame for frame, _ in traceback.walk_tb(fault.__traceback__)]
    source = _asking(reversed(frames))
    return source is not None and _counts_for(root, Path(source))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _asking(frames: Iterable[FrameType]) -> str | None:
    """The source file of own code that does what happens in the innermost, first, of these frames."""
    for frame in frames:
        file = frame.f_code.co_filename
        if _is_own(file):
            return file
        if file.startswith(f"{_OURS}{os.sep}"):
            break
    return None


def _counts_for(root: Path, source: Path) -> bool:
    """Whether it is code of the recipe in `root`: other code that this process watches is not at work."""
    return any(source.is_relative_to(place) for place in [root, *_OTHERS])


@lru_cache(maxsize=4096)
def _is_own(file: str) -> bool:
    """Whether it lies in a watched place, and in none of others' inside that."""
    path = Path(file)
    return any(
        path.is_relative_to(place)
        and not any(path.is_relative_to(each) and not place.is_relative_to(each) for each in _OTHERS)
        for place in _WATCHED
    )


def _digest(file: Path) -> str:
    try:
        return sha256_of(file) if file.is_file() else "no file"
    except OSError:
        return "not readable"
