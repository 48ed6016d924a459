"""What a study of any kind writes: a question, an answer, and the evidence that its page shows.

A study says everything in words, tables and pictures of its own, and how they are to be drawn; so the site
shows a kind of study that it has never heard of.
"""

from __future__ import annotations

from typing import Literal

from dissect.results.record import SCHEMA_VERSION, Name, Record


class Measured(Record):
    """The one number that carries the answer."""

    words: str  # what it is, with its unit
    value: float
    low: float | None = None  # 95 % interval
    high: float | None = None
    form: Literal["number", "percent"] = "number"  # percent: a share, shown times 100


class Reference(Record):
    """A line across a chart: chance, or nothing."""

    axis: Literal["x", "y"]
    value: float
    name: str


class ReportChart(Record):
    """A chart of one of the study's tables."""

    kind: Literal["points", "lines", "bars"]
    table: Name  # file in the study's folder
    x: str  # columns of the table
    y: str
    low: str | None = None  # 95 % interval of y
    high: str | None = None
    group: str | None = None  # one colour, and one line or row of bars, for each of its values
    hover: list[str] = []  # further columns that name a point
    where: dict[str, str] = {}  # only rows whose column has this text
    x_title: str  # with the unit
    y_title: str
    x_log: bool = False
    x_percent: bool = False  # shares, shown as percent
    y_percent: bool = False
    references: list[Reference] = []
    label: str  # what a screen reader says
    caption: str  # what to see in it


class Column(Record):
    """A column of a shown table; `layer`, `unit`, `concept` become links where the site has their pages."""

    name: str
    heading: str  # with the unit
    form: Literal["text", "number", "percent", "integer", "p"] = "text"
    low: str | None = None  # columns of its 95 % interval
    high: str | None = None


class ReportTable(Record):
    """A table as the page shows it; the whole one is a file beside the page."""

    table: Name
    columns: list[Column]
    where: dict[str, str] = {}
    most: int = 20  # rows, from the top
    caption: str


class ReportPicture(Record):
    """A strip: samples side by side, one row a state, the first without any edit."""

    file: Name  # in the study's folder `pictures`
    rows: list[str]
    samples: list[int]  # left to right
    below: list[list[str]] = []  # by row after the first: what stands below each of its pictures
    caption: str


class UnitRef(Record):
    """A unit that a section names: the page shows its card, with a link."""

    layer: Name
    unit: int
    note: str


class ReportSection(Record):
    """A part of the page."""

    title: str
    text: list[str] = []  # paragraphs, plain text
    charts: list[ReportChart] = []
    tables: list[ReportTable] = []
    pictures: list[ReportPicture] = []
    units: list[UnitRef] = []


class ReportRecord(Record):
    """`studies/<name>/study.json` of a study that writes its own report."""

    schema_version: int = SCHEMA_VERSION
    kind: Literal["report"] = "report"
    study: str  # which: its name in a recipe
    name: Name
    question: str
    answer: str  # one or two sentences
    number: Measured | None = None  # None: the answer is no number
    method: list[str]  # what was done, a paragraph each
    sections: list[ReportSection]
    limits: list[str]  # what it does not show
    settings: dict[str, str]  # the recipe's, as shown
    tables: list[Name]  # its files

    @property
    def pictures(self) -> list[ReportPicture]:
        """All strips of all sections."""
        return [picture for section in self.sections for picture in section.pictures]
