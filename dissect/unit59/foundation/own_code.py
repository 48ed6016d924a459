"""A user's own code, named in a recipe as ``package.module:attribute``."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unit59.foundation.errors import Unit59Error

_SPEC = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_own(spec: str) -> bool:
    """Whether it reads like ``package.module:attribute``."""
    return _SPEC.fullmatch(spec) is not None


def find_own(spec: str, folder: Path | None, error: type[Unit59Error], said: str) -> Callable[..., Any]:
    """Import the class or function that a spec names.

    Args:
        spec: ``package.module:attribute``.
        folder: where a user's module is found, beside everything that Python can import anyway.
        error: raised when it cannot be had.
        said: begins the message: who asks.
    """
    module_name, _, attribute = spec.partition(":")
    if folder is not None and str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))  # last, so that it shadows nothing
    try:
        module = importlib.import_module(module_name)
    except Exception as fault:  # a user's module may raise anything
        raise error(f"{said}: cannot import {module_name}: {type(fault).__name__}: {fault}") from fault
    if not callable(found := getattr(module, attribute, None)):
        raise error(f"{said}: module {module_name} has no callable {attribute!r}.")
    named: Callable[..., Any] = found
    return named
