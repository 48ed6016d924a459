"""A report's files: what it shows has to be there, on writing and on reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from unit59.studies.files import report_files

from tests.synthetic import BEDROOM, write_model
from tests.synthetic_reports import SCORES, chart, write_report
from unit59.results import ResultsError, find_faults, read_model
from unit59.results.report import (
    Column,
    Measured,
    ReportPicture,
    ReportRecord,
    ReportSection,
    ReportTable,
)
from unit59.studies.base import Study, StudyError
from unit59.studies.base import Whole as Report
from unit59.studies.dissected import Dissected
from unit59.studies.registry import Asked


class Made(Study):
    """Reports are handed to `report_files` as they are."""

    depth: int = 3

    def run(self, model: Dissected) -> Report:
        raise NotImplementedError


def report(**parts: Any) -> Report:
    """A report that holds, with some of it replaced."""
    section = ReportSection(title="All", charts=[chart("points", hover=["unit"])])
    given: dict[str, Any] = {
        "question": "Is it?",
        "answer": "It is.",
        "method": [],
        "sections": [section],
        "limits": [],
        "tables": {"scores.parquet": SCORES},
    }
    return Report(**given | parts)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    write_model(tmp_path, "toy", "Toy", BEDROOM, {"layer1": (4, 8)}, ["layer1"], pictures=False)
    files = report_files(Asked("made", Made(name="mine")), report(pictures={"rows.webp": b"RIFF"}))
    assert sorted(files) == [
        "studies/mine/pictures/rows.webp",
        "studies/mine/scores.parquet",
        "studies/mine/study.json",
    ]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    record = ReportRecord.model_validate_json((tmp_path / "studies/mine/study.json").read_text())
    assert (record.study, record.name, record.settings) == ("made", "mine", {"depth": "3"})
    assert pl.read_parquet(tmp_path / "studies/mine/scores.parquet").equals(SCORES)


def shows(**parts: Any) -> list[ReportSection]:
    return [ReportSection.model_validate({"title": "All", **parts})]


BAD: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"tables": {}}, r"shows the table 'scores\.parquet'"),
    (lambda: {"sections": shows(charts=[chart("lines", x="nothing")])}, r"the column 'nothing' of 'scores"),
    (lambda: {"sections": shows(charts=[chart("lines", group="g")])}, "the column 'g'"),
    (lambda: {"sections": shows(charts=[chart("lines", where={"w": "1"})])}, "the column 'w'"),
    (lambda: {"sections": shows(charts=[chart("bars", y="layer")])}, "numbers in the column 'layer'"),
    (lambda: {"sections": shows(charts=[chart("bars", low="layer")])}, "numbers in the column 'layer'"),
    (
        lambda: {
            "sections": shows(
                tables=[
                    ReportTable(table="scores.parquet", columns=[Column(name="c", heading="")], caption="")
                ]
            )
        },
        "the column 'c'",
    ),
    (
        lambda: {"sections": shows(pictures=[ReportPicture(file="p.webp", rows=[], samples=[], caption="")])},
        "the picture 'p.webp'",
    ),
    (lambda: {"tables": {"index.html": SCORES}}, r"its report's tables\.0: String should match"),
    (lambda: {"tables": {"../scores.parquet": SCORES}}, r"its report's tables\.0: String should match"),
    (lambda: {"question": 3}, r"its report's question: Input should be a valid string"),
]


@pytest.mark.parametrize(("parts", "said"), BAD)
def test_a_report_that_shows_what_it_has_not_is_refused(
    parts: Callable[[], dict[str, Any]], said: str
) -> None:
    with pytest.raises(StudyError, match=f"^study made: .*{said}"):
        report_files(Asked("made", Made()), report(**parts()))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        Measured(words="share", value=value)


def record(**parts: Any) -> ReportRecord:
    given: dict[str, Any] = {
        "study": "made",
        "name": "made",
        "question": "Is it?",
        "answer": "It is.",
        "method": [],
        "sections": [ReportSection(title="All", charts=[chart("points")])],
        "limits": [],
        "settings": {},
        "tables": ["scores.parquet"],
    }
    return ReportRecord.model_validate(given | parts)


def test_a_strangers_report_is_checked_on_reading(tmp_path: Path) -> None:
    write_model(tmp_path, "toy", "Toy", BEDROOM, {"layer1": (4, 8)}, ["layer1"], pictures=False)
    model = tmp_path / "toy"
    write_report(model, record(), SCORES, {})
    assert list(find_faults(model)) == []
    assert [study.record.name for study in read_model(model).studies] == ["made"]
    write_report(model, record(), SCORES.drop("share"), {})
    with pytest.raises(
        ResultsError, match=r"study\.json: it shows the column 'share' of 'scores\.parquet', which"
    ):
        read_model(model)
    write_report(model, record(), SCORES.with_columns(pl.lit("much").alias("share")), {})
    with pytest.raises(ResultsError, match=r"study\.json: it shows numbers in the column 'share'"):
        read_model(model)
    picture = ReportPicture(file="gone.webp", rows=["before"], samples=[0], caption="")
    write_report(model, record(sections=[ReportSection(title="All", pictures=[picture])]), SCORES, {})
    with pytest.raises(ResultsError, match=r"study\.json: it shows the picture 'gone\.webp'"):
        read_model(model)


def test_a_file_that_is_no_table_ends_in_one_message(tmp_path: Path) -> None:
    write_model(tmp_path, "toy", "Toy", BEDROOM, {"layer1": (4, 8)}, ["layer1"], pictures=False)
    write_report(tmp_path / "toy", record(), SCORES, {})
    (tmp_path / "toy/studies/made/scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"scores\.parquet: the file has 4 bytes"):
        read_model(tmp_path / "toy")
