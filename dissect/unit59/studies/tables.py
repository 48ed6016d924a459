"""What stands between measuring and telling: tables, facts and pictures. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from unit59.foundation.errors import Unit59Error
from unit59.results.report import Measured, ReportSection


class StudyError(Unit59Error):
    """A study that does not exist, has a wrong setting, or cannot be made of this model."""


@dataclass(frozen=True)
class Tables:
    """What was measured, without a word of prose.

    Attributes:
        frames: by file name (``scores.parquet``).
        facts: what is no table: numbers, names, lists of them, as JSON can hold them.
        pictures: encoded WebP by file name.
    """

    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What a study found, as its page will say it.

    Attributes:
        question: the page's title.
        answer: one or two sentences, with the number that carries them and its interval.
        method: what was done, a paragraph each.
        sections: the evidence; they show tables and pictures that were measured.
        limits: what it does not show, a sentence each.
        number: the one that carries the answer.
    """

    question: str
    answer: str
    method: list[str]
    sections: list[ReportSection]
    limits: list[str]
    number: Measured | None = None
