"""A report shows what it has: what it lacks is refused on telling and on reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.edit.planting import planted_recipe
from tests.synthetic import BEDROOM, write_model
from tests.synthetic_reports import SCORES, chart, write_report
from unit59.results import ResultsError, ResultsWriter, find_faults, read_model, to_json
from unit59.results.report import (
    Measured,
    ReportPicture,
    ReportRecord,
    ReportSection,
    ReportTable,
)
from unit59.studies.stored import Stored
from unit59.studies.tables import Report, Tables
from unit59.studies.telling import Teller, TellError, Words, tell_part

#: No other part is there.
NOTHING = Stored(Path(), {})


def report(**parts: Any) -> Report:
    """A report that holds, with some of it replaced."""
    section = ReportSection(title="All", charts=[chart("points", hover=["unit"])])
    given: dict[str, Any] = {
        "question": "Is it?",
        "answer": "It is.",
        "method": [],
        "sections": [section],
        "limits": [],
    }
    return Report(**given | parts)


def told(made: Report, frames: dict[str, pl.DataFrame], **pictures: bytes) -> dict[str, bytes]:
    """What is told of a study of one's own."""
    facts = {"study": "made", "name": "mine", "settings": {"depth": 3}, "facts": {"drawn": 7}}
    images = {f"{name}.webp": data for name, data in pictures.items()}

    def tell(tables: Tables) -> Report:
        assert tables.facts == {"drawn": 7}  # its own facts alone
        return made

    words = Words(planted_recipe(), own={("made", "mine"): Teller(tell)})
    files = tell_part("studies/mine", "report", Tables(frames, facts, images), words, NOTHING)
    assert files is not None
    return files


def test_what_is_told_reads_back() -> None:
    picture = ReportPicture(file="rows.webp", rows=["before"], samples=[0], caption="")
    sections = [ReportSection(title="All", charts=[chart("points")], pictures=[picture])]
    files = told(report(sections=sections), {"scores.parquet": SCORES}, rows=b"RIFF")
    assert list(files) == ["studies/mine/study.json"]
    record = ReportRecord.model_validate_json(files["studies/mine/study.json"])
    assert (record.study, record.name, record.settings) == ("made", "mine", {"depth": "3"})
    assert (record.tables, record.sections) == (["scores.parquet"], sections)


def test_nobody_tells_a_study_that_is_not_here() -> None:
    facts = {"study": "elsewhere:Study", "name": "mine", "settings": {}, "facts": {}}
    tables, words = Tables({"scores.parquet": SCORES}, facts), Words(planted_recipe())
    assert tell_part("studies/mine", "report", tables, words, NOTHING) is None


def shows(**parts: Any) -> list[ReportSection]:
    return [ReportSection.model_validate({"title": "All", **parts})]


BAD: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"frames": {}}, r"the table 'scores\.parquet'"),
    (lambda: {"sections": shows(charts=[chart("lines", x="nothing")])}, r"the column 'nothing' of 'scores"),
    (lambda: {"sections": shows(charts=[chart("lines", group="g")])}, "the column 'g'"),
    (lambda: {"sections": shows(charts=[chart("lines", where={"w": "1"})])}, "the column 'w'"),
    (lambda: {"sections": shows(charts=[chart("bars", y="layer")])}, "numbers in the column 'layer'"),
    (lambda: {"sections": shows(charts=[chart("bars", low="layer")])}, "numbers in the column 'layer'"),
    (
        lambda: {"sections": shows(tables=[ReportTable(table="scores.parquet", columns=["c"], caption="")])},
        "the column 'c'",
    ),
    (
        lambda: {"sections": shows(pictures=[ReportPicture(file="p.webp", rows=[], samples=[], caption="")])},
        "the picture 'p.webp'",
    ),
    (lambda: {"frames": {"index.html": SCORES}}, r"^studies/mine: tables\.0: String should match"),
    (lambda: {"frames": {"../scores.parquet": SCORES}}, r"^studies/mine: tables\.0: String should match"),
    (lambda: {"question": 3}, r"^studies/mine: question: Input should be a valid string"),
]


@pytest.mark.parametrize(("parts", "said"), BAD)
def test_a_report_that_shows_what_it_has_not_is_refused(
    parts: Callable[[], dict[str, Any]], said: str
) -> None:
    given = parts()
    frames = given.pop("frames", {"scores.parquet": SCORES})
    with pytest.raises(
        TellError, match=said if said[0] == "^" else f"^study made: its report shows .*{said}"
    ):
        told(report(**given), frames)


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


def test_a_report_of_an_earlier_version_says_how_it_is_told_anew(tmp_path: Path) -> None:
    write_model(tmp_path, "toy", "Toy", BEDROOM, {"layer1": (4, 8)}, ["layer1"], pictures=False)
    told = record(sections=shows(tables=[ReportTable(table="scores.parquet", columns=["unit"], caption="")]))
    write_report(tmp_path / "toy", told, SCORES, {})
    files = {"studies/made/study.json": to_json(told).replace(b'"unit"', b'{"name": "unit"}')}
    ResultsWriter(tmp_path, "toy").write_told("studies/made", files)
    with pytest.raises(ResultsError, match=r"columns\.0: Input .* `unit59 tell .*` tells it anew\."):
        read_model(tmp_path / "toy")


def test_a_file_that_is_no_table_ends_in_one_message(tmp_path: Path) -> None:
    write_model(tmp_path, "toy", "Toy", BEDROOM, {"layer1": (4, 8)}, ["layer1"], pictures=False)
    write_report(tmp_path / "toy", record(), SCORES, {})
    (tmp_path / "toy/studies/made/scores.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"scores\.parquet: the file has 4 bytes"):
        read_model(tmp_path / "toy")
