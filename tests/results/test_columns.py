"""What a row's fields say of the columns: types, headings, how numbers are shown, whose ends are whose."""

from __future__ import annotations

import importlib
import math
from typing import Any

import polars as pl
import pytest

from unit59.results.columns import High, LayerName, Low, Schema, column, table_row
from unit59.studies.registry import load_study
from unit59.studies.telling import STUDIES


@table_row
class Row:
    """A layer."""

    layer: LayerName
    units: int = column("how many", "units")
    gone: float | None = column("of the area, what is gone", "share of the area", "area gone")
    gone_low: Low
    gone_high: High
    iou: float = column("overlap", "IoU", "best IoU", dtype=pl.Float32)
    score: float = column("F-score", form="percent")
    p: float | None = column("of the difference", form="p")
    peaks: list[float] | None = column("largest values")


ROW = Schema(Row)


def test_types_come_from_the_fields() -> None:
    columns = ROW.columns
    assert list(ROW.values())[:3] == [pl.String, pl.Int32, pl.Float64]
    assert (ROW["iou"], ROW["peaks"]) == (pl.Float32, pl.List(pl.Float64))
    assert {name for name, each in columns.items() if each.nullable} == {
        "gone",
        "gone_low",
        "gone_high",
        "p",
        "peaks",
    }


@pytest.mark.parametrize(
    ("name", "form", "title"),
    [
        ("layer", "text", "layer"),
        ("units", "integer", "units"),
        ("gone", "percent", "area gone (% of the area)"),
        ("iou", "number", "best IoU"),
        ("score", "percent", "score (%)"),
        ("p", "p", "p"),
    ],
)
def test_a_heading_says_what_numbers_are_shown_in(name: str, form: str, title: str) -> None:
    assert (ROW.columns[name].form, ROW.columns[name].title) == (form, title)


def test_ends_belong_to_the_column_before_them() -> None:
    gone, low = ROW.columns["gone"], ROW.columns["gone_low"]
    assert (gone.low, gone.high) == ("gone_low", "gone_high")
    assert low.said == "lower end of the 95 % interval of gone (share of the area)"
    assert ROW.columns["iou"].low is None


def test_a_table_of_records_has_nothing_for_nan_and_its_columns_without_rows() -> None:
    given: dict[str, Any] = {"gone": math.nan, "gone_low": None, "gone_high": 0.5}
    table = ROW.frame([Row(layer="a", units=1, iou=0.1, score=1.0, p=0.5, peaks=[1.0], **given)])
    assert table.schema == pl.Schema(ROW) == ROW.frame([]).schema
    assert table["gone"].to_list() == [None]


@pytest.mark.parametrize("study", STUDIES)
def test_what_a_study_measures_and_what_tells_it_know_the_same_columns(study: str, tmp_path: Any) -> None:
    room, _ = STUDIES[study]
    schemas = importlib.import_module(f"{room}.tables").SCHEMAS
    assert schemas
    assert load_study(study, tmp_path).study.schemas is schemas
