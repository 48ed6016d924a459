"""Which source files a module depends on, read from its `import` statements: nothing is run."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from unit59.foundation.beside import file_of

#: A larger source file is no program that a person wrote.
MAX_BYTES = 16 * 2**20


def files_below(root: Path, name: str, top: str | None = None) -> list[Path]:
    """The source files below `root` that the module `name` consists of: its own and all that it imports.

    Args:
        root: the folder that dotted names start from.
        name: of the module.
        top: only modules of this package count, where `root` holds other people's packages too.
    """
    found: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        wanted = waiting.pop()
        steps = wanted.split(".")
        for dotted in (".".join(steps[: end + 1]) for end in range(len(steps))):
            file = file_of(root, dotted)
            if dotted in found or file is None or (top is not None and steps[0] != top):
                continue
            found[dotted] = file
            waiting += _imported(file, dotted)
    return sorted(set(found.values()))


def fingerprint_of(root: Path, digests: Mapping[Path, str], *more: str) -> str:
    """A sha256 over files' digests, with their paths where they lie below `root`, and over `more`."""
    said = sorted(
        f"{file.relative_to(root).as_posix() if file.is_relative_to(root) else ''} {digest}"
        for file, digest in digests.items()
    )
    return hashlib.sha256("\n".join([repr(more), *said]).encode("utf-8", "backslashreplace")).hexdigest()


def _imported(file: Path, name: str) -> Iterator[str]:
    """Dotted names of what the file imports, wherever in it, and of what may be a module among these."""
    if file.stat().st_size > MAX_BYTES:
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # importing it says what is wrong
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)
