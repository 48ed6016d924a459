"""What a study of any kind writes: a question, an answer, and the evidence that its page shows.

A study says everything in words, tables and pictures of its own, and how they are to be drawn; so the site
shows a kind of study that it has never heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import StringConstraints

from unit59.results.columns import Form, Schema
from unit59.results.record import SCHEMA_VERSION, Count, Line, Name, Record

#: Files that the site publishes as they are: their endings say what a browser takes them for.
TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,71}\.parquet$")]
PictureName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,74}\.webp$")]


class Measured(Record):
    """The one number that carries the answer."""

    words: str
    """What it is, with its unit."""
    value: float
    """The number."""
    low: float | None = None
    """Lower end of its 95 % interval."""
    high: float | None = None
    """Upper end."""
    form: Literal["number", "percent"] = "number"
    """How it is said; percent: a share, shown times 100."""


class Reference(Record):
    """A line across a chart: chance, or nothing."""

    axis: Literal["x", "y"]
    """Whose value it is at."""
    value: float
    """Where it is."""
    name: str
    """What it says."""


class Described(Record):
    """What a column of a study's table holds, as the study's schema has it."""

    heading: str
    """With the unit."""
    meaning: str = ""
    """In a phrase, with the unit."""
    form: Form = "number"
    """How its cells are said; words stay as they are."""
    low: str | None = None
    """The column of the lower end of its 95 % interval."""
    high: str | None = None
    """Upper end."""


class Columns(dict[str, Described]):
    """What a table's columns hold, by name; of one that nothing is said of, its name alone."""

    @classmethod
    def of(cls, schema: Schema) -> Self:
        """As a schema has it."""
        return cls(
            (
                name,
                Described(
                    heading=each.title, meaning=each.said, form=each.form, low=each.low, high=each.high
                ),
            )
            for name, each in schema.columns.items()
        )

    def __missing__(self, name: str) -> Described:
        return Described(heading=name.replace("_", " "))


class ReportChart(Record):
    """A chart of one of the study's tables; what is not said of an axis is as its column has it."""

    kind: Literal["points", "lines", "bars"]
    """How it is drawn."""
    table: TableName
    """File in the study's folder."""
    x: str
    """The column of the places, left to right."""
    y: str
    """The column of the heights."""
    low: str | None = None
    """The column of the lower end of its 95 % interval."""
    high: str | None = None
    """Upper end."""
    interval: bool = True
    """Whether the interval is drawn that the column of the heights has."""
    group: str | None = None
    """One colour, and one line or row of bars, for each of its values."""
    hover: list[str] = []
    """Further columns that name a point."""
    where: dict[str, str] = {}
    """Only rows whose column has this text; yes or no for booleans."""
    x_title: str = ""
    """With the unit."""
    y_title: str = ""
    """With the unit."""
    x_log: bool = False
    """Whether x is on a log scale."""
    x_percent: bool = False
    """Shares, shown as percent."""
    y_percent: bool = False
    """Shares, shown as percent."""
    references: list[Reference] = []
    """Lines across it."""
    label: Line
    """What a screen reader says."""
    caption: str
    """What to see in it."""

    def drawn(self, columns: Columns) -> Self:
        """The chart, with what its table's columns say where it says nothing itself."""
        x, y = columns[self.x], columns[self.y]
        low, high = (y.low, y.high) if self.interval else (None, None)
        return self.model_copy(
            update={
                "x_title": self.x_title or x.heading,
                "y_title": self.y_title or y.heading,
                "x_percent": self.x_percent or x.form == "percent",
                "y_percent": self.y_percent or y.form == "percent",
                "low": self.low or low,
                "high": self.high or high,
            }
        )


