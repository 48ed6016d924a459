"""Modules that lie beside a recipe: found there first, whatever else is installed under their name.

Each folder gets a package of its own, under a name that nobody else uses, so that two folders with a module
of one name do not mix. What such a module imports is looked for below its folder first, too. Code is compiled
from its source every time: nothing is written beside it, and no stale bytecode is believed.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_PREFIX = "_beside_"


def file_of(root: Path, name: str) -> Path | None:
    """The source file of the module `name` below `root`: ``a/b.py`` or ``a/b/__init__.py``."""
    if not name:
        return None
    path = root.joinpath(*name.split("."))
    return next(
        (file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.is_file()), None
    )


def import_beside(root: Path, name: str, *, anew: bool) -> ModuleType:
    """Import the module `name` from below `root`.

    Args:
        root: a resolved folder.
        name: dotted; `file_of` finds it.
        anew: whether the folder's modules that were imported before are forgotten.

    Raises:
        Exception: whatever the module's own code raises.
    """
    package = f"{_PREFIX}{hashlib.sha256(str(root).encode()).hexdigest()[:16]}"
    if anew:
        _forget(package)
    if package not in sys.modules:
        top = ModuleType(package, "A recipe's folder.")
        top.__path__ = [str(root)]
        sys.modules[package] = top
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    if str(root) not in sys.path:
        sys.path.append(str(root))  # last, so that it shadows nothing: for pickles and import_module()
    importlib.invalidate_caches()
    return importlib.import_module(f"{package}.{name}")


def _forget(package: str) -> None:
    for known in [key for key in sys.modules if key == package or key.startswith(f"{package}.")]:
        del sys.modules[known]


class _Finder:
    """Finds modules of the folders' packages, and of nothing else."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(_PREFIX) or path is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Runs a module whose own imports look beside it first."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        package = module.__name__.partition(".")[0]
        root = Path(sys.modules[package].__path__[0])

        def own_import(
            name: str,
            globals: Mapping[str, object] | None = None,  # noqa: A002  # as Python calls it
            locals: Mapping[str, object] | None = None,  # noqa: A002
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            if level or not _lies_below(root, name):
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            found = builtins.__import__(f"{package}.{name}", globals, locals, fromlist or (), 0)
            return found if fromlist else sys.modules[f"{package}.{name.partition('.')[0]}"]

        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": own_import}
        super().exec_module(module)


def _lies_below(root: Path, name: str) -> bool:
    if file_of(root, name) is not None:
        return True
    # A plain folder is a package only where no other package has its name.
    top = name.partition(".")[0]
    return root.joinpath(*name.split(".")).is_dir() and PathFinder.find_spec(top, _elsewhere(root)) is None


def _elsewhere(root: Path) -> list[str]:
    return [place for place in sys.path if Path(place or ".").resolve() != root]
