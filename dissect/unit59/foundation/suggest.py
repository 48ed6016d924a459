"""What error messages have in common: the nearest valid name, and what is wrong with a setting."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pydantic import BaseModel, ValidationError


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """`"; did you mean 'layer6'?"` when something valid is close to `wrong`, else `"."`."""
    found = difflib.get_close_matches(wrong, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else "."


def explain_setting(error: ValidationError, settings: type[BaseModel]) -> str:
    """What is wrong with the settings of something that a recipe names, in a sentence.

    Args:
        error: what pydantic said; a misspelt setting explains a missing one, so it comes first.
        settings: the model of the settings.
    """
    first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    setting = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = settings.model_fields
        return f"there is no setting {setting!r}{nearest(setting, known)} It has {', '.join(known)}."
    return f"setting {setting}: {first['msg']} (got {first['input']!r})."