class ReportTable(Record):
    """A table as the page shows it; the whole one is a file beside the page."""

    table: TableName
    """File in the study's folder."""
    columns: list[str]
    """What is shown of it; `layer`, `unit`, `concept` become links where the site has their pages."""
    where: dict[str, str] = {}
    """Only rows whose column has this text; yes or no for booleans."""
    most: Count = 20
    """Rows, from the top."""
    caption: str
    """What to see in it."""


class ReportPicture(Record):
    """A strip: samples side by side, one row a state, the first without any edit."""

    file: PictureName
    """In the study's folder `pictures`."""
    rows: list[str]
    """Its states."""
    samples: list[Count]
    """Left to right."""
    below: list[list[str]] = []
    """By row after the first: what stands below each of its pictures."""
    caption: str
    """What to see in it."""


class UnitRef(Record):
    """A unit that a section names: the page shows its card, with a link."""

    layer: Name
    """Its layer."""
    unit: Count
    """Its number."""
    note: str
    """Why it is named."""


class ReportSection(Record):
    """A part of the page."""

    title: Line
    """Its heading."""
    text: list[str] = []
    """Paragraphs, plain text."""
    charts: list[ReportChart] = []
    """Charts."""
    tables: list[ReportTable] = []
    """Tables."""
    pictures: list[ReportPicture] = []
    """Strips."""
    units: list[UnitRef] = []
    """Units that it names."""


class ReportRecord(Record):
    """`studies/<name>/study.json` of a study that writes its own report."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    kind: Literal["report"] = "report"
    """Of record."""
    study: str
    """Which study: its name in a recipe."""
    name: Name
    """The study's name in the results, which is its folder's."""
    question: str
    """What was asked."""
    answer: str
    """One or two sentences."""
    number: Measured | None = None
    """The one number that carries the answer; null: it is none."""
    method: list[str]
    """What was done, a paragraph each."""
    sections: list[ReportSection]
    """Parts of the page, in order."""
    limits: list[str]
    """What it does not show."""
    settings: dict[str, str]
    """The recipe's, as shown."""
    tables: list[TableName]
    """Its files."""
    columns: dict[TableName, dict[str, Described]] = {}
    """What their columns hold, as far as the study says it."""

    def described(self, table: str) -> Columns:
        """What the columns of a table hold."""
        return Columns(self.columns.get(table, {}))

    @property
    def pictures(self) -> list[ReportPicture]:
        """All strips of all sections."""
        return [picture for section in self.sections for picture in section.pictures]


def report_faults(
    record: ReportRecord, tables: Mapping[str, pl.DataFrame], has_picture: Callable[[str], bool]
) -> Iterator[str]:
    """What a report shows and does not have, a phrase each: `the table 'scores.parquet'`.

    Args:
        record: the report.
        tables: its tables, by file name.
        has_picture: whether there is a picture of this file name.
    """
    for section in record.sections:
        for asked in section.charts:
            chart = asked.drawn(record.described(asked.table))
            numbers = [chart.y, *_given(chart.low, chart.high)]
            others = [chart.x, *_given(chart.group), *chart.hover, *chart.where]
            yield from _table_faults(chart.table, others, numbers, tables)
        for table in section.tables:
            columns = record.described(table.table)
            bounds = [end for name in table.columns for end in _given(columns[name].low, columns[name].high)]
            yield from _table_faults(table.table, [*table.columns, *table.where], bounds, tables)
        for picture in section.pictures:
            if not has_picture(picture.file):
                yield f"the picture {picture.file!r}"


def _table_faults(
    name: str, columns: list[str], numbers: list[str], tables: Mapping[str, pl.DataFrame]
) -> Iterator[str]:
    table = tables.get(name)
    if table is None:
        yield f"the table {name!r}"
        return
    for column in [*columns, *numbers]:
        if column not in table.columns:
            yield f"the column {column!r} of {name!r}"
        elif column in numbers and not table.schema[column].is_numeric():
            yield f"numbers in the column {column!r} of {name!r}"


def _given(*names: str | None) -> list[str]:
    return [name for name in names if name is not None]
