"""Reports as pages: charts that say what the tables say, links, cards, templates of one's own."""

from __future__ import annotations

import doctest
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mkdocs.exceptions import Abort

from tests.site.conftest import Builder
from tests.site.pages import Links
from tests.synthetic_reports import EVIL, SCORES, Score, chart
from unit59.results import read_results
from unit59.results.columns import Schema
from unit59.results.report import Columns, Reference, ReportChart
from unit59.site import cells
from unit59.site.charts.report import MOST_GROUPS, MOST_POINTS, report_chart
from unit59.site.charts.report_words import MOST_ROWS
from unit59.site.heads import Head
from unit59.site.pages import site_pages
from unit59.site.pages.report import ShownCell
from unit59.site.render import Renderer, TemplateError
from unit59.site.site import Page, Site


@pytest.fixture(scope="module")
def page(site: Site) -> Page:
    return _page(site, "studies/bedrooms-scores")


def _page(site: Site, path: str) -> Page:
    return next(page for page in site_pages(site) if page.path == path)


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(cells).failed == 0


def test_lines_are_the_tables_numbers_in_order() -> None:
    shuffled = SCORES.sort("share", descending=True, nulls_last=True)
    given = chart("lines", group="layer", low="low", high="high", x_log=True)
    found = report_chart(given, shuffled, {"layer1": "#112233"}, Columns())
    assert found is not None
    lines = {trace["name"]: trace for trace in found.data if trace.get("showlegend", True)}
    assert lines["layer1"]["x"] == [1, 2, 4]
    assert lines["layer1"]["y"] == [10, 20, 40]
    assert lines["layer1"]["line"]["color"] == "#112233"
    assert lines["layer2"]["line"]["dash"] != lines["layer1"]["line"]["dash"]
    assert "layer9" not in lines  # its only row has no number
    band = next(trace for trace in found.data if trace.get("fill"))
    assert band["y"] == [15, 30, 45, 35, 10, 5]
    assert found.layout["xaxis"]["type"] == "log"
    assert found.layout["xaxis"]["tickvals"] == [1, 2, 4]
    assert found.layout["yaxis"]["title"]["text"] == "area left, %"
    assert ["layer1", "1", "10\u202f%", "5 – 15"] in found.rows


def test_axes_heads_and_points_say_what_the_columns_hold() -> None:
    columns = Columns.of(Schema(Score))
    asked = ReportChart(
        kind="points", table="scores.parquet", x="count", y="share", hover=["low", "p"], label="", caption=""
    )
    found = report_chart(asked, SCORES, {}, columns)
    assert found is not None
    assert found.layout["yaxis"]["title"]["text"] == "area left (% of the area)"
    assert found.data[0]["y"][0] == 10 and "error_y" in found.data[0]
    assert found.data[0]["text"][0].startswith("low (% of the area) 5\u202f%<br>p &lt; 0.001<br>")
    assert found.head[2:] == [
        Head("units off", "how many units are off"),
        Head("area left (% of the area)", "what is left of the area (share of the area)"),
        Head("95 % interval", "the 95 % interval of share (share of the area)"),
    ]
    plain = report_chart(asked.model_copy(update={"interval": False}), SCORES, {}, columns)
    assert plain is not None and "error_y" not in plain.data[0]


def test_whiskers_hold_the_interval_whatever_its_sign() -> None:
    table = pl.DataFrame({"x": ["a", "b"], "y": [-1.0, 2.0], "low": [-3.0, 0.0], "high": [0.0, 2.5]})
    given = chart("bars", x="x", y="y", low="low", high="high", y_percent=False)
    found = report_chart(given, table, {}, Columns())
    assert found is not None
    assert found.data[0]["error_y"]["array"] == [1, 0.5]
    assert found.data[0]["error_y"]["arrayminus"] == [2, 2]
    assert found.data[0]["y"] == [-1, 2]


def test_bars_with_long_names_lie_and_references_turn_with_them() -> None:
    given = chart("bars", x="concept", references=[Reference(axis="y", value=0.25, name="chance")])
    found = report_chart(given, SCORES, {}, Columns())
    assert found is not None
    assert found.data[0]["orientation"] == "h"
    assert found.data[0]["y"][:2] == ["bed", "cushion"]
    assert found.data[0]["x"][:2] == [10, 20]
    assert found.layout["shapes"][0]["x0"] == 25
    assert "1 further rows" not in found.caption
    assert "same bar" in found.caption  # bed has two rows


def test_only_rows_that_are_asked_for_and_have_numbers() -> None:
    found = report_chart(chart("points", where={"layer": "layer1", "found": "yes"}), SCORES, {}, Columns())
    assert found is not None
    assert found.data[0]["y"] == [10, 20]
    assert report_chart(chart("points", where={"layer": "layer9"}), SCORES, {}, Columns()) is None
    assert report_chart(chart("points"), SCORES.clear(), {}, Columns()) is None


