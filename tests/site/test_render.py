"""Pages to HTML: numbers, links, templates, escaping."""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from markupsafe import escape

from tests.site.pages import Links as Parsed
from unit59.results import KeptFile
from unit59.site import heads, render
from unit59.site.heads import head
from unit59.site.pages import all_pages, site_pages, unit_pages
from unit59.site.pages.model import model_page
from unit59.site.render import Links, Renderer, TemplateError, number, percent
from unit59.site.site import Site


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(render).failed == doctest.testmod(heads).failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.15, "0.150"),
        (0.0499, "0.050"),
        (0.0034, "0.0034"),
        (0.00004, "4.0e-05"),
        (0.0, "0"),
        (None, "–"),
        (12.5, "12.500"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_percentages() -> None:
    assert percent(0.123) == "12.3\u202f%"


@pytest.mark.parametrize("here", ["", "models", "models/faces/layer2/59"])
def test_links_lead_from_anywhere(here: str) -> None:
    for explicit in (False, True):
        links = Links(here, explicit=explicit)
        last = "index.html" if explicit else ""
        for target in ("", "models/faces", here):
            resolved = _resolve(here, links.page(target))
            assert resolved == (f"{target}/{last}" if target else last)
        assert _resolve(here, links.file("assets/x.css")) == "assets/x.css"


def test_a_nul_in_a_name_does_not_shift_a_table() -> None:
    rows = render.table_rows([("a\0b", 1, "c"), ("\0", "\0", "\0")])
    assert rows.count("<td>") == 4
    assert "\0" not in rows
    assert '<th scope="row">a\ufffdb</th><td>1</td><td>c</td>' in rows


def _resolve(here: str, address: str) -> str:
    from urllib.parse import urljoin

    return urljoin(f"https://h/root/{here}/" if here else "https://h/root/", address).removeprefix(
        "https://h/root/"
    )


def test_nothing_from_the_results_becomes_markup(site: Site) -> None:
    renderer = Renderer(site)
    pages = [*site_pages(site), *(page for layer in site.layers for page in unit_pages(site, layer))]
    for page in pages:
        body = renderer.body(page)
        for tag, given in Parsed(body).tags:
            assert tag != "script", page.path
            assert not [name for name in given if name.startswith("on")], page.path
            assert "url(" not in (given.get("style") or ""), page.path
            assert tag != "img" or (given.get("src") or "").endswith(".webp")


def test_a_user_template_goes_first(site: Site, tmp_path: Path) -> None:
    (tmp_path / "models.html").write_text("<h1>mine, {{ site.models | length }}</h1>", "utf-8")
    page = next(page for page in site_pages(site) if page.path == "models")
    assert Renderer(site, [tmp_path]).body(page) == "<h1>mine, 2</h1>"


def test_a_user_template_can_extend_a_block(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "home.html").write_text("<p>before</p>{% include 'models.html' %}", "utf-8")
    page = next(page for page in site_pages(site) if page.path == "")
    assert Renderer(site, [tmp_path / "mine"]).body(page).startswith("<p>before</p>")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% if %}", r"models\.html:1"),
        ("{{ nonsense }}", "nonsense"),
        ("{% include 'gone.html' %}", "gone.html"),
    ],
)
def test_a_broken_template_is_named(site: Site, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "models.html").write_text(text, "utf-8")
    page = next(page for page in site_pages(site) if page.path == "models")
    with pytest.raises(TemplateError, match=message):
        Renderer(site, [tmp_path]).body(page)


def test_every_picture_has_words_and_every_page_one_heading(site: Site) -> None:
    renderer = Renderer(site)
    for page in [*site_pages(site), *unit_pages(site, site.layers[1])]:
        tags = Parsed(renderer.body(page)).tags
        assert all(given.get("alt") for tag, given in tags if tag == "img"), page.path
        assert sum(tag == "h1" for tag, _ in tags) == 1, page.path


