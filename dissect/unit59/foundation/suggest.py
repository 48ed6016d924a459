"""The nearest valid name, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """`"; did you mean 'layer6'?"` when something valid is close to `wrong`, else `"."`."""
    found = difflib.get_close_matches(wrong, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else "."