def test_numbers_that_are_none_are_left_out() -> None:
    bad = [float("nan"), float("inf"), None, 0.5]
    table = SCORES.head(4).with_columns(pl.Series("share", bad), pl.Series("count", [1.0, 2.0, 3.0, 0.0]))
    assert report_chart(chart("points", x_log=True), table, {}, Columns()) is None
    found = report_chart(chart("points"), table, {}, Columns())
    assert found is not None
    assert (found.data[0]["x"], found.data[0]["y"]) == ([0], [50])
    json.dumps(found.figure, allow_nan=False)


def test_a_large_table_stays_light() -> None:
    many = pl.DataFrame(
        {"count": range(10_000), "share": [0.5] * 10_000, "layer": [f"l{i % 40}" for i in range(10_000)]}
    )
    found = report_chart(chart("points", group="layer"), many, {}, Columns())
    assert found is not None
    assert sum(len(trace["x"]) for trace in found.data) <= MOST_POINTS
    assert len(found.data) == MOST_GROUPS
    assert len(found.rows) == MOST_ROWS + 1
    assert {len(row) for row in found.rows} == {len(found.head)}
    assert f"The first {MOST_GROUPS} of 40 groups are drawn" in found.caption


def test_cells_lead_to_units_layers_and_concepts(page: Page) -> None:
    first, *_ = page.context["sections"]
    rows = first.tables[0].rows
    assert len(rows) == 5
    assert first.tables[0].total == 7
    assert [cell.path for cell in rows[0][:2]] == ["models/bedrooms/layer1", "models/bedrooms/layer1/0"]
    assert rows[0][2].concept.label == "bed"
    assert rows[2][2] == ShownCell("no concept")
    assert rows[0][3].text == "10\u202f% [5\u202f%, 15\u202f%]"
    assert rows[0][5].text == "< 0.001"


def test_a_page_says_it_all(site: Site, page: Page) -> None:
    text = Renderer(site).body(page)
    says = ["Does it hold?", "It holds in 3 of 7 rows.", "Nothing to draw", "is not on this site", "lamp on"]
    says += ["35.0\u202f%", "[30.0\u202f%, 40.0\u202f%]", "What was done", "Made up."]
    for said in says:
        assert said in text
    targets = {address for _, _, address, _ in Links(text).found}
    assert {"../../models/bedrooms/", "../../studies/", "../../concepts/bed/"} <= targets
    assert {
        "../../studies/bedrooms-scores/study.json",
        "../../studies/bedrooms-scores/scores.parquet",
    } <= targets


def test_a_strangers_words_are_no_markup(site: Site) -> None:
    page = _page(site, "studies/hostile-evil")
    text = Renderer(site).body(page)
    assert "<script" not in text
    assert not [name for _, given in Links(text).tags for name in given if name.startswith("on")]
    for section in page.context["sections"]:
        for _, drawn in section.charts:
            assert not [text for text in _strings(drawn.figure) if "<script" in text or "%{x}" in text]
    assert not {"/", "\\", " ", "<"} & set(page.own_template)


def test_the_index_and_the_model_have_a_card_of_each_study(site: Site) -> None:
    index = Renderer(site).body(_page(site, "studies"))
    assert "Does it hold?" in index
    assert "studies/bedrooms-scores/pictures/rooms.webp" in index
    model = Renderer(site).body(_page(site, "models/bedrooms"))
    assert "../../studies/bedrooms-scores/" in {address for _, _, address, _ in Links(model).found}
    assert EVIL not in model


def test_a_template_of_ones_own_goes_first(site: Site, page: Page, tmp_path: Path) -> None:
    (tmp_path / "study-scores.html").write_text(
        '{% extends "report.html" %}'
        "{% block method %}<p>Mine: {{ record.settings.samples }}</p>{% endblock %}"
    )
    text = Renderer(site, [tmp_path]).body(page)
    assert "<p>Mine: 7</p>" in text
    assert "What was done" not in text
    assert "By number" in text
    assert "What was done" in Renderer(site, [tmp_path]).body(_page(site, "studies/hostile-evil"))
    (tmp_path / "study-scores.html").write_text("{{ record.nothing }}")
    with pytest.raises(TemplateError, match=r"study-scores\.html, for the page studies/bedrooms-scores"):
        Renderer(site, [tmp_path]).body(page)


def test_reports_are_published_and_in_the_navigation(built: Path) -> None:
    home = built / "studies/bedrooms-scores"
    assert {path.name for path in home.iterdir()} >= {
        "index.html",
        "study.json",
        "scores.parquet",
        "pictures",
    }
    assert "studies/" in {address for _, _, address, _ in Links((built / "index.html").read_text()).found}


def test_a_missing_picture_is_said_before_anything_is_built(
    results: Path, build_site: Builder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(results, tmp_path / "results")
    (copy / "bedrooms/studies/scores/pictures/rooms.webp").unlink()
    with pytest.raises(Abort):
        build_site(copy)
    assert "rooms.webp: the file is missing" in caplog.text


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def test_results_without_studies_have_no_index(results: Path) -> None:
    model = next(model for model in read_results(results) if model.record.name == "bedrooms")
    model.studies.clear()
    assert "studies" not in {page.path for page in site_pages(Site.of([model]))}
