"""A user's own code, named in a recipe as ``package.module:attribute``.

A recipe may come from a stranger, so naming is not enough: what it names must be a class or function that is
defined in a file below the recipe's folder, or the very object that an installed package declares by an entry
point. Nothing else is imported for it, let alone called.
"""

from __future__ import annotations

import inspect
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal

from unit59.foundation.beside import file_of, import_beside
from unit59.foundation.code_files import files_below, fingerprint_of
from unit59.foundation.ending import Terminated
from unit59.foundation.errors import Unit59Error
from unit59.foundation.reads import at_fault, digests_of, forget_changed, watch

_SPEC = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
#: Names are short; a file system refuses longer ones with errors of its own.
_LONGEST = 200

#: Entry point groups by which an installed package declares what recipes may name.
Group = Literal["unit59.networks", "unit59.segmenters", "unit59.handles", "unit59.studies"]


def is_own(spec: str) -> bool:
    """Whether it reads like ``package.module:attribute``."""
    return len(spec) <= _LONGEST and _SPEC.fullmatch(spec) is not None


@dataclass(frozen=True)
class OwnCode:
    """A class or function of the user's own.

    Attributes:
        spec: as the recipe names it.
        found: the class or function.
        root: the folder that its module's name starts from.
        sources: its module's source and all that this imports from below `root`, with their sha256 when they
            were imported.
    """

    spec: str
    found: Callable[..., Any]
    root: Path
    sources: dict[Path, str]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of name, sources and what they opened until this is first asked: results depend on it."""
        name, _, attribute = self.spec.partition(":")
        digests = digests_of(self.root, self.sources) | self.sources
        return f"{attribute} {fingerprint_of(self.root, digests, name)}"


def find_own(spec: str, folder: Path | None, error: type[Unit59Error], said: str, group: Group) -> OwnCode:
    """Import the class or function that a spec names; it is not called.

    Args:
        spec: ``package.module:attribute``.
        folder: the recipe's, below which a user's module lies; without one, any folder where Python looks
            for modules that are not installed (the current one, a script's own).
        error: raised when it cannot be had.
        said: begins the message: who asks.
        group: of entry points that may declare it as well.

    Raises:
        Unit59Error: of the given kind.
    """
    name, _, attribute = spec.partition(":")
    root = next((place for place in _roots(folder) if file_of(place, name)), None)
    if root is None:
        return _declared(spec, group, error, said, folder)
    file = file_of(root, name)
    assert file is not None  # noqa: S101  # just found
    if not file.resolve().is_relative_to(root):
        raise error(f"{said}: {file} is a link to {file.resolve()}, outside of {root}.")
    watch(root)
    changed = forget_changed(root)
    sources = _sources(root, name)
    with own_calls(error, f"{said}: cannot import {name}", root):
        module = import_beside(root, name, anew=changed)
    found = _attribute(module, name, attribute, error, said)
    home = _defined_in(found)
    if home is None or not home.is_relative_to(root):
        raise error(
            f"{said}: {attribute!r} is no class or function defined below {root} "
            f"({_whence(found, home)}). Only such are called: define one there, with `class` or `def`."
        )
    return OwnCode(spec, found, root, sources)


@contextmanager
def own_calls(error: type[Unit59Error], said: str, root: Path | None = None) -> Iterator[None]:
    """A user's code runs inside: whatever it raises becomes one message, `sys.exit()` too; Ctrl-C stays.

    Args:
        error: raised in its place, unless it is one of ours already.
        said: begins the message.
        root: below it lies the file whose line is named.
    """
    try:
        yield
    except (Unit59Error, KeyboardInterrupt, Terminated):
        raise
    except BaseException as fault:
        raise error(f"{said}{'' if said.endswith('raised') else ':'} {describe(fault, root)}") from fault


@contextmanager
def own_faults(root: Path) -> Iterator[None]:
    """Around everything: what own code raises where no `own_calls` stands around it is one message, too."""
    try:
        yield
    except (Unit59Error, KeyboardInterrupt, Terminated):
        raise
    except BaseException as fault:
        if not at_fault(fault, root):
            raise
        raise Unit59Error(f"{root}: code of your own: {describe(fault, root)}") from fault


def describe(fault: BaseException, root: Path | None = None) -> str:
    """What was raised, in one line, with the user's file and line where they are known."""
    text = " ".join(_said_by(fault).split())[:500]
    if isinstance(fault, SystemExit):
        text = f"it called sys.exit({text}), which would end the run as if it were done"
    elif is_out_of_memory(fault):
        text = f"out of memory ({text or type(fault).__name__})"
    else:
        text = f"{type(fault).__name__}: {text}" if text else type(fault).__name__
    frames = traceback.extract_tb(fault.__traceback__)
    own = [f for f in frames if root is not None and Path(f.filename).is_relative_to(root)]
    return f"{text} ({own[-1].filename}, line {own[-1].lineno})." if own else f"{text.removesuffix('.')}."


def _said_by(fault: BaseException) -> str:
    """An exception of a user's own may fail to say anything."""
    try:
        return str(fault)
    except Exception:  # noqa: BLE001  # anybody's code
        return ""


def is_out_of_memory(fault: BaseException) -> bool:
    """Python's own error, or torch's on any device."""
    said = _said_by(fault)
    return (
        isinstance(fault, MemoryError)
        or type(fault).__name__ == "OutOfMemoryError"
        or (isinstance(fault, RuntimeError) and ("not enough memory" in said or "allocate memory" in said))
    )


def _roots(folder: Path | None) -> list[Path]:
    if folder is not None:
        return [folder.resolve()]
    installed = [Path(place).resolve() for place in sysconfig.get_paths().values()]
    places = dict.fromkeys(Path(place or ".").resolve() for place in ["", *sys.path])
    return [
        place
        for place in places
        if place.is_dir() and not any(place.is_relative_to(each) for each in installed)
    ]


def _declared(spec: str, group: Group, error: type[Unit59Error], said: str, folder: Path | None) -> OwnCode:
    """What an installed package declares."""
    name, _, attribute = spec.partition(":")
    entry = next((each for each in entry_points(group=group) if each.value.replace(" ", "") == spec), None)
    if entry is None:
        where = f"below {folder.resolve()}" if folder is not None else "where Python looks for your own"
        raise error(
            f"{said}: cannot import {name}: there is no {name.replace('.', '/')}.py {where}, and no "
            f"installed package declares {spec} by an entry point of the group {group}."
        )
    top = name.partition(".")[0]
    with own_calls(error, f"{said}: cannot import {name}"):
        place = _place_of(top)
        if place is not None:
            watch(place)
        module = import_module(name)
    found = _attribute(module, name, attribute, error, said)
    if place is None or _defined_in(found) is None:
        raise error(f"{said}: {attribute!r} is no class or function with a source file.")
    return OwnCode(spec, found, place.parent, _sources(place.parent, name, top))


def _sources(root: Path, name: str, top: str | None = None) -> dict[Path, str]:
    files = files_below(root, name, top)
    digests = digests_of(root, files)
    return {file: digests[file] for file in files}


def _place_of(top: str) -> Path | None:
    """The folder or file of an installed package; it is not imported."""
    found = find_spec(top)
    if found is None or found.origin is None:
        return None
    file = Path(found.origin).resolve()
    return file.parent if file.name == "__init__.py" else file


def _attribute(
    module: ModuleType, name: str, attribute: str, error: type[Unit59Error], said: str
) -> Callable[..., Any]:
    if not callable(found := getattr(module, attribute, None)):
        raise error(f"{said}: module {name} has no callable {attribute!r}.")
    named: Callable[..., Any] = found
    return named


def _defined_in(found: Any) -> Path | None:
    """The file of the `class` or `def` statement, decorators that say what they wrap looked through."""
    if isinstance(found, type):
        file = getattr(sys.modules.get(found.__module__), "__file__", None)
        return Path(file).resolve() if file else None
    try:
        inner = inspect.unwrap(found)
    except ValueError:
        return None
    return Path(inner.__code__.co_filename).resolve() if isinstance(inner, FunctionType) else None


def _whence(found: Any, home: Path | None) -> str:
    if home is not None:
        return f"it comes from {home}"
    module = getattr(found, "__module__", None)
    return f"it comes from {module}" if isinstance(module, str) else f"it is a {type(found).__name__}"
