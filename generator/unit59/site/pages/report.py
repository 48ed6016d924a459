"""A study's page from its own report: one page kind for all studies, whatever they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unit59.results import file_name
from unit59.results.report import Described, ReportChart, ReportPicture, ReportTable, UnitRef
from unit59.site.cells import cell_text, rows_where
from unit59.site.charts import Chart, report_chart
from unit59.site.heads import Head, described_head
from unit59.site.pages.studies import studies_of
from unit59.site.site import Page, Site
from unit59.site.studies import ReportStudy
from unit59.site.views import ConceptView, UnitView

#: Text cells that are longer are wrapped.
LONG_TEXT = 30


@dataclass(frozen=True)
class ShownCell:
    """A cell of a shown table: its text, where it leads, the concept that it names."""

    text: str
    path: str | None = None
    concept: ConceptView | None = None
    long: bool = False


@dataclass(frozen=True)
class Shown:
    """A table as the page shows it."""

    table: ReportTable
    heads: list[Head]
    rows: list[list[ShownCell]]
    total: int


@dataclass(frozen=True)
class Section:
    """A part of the page; a chart is None where its table has no numbers to draw."""

    title: str
    text: list[str]
    charts: list[tuple[ReportChart, Chart | None]]
    tables: list[Shown]
    pictures: list[ReportPicture]
    units: list[tuple[UnitRef, UnitView | None]]


def report_page(site: Site, study: ReportStudy) -> Page:
    """`studies/<model>-<name>/`: the question, the answer, the evidence."""
    record = study.record
    return Page(
        path=study.path,
        title=record.question,
        description=f"{study.model.title}: {record.answer}",
        template="report.html",
        own_template=f"study-{file_name(study.kind)}.html",
        context={
            "study": study,
            "record": record,
            "model": study.model,
            "sections": list(_sections(study)),
            "others": [card for card in studies_of(site, study.model) if card.path != study.path],
        },
        keywords=f"{record.study} {study.model.title}",
        files=study.files,
    )


def _sections(study: ReportStudy) -> Iterator[Section]:
    tables = study.results.tables
    colours = {concept.label: concept.colour for concept in study.model.concepts.values()}
    for section in study.record.sections:
        yield Section(
            title=section.title,
            text=section.text,
            charts=[
                (each, report_chart(each, tables[each.table], colours, study.record.described(each.table)))
                for each in section.charts
            ],
            tables=[_shown(study, each) for each in section.tables],
            pictures=section.pictures,
            units=[(each, study.unit(each.layer, each.unit)) for each in section.units],
        )


def _shown(study: ReportStudy, table: ReportTable) -> Shown:
    found = list(rows_where(study.results.tables[table.table], table.where))
    columns = study.record.described(table.table)
    shown = {name: columns[name] for name in table.columns}
    rows = [[_cell(study, *each, row) for each in shown.items()] for row in found[: max(table.most, 0)]]
    return Shown(table, [described_head(each) for each in shown.values()], rows, len(found))


def _cell(study: ReportStudy, name: str, column: Described, row: Mapping[str, Any]) -> ShownCell:
    value = row[name]
    if name == "concept" and (concept := _concept(study, value, row.get("plane"))):
        return ShownCell(concept.label, concept=concept)
    text = cell_text(value, column.form)
    if column.low and column.high and value is not None:
        text += f" [{cell_text(row[column.low], column.form)}, {cell_text(row[column.high], column.form)}]"
    return ShownCell(text, path=_leads_to(study, name, row), long=len(text) > LONG_TEXT)


def _concept(study: ReportStudy, value: Any, plane: Any) -> ConceptView | None:
    """The concept of a number, or of a name, in the row's plane if it says one."""
    if isinstance(value, int):
        return study.model.concepts.get(value)
    named = [view for view in study.model.concepts.values() if view.label == value]
    return next((view for view in named if view.plane == plane), named[0] if named else None)


def _leads_to(study: ReportStudy, column: str, row: Mapping[str, Any]) -> str | None:
    if column == "unit" and isinstance(row["unit"], int):
        unit = study.unit(str(row.get("layer", "")), row["unit"])
        return unit.path if unit else None
    if column == "layer":
        layers = {layer.name: layer for layer in study.model.layers}
        return layers[str(row["layer"])].path if str(row["layer"]) in layers else None
    return None