def test_no_evidence_is_said_plainly(site: Site) -> None:
    renderer = Renderer(site)
    for layer in site.layers:
        for page in unit_pages(site, layer):
            claims = page.context["unit"].verdict == "above"
            lede = renderer.body(page).split('<p class="u59-lede">')[1]
            assert ("No evidence" in lede) != claims
            assert ("agrees with" in lede) == claims


def test_an_interrupted_model_says_what_is_missing(site: Site) -> None:
    renderer = Renderer(site)
    pages = {page.path: page for page in site_pages(site)}
    assert "b32.conv0" in renderer.body(pages["models/hostile"])
    assert "Not finished" in renderer.body(pages["models/hostile"])
    assert "Not finished" not in renderer.body(pages["models/bedrooms"])


def test_a_model_says_how_its_samples_were_drawn(site: Site) -> None:
    page = next(page for page in site_pages(site) if page.path == "models/bedrooms")
    assert "<dt>Truncation</dt><dd>psi 0.7 on all layers</dd>" in Renderer(site).body(page)


def test_a_unit_says_on_which_samples_its_neighbours_were_sought(site: Site) -> None:
    layer = next(layer for layer in site.layers if layer.name == "layer2")
    page = next(page for page in unit_pages(site, layer) if page.path.endswith("/3"))
    assert "over all layers and the first 64 samples." in Renderer(site).body(page)


def test_a_model_stands_beside_real_pictures(site: Site) -> None:
    page = next(page for page in site_pages(site) if page.path == "models/bedrooms")
    section = Renderer(site).body(page).split('id="quality"')[1].split('id="provenance"')[0]
    assert "12.34" in section
    assert "0.56" in section
    assert "This concept shows more than 10 percentage points too often or too rarely" in section
    assert section.count("u59-chip") == 1  # the window: 15 % of the generated, 45 % of the real pictures
    assert "in 15\u202f% of the generated and 45\u202f% of the real pictures." in section
    assert section.count("samples.webp") == section.count("real.webp") == 16
    assert "&lt;real&gt;" in section
    published = dict(file for page in all_pages(site) for file in page.files)
    for name in ("quality.json", "quality.parquet", "real.webp"):
        assert isinstance(source := published[f"models/bedrooms/{name}"], KeptFile)
        assert source.fault() is None


def test_without_real_pictures_the_page_says_so(site: Site) -> None:
    model = site.models[0]
    bare = replace(model, results=replace(model.results, quality=None))
    body = Renderer(site).body(model_page(site, bare))
    assert "Not measured." in body
    assert "real: {folder: photos}" in body
    assert "real.webp" not in body


def test_no_concept_far_off_is_said_too(site: Site) -> None:
    model = site.models[0]
    quality = model.results.quality
    assert quality is not None
    table = quality.table.with_columns(presence_difference=pl.lit(0.1))
    near = replace(model, results=replace(model.results, quality=replace(quality, table=table)))
    assert "No concept shows more than 10 percentage points" in Renderer(site).body(model_page(site, near))


def test_a_head_says_what_the_schema_says_of_its_column() -> None:
    overlap = head("similar.overlap")
    assert 'title="overlap of the two units&#39; masks (IoU)">overlap</th>' in overlap.__html__()
    interval = head("units.iou_low", "95 % interval")
    assert interval.said == "the 95 % bootstrap interval of the IoU over samples (IoU)"
    for gone in ("units.renamed", "LayerRecord.renamed", "Renamed.name"):
        with pytest.raises(KeyError):
            head(gone)


def test_every_column_of_every_page_has_a_tool_tip_or_is_a_model(site: Site) -> None:
    renderer, names = Renderer(site), {model.title for model in site.models} | {"measure"}
    for page in all_pages(site):
        if page.path != "studies/hostile-evil":  # a stranger's study may say nothing of its columns
            silent = re.findall(r'<th scope="col">(.*?)</th>', renderer.body(page))
            assert set(silent) <= {str(escape(name)) for name in names}, page.path
