"""`unit59 export`: pages as files for any site builder, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from markdown import markdown as to_html  # type: ignore[import-untyped]  # ships no types
from typer.testing import CliRunner

from tests.site.pages import Links, broken_links, foreign_requests
from unit59.cli import app
from unit59.site.export import ExportError, export


def test_html_is_a_site_of_its_own(results: Path, tmp_path: Path) -> None:
    count = export(results, tmp_path / "out", "html")
    assert count == len(list((tmp_path / "out").rglob("*.html")))
    assert list(broken_links(tmp_path / "out", explicit=True)) == []
    assert list(foreign_requests(tmp_path / "out")) == []


def test_markdown_has_front_matter_and_one_block(results: Path, tmp_path: Path) -> None:
    export(results, tmp_path)
    pages = list(tmp_path.rglob("*.md"))
    assert len(pages) > 100
    for page in pages:
        _, front, body = page.read_text("utf-8").split("---\n", 2)
        assert yaml.safe_load(front)["title"]
        assert "\n\n" not in body.strip()


def test_markdown_gives_the_same_page_in_a_plain_converter(results: Path, tmp_path: Path) -> None:
    export(results, tmp_path)
    text = (tmp_path / "models/bedrooms/layer2/3/index.md").read_text("utf-8").split("---\n", 2)[2]
    before, after = Links(text), Links(to_html(text))
    assert [tag for tag, _ in after.tags] == [tag for tag, _ in before.tags]
    recipe = (tmp_path / "models/bedrooms/index.md").read_text("utf-8")
    assert "name: bedrooms&#10;&#10;layers" in recipe


def test_a_folder_with_other_things_is_left_alone(results: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ExportError, match="not empty"):
        export(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_exporting_again_replaces(results: Path, tmp_path: Path) -> None:
    assert export(results, tmp_path) == export(results, tmp_path)


def test_the_command(results: Path, tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["export", str(tmp_path / "out"), "--results", str(results)])
    assert ended.exit_code == 0
    assert "pages" in ended.output
    assert (tmp_path / "out" / "index.md").exists()
