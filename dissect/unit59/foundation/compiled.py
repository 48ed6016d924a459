"""Loops that numba compiles, in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile at the first call; the next process finds the machine code, where a folder can be written."""
    try:
        made = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        made = numba.njit(nogil=True)(function)
    return cast(F, made)
