"""The base of all JSON records, the version that they carry, and the names that they may hold."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import is_reserved

#: 2: a part's files lie in the part's own folder, and what is told stands apart from what was measured.
SCHEMA_VERSION = 2


class ResultsError(Unit59Error):
    """A results folder that cannot be read: names the file and what to do."""


def _free(name: str) -> str:
    if is_reserved(name):
        raise ValueError(f"{name!r} ends like a page's file (.html, .md), and no folder may")
    return name


def _printable(text: str) -> str:
    found = control_character(text)
    if found is not None:
        raise ValueError(f"it holds the control character U+{ord(found):04X}")
    return text


def control_character(text: str) -> str | None:
    """The first character of a text that moves a terminal's cursor, ends a line or is none at all."""
    return next((c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}), None)


#: Names that become folder and URL parts: no separator, no leading dot, not the name of a page.
Name = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?$"),
    AfterValidator(_free),
]
_NAME: TypeAdapter[str] = TypeAdapter(Name)
#: What a `Name` is, for messages.
NAME_RULE = "letters, digits, `.`, `_` and `-`, at most 80, a letter or digit first, no .html or .md last"
#: A line of text: no control characters.
Line = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_printable)]
#: How many, or the number of a unit or sample, from 0 on.
Count = Annotated[int, Field(ge=0)]


def is_name(text: object) -> bool:
    """Whether it is a `Name`."""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


class Record(BaseModel):
    """Base of all JSON records: unknown fields are refused, numbers are finite, values do not change.

    What a field means stands below it, as its description.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)
