"""The base of all JSON records, and the version that they carry."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

SCHEMA_VERSION = 1

#: Names that become folder and URL parts: no separator, no leading dot.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class Record(BaseModel):
    """Base of all JSON records: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
