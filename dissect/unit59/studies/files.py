"""A report's files in the results."""

from __future__ import annotations

from pydantic import ValidationError

from unit59.results import table_bytes, to_json
from unit59.results.report import ReportRecord, report_faults
from unit59.studies.base import StudyError, Whole
from unit59.studies.registry import Asked


def report_files(asked: Asked, report: Whole) -> dict[str, bytes]:
    """The report as files, by path in the model's results.

    Raises:
        StudyError: it names a table, column or picture that it does not have.
    """
    try:
        record = ReportRecord(
            study=asked.kind,
            name=asked.name,
            question=report.question,
            answer=report.answer,
            number=report.number,
            method=report.method,
            sections=report.sections,
            limits=report.limits,
            settings={
                key: str(value)
                for key, value in asked.study.model_dump(mode="json", exclude={"name"}).items()
            },
            tables=list(report.tables),
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise StudyError(f"study {asked.kind}: its report's {place}: {first['msg']}.") from None
    for missing in report_faults(record, report.tables, report.pictures.__contains__):
        raise StudyError(f"study {asked.kind}: its report shows {missing}, which it does not have.")
    home = f"studies/{record.name}"
    return {
        f"{home}/study.json": to_json(record),
        **{f"{home}/{name}": table_bytes(table, table.schema) for name, table in report.tables.items()},
        **{f"{home}/pictures/{name}": data for name, data in report.pictures.items()},
    }
