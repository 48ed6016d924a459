"""The tables and records of docs/guide/results.md: `python -m tests.results_page` writes them."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from pathlib import Path

import polars as pl
from pydantic import BaseModel

import unit59.results
from tests.fields import sections_of
from unit59.results.columns import Schema
from unit59.results.report import ReportRecord
from unit59.results.schema import (
    TABLES,
    EffectsRecord,
    ModelRecord,
    QualityRecord,
    SearchRecord,
    SetsRecord,
)
from unit59.studies.telling import STUDIES

PAGE = Path("docs/guide/results.md")
BEGIN, END = "<!-- results -->", "<!-- /results -->"
RECORDS: dict[str, type[BaseModel]] = {
    "model.json": ModelRecord,
    "effects.json": EffectsRecord,
    "quality.json": QualityRecord,
    "study.json of a search": SearchRecord,
    "study.json of unit sets": SetsRecord,
    "study.json of a report": ReportRecord,
}


def generated() -> str:
    """What stands between the marks."""
    parts = [BEGIN, "## Layout", *_layout(), "## Tables"]
    for file, schema in TABLES.items():
        parts += [f"### {file}", f"A row: {_first(_doc(schema.row))}", _table(schema)]
    parts += ["## Tables of studies", "A study of your own may say likewise what its tables hold."]
    for study, (room, _) in STUDIES.items():
        files: dict[type, list[str]] = {}
        for file, schema in importlib.import_module(f"{room}.tables").SCHEMAS.items():
            files.setdefault(schema.row, []).append(file)
        for row, names in files.items():
            parts += [f"### {study}: {', '.join(names)}", f"A row: {_first(_doc(row))}", _table(Schema(row))]
    parts.append("## Records")
    for file, record in RECORDS.items():
        head = "| field | meaning |\n| --- | --- |"
        parts += [f"### {file}", _doc(record), "\n".join([head, *_fields(record)])]
    return "\n\n".join([*parts, END])


def _layout() -> list[str]:
    """The docstring of `unit59.results`, its tree as a block."""
    story = inspect.getdoc(unit59.results) or ""
    _, opening, tree, parts, *_ = story.split("\n\n")
    return [opening.replace("::", ":"), f"```text\n{textwrap.dedent(tree)}\n```", parts]


def _table(schema: Schema) -> str:
    lines = ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
    for name, column in schema.columns.items():
        kind = f"{_type(column.dtype)}{'?' if column.nullable else ''}"
        lines.append(f"| `{name}` | {kind} | {_cell(column.unit) or '–'} | {_cell(column.meaning)} |")
    return "\n".join(lines)


def _type(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return f"list of {_type(dtype.inner)}"  # type: ignore[arg-type]  # a class of one is one as well
    return str(dtype).lower()


def _fields(record: type[BaseModel], prefix: str = "") -> list[str]:
    """One row a field; records within are listed with their fields."""
    found = []
    for name, field in record.model_fields.items():
        found.append(f"| `{prefix}{name}` | {_cell(field.description or '')} |")
        for inner in sections_of(field.annotation):
            found += _fields(inner, f"{prefix}{name}.")
    return found


def _doc(kind: type) -> str:
    return inspect.getdoc(kind) or ""


def _first(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*")


def written(text: str) -> str:
    """The page with what is generated."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: generated(), text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
