"""What error messages have in common: the nearest valid name, and what is wrong with a setting."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from unit59.foundation.errors import Unit59Error


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """`"; did you mean 'layer6'?"` when something valid is close to `wrong`, else `"."`."""
    found = difflib.get_close_matches(wrong, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else "."


def word_and_settings(
    spec: Any, example: str, known: str, error: type[Unit59Error]
) -> tuple[str, dict[str, Any]]:
    """What an entry of a recipe's list names, and with which settings.

    Args:
        spec: a name, or one ``name: settings``.
        example: of settings.
        known: a sentence with the names that there are.
        error: raised where it is neither.
    """
    word, given = spec, None
    if isinstance(spec, Mapping) and len(spec) == 1:
        word, given = next(iter(spec.items()))
    if not isinstance(word, str):
        raise error(f"expected a name, or one `name: settings`, got {spec!r}. {known}")
    if given is not None and not isinstance(given, Mapping):
        raise error(f"{word}: expected settings such as `{{{example}}}`, got {given!r}.")
    return word, dict(given or {})


def first_fault(error: ValidationError) -> ErrorDetails:
    """Of what pydantic found the fault to tell: a misspelt name explains a missing one, so it comes first."""
    return min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")


def explain_setting(error: ValidationError, settings: type[BaseModel]) -> str:
    """What is wrong with the settings of something that a recipe names, in a sentence.

    Args:
        error: what pydantic said.
        settings: the model of the settings.
    """
    first = first_fault(error)
    setting = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        known = settings.model_fields
        return f"there is no setting {setting!r}{nearest(setting, known)} It has {', '.join(known)}."
    return f"setting {setting}: {first['msg']} (got {first['input']!r})."
