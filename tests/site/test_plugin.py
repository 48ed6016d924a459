"""The plugin in MkDocs: whole sites, built."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from mkdocs.exceptions import Abort

from tests.site.conftest import ROOT, Builder
from tests.site.pages import Links, broken_links, foreign_requests, html_files
from tests.synthetic import write_model, write_results
from unit59.site.pages import site_pages, unit_pages
from unit59.site.site import Site
from unit59.site.stamp import BODY, DESCRIPTION, TITLE


def test_every_link_resolves(built: Path) -> None:
    assert list(broken_links(built)) == []


def test_no_page_asks_another_host(built: Path) -> None:
    assert list(foreign_requests(built)) == []


def test_every_page_is_there_once_and_no_mark_is_left(built: Path, site: Site) -> None:
    pages = [page.path for page in site_pages(site)]
    pages += [page.path for layer in site.layers for page in unit_pages(site, layer)]
    assert {path.parent.relative_to(built).as_posix() for path in built.rglob("index.html")} == {
        path or "." for path in pages
    }
    for path in html_files(built):
        text = path.read_text("utf-8")
        assert not [mark for mark in (TITLE, DESCRIPTION, BODY) if mark in text]


def test_stamped_pages_name_themselves(built: Path) -> None:
    for unit in (0, 7):
        text = (built / f"models/bedrooms/layer2/{unit}/index.html").read_text("utf-8")
        assert f"<title>Unit {unit} · layer2 · Toy bedrooms - Unit 59</title>" in text
        canonical = f"https://example.org/dissections/models/bedrooms/layer2/{unit}/"
        assert f'<link rel="canonical" href="{canonical}">' in text
    assert '<link rel="next" href="../8/">' in text
    assert '<link rel="prev" href="../6/">' in text


def test_hostile_titles_stay_text(built: Path) -> None:
    for path in (built / "models/hostile").rglob("*.html"):
        text = path.read_text("utf-8")
        assert "<b>names" not in text
        assert "onerror=alert(1)>" not in text.replace("onerror=alert(1)&gt;", "")


def test_search_knows_units_by_title_and_label_only(built: Path) -> None:
    index = json.loads((built / "search/search_index.json").read_text("utf-8"))
    rows = {row["location"]: row for row in index["docs"]}
    row = rows["models/bedrooms/layer2/3/"]
    assert row == {
        "location": "models/bedrooms/layer2/3/",
        "title": "Unit 3 · layer2 · Toy bedrooms",
        "text": "window",
    }
    assert len([path for path in rows if path.startswith("models/")]) == 1 + 2 + 5 + 94
    assert not [row for row in index["docs"] if "<" in row["title"] + row["text"]]


def test_sitemap_lists_every_page_once(built: Path, site: Site) -> None:
    text = (built / "sitemap.xml").read_bytes()
    assert gzip.decompress((built / "sitemap.xml.gz").read_bytes()) == text
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    places = [place.text for place in ET.fromstring(text).findall("s:url/s:loc", space)]
    expected = len(list(site_pages(site))) + sum(layer.record.units for layer in site.layers)
    assert len(places) == len(set(places)) == expected
    assert "https://example.org/dissections/models/hostile/b16.conv1/13/" in places


def test_data_beside_the_pages_is_the_results(built: Path, results: Path) -> None:
    copied = (built / "models/bedrooms/layer2/units.parquet").read_bytes()
    assert copied == (results / "bedrooms/layers/layer2/units.parquet").read_bytes()
    row = json.loads((built / "models/bedrooms/layer2/3/data.json").read_text("utf-8"))
    assert row["units.parquet"]["unit"] == 3
    assert next(one["concept"] for one in row["agreement.parquet"]) == row["units.parquet"]["label"]
    lines = (built / "models/bedrooms/layer2/units.csv").read_text("utf-8").splitlines()
    assert len(lines) == 41


def test_pages_work_from_disk(results: Path, build_site: Builder) -> None:
    site = build_site(results, use_directory_urls=False)
    assert list(broken_links(site, explicit=True)) == []


def test_pages_can_live_below_a_root_in_a_site_with_its_own_pages(results: Path, build_site: Builder) -> None:
    site = build_site(
        results,
        docs={"index.md": "# My site\n\n[units](dissection/models/index.md)", "about.md": "# About"},
        plugin={"root": "dissection", "look": False, "models": ["bedrooms"], "strips": ["exemplars"]},
        theme={"name": "material", "font": False},
        nav=[{"Home": "index.md"}, {"About": "about.md"}, {"Units": "dissection/index.md"}],
    )
    assert "My site" in (site / "index.html").read_text("utf-8")
    assert (site / "dissection/models/bedrooms/layer1/0/index.html").exists()
    assert not (site / "dissection/models/hostile").exists()
    assert not list(site.rglob("*-ablated.webp"))
    assert list(broken_links(site)) == []
    rows = json.loads((site / "search/search_index.json").read_text("utf-8"))["docs"]
    assert "dissection/models/bedrooms/layer1/0/" in {row["location"] for row in rows}


@pytest.mark.parametrize("theme", ["mkdocs", "readthedocs"])
def test_other_themes_get_whole_pages_too(results: Path, build_site: Builder, theme: str) -> None:
    site = build_site(results, theme={"name": theme}, plugin={"look": False}, markdown_extensions=[])
    assert list(broken_links(site)) == []
    assert "agrees with" in (site / "models/bedrooms/layer2/3/index.html").read_text("utf-8")


def test_a_user_page_at_the_same_place_stays(results: Path, build_site: Builder) -> None:
    site = build_site(results, docs={"index.md": "# Mine"})
    assert "Mine" in (site / "index.html").read_text("utf-8")
    assert "Toy bedrooms" in (site / "models/index.html").read_text("utf-8")


def test_entrances_appear_in_the_navigation_only_where_there_is_none(
    results: Path, build_site: Builder
) -> None:
    automatic = build_site(results, docs={"index.md": "# Mine"})
    links = [
        address
        for tag, _, address, _ in Links((automatic / "index.html").read_text("utf-8")).found
        if tag == "a"
    ]
    assert {"models/", "concepts/", "compare/"} <= set(links)
    given = build_site(results, docs={"index.md": "# Mine"}, nav=[{"Home": "index.md"}])
    links = [
        address for tag, _, address, _ in Links((given / "index.html").read_text("utf-8")).found if tag == "a"
    ]
    assert "concepts/" not in links


def test_templates_and_assets_can_be_overridden(results: Path, build_site: Builder, tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "models.html").write_text("<h1>my models</h1>", "utf-8")
    (tmp_path / "assets" / "unit59.css").write_text("/* mine */", "utf-8")
    site = build_site(results, plugin={"templates": str(tmp_path)})
    assert "my models" in (site / "models/index.html").read_text("utf-8")
    assert (site / "assets/unit59/unit59.css").read_text("utf-8") == "/* mine */"


def test_two_builds_give_the_same_bytes(built: Path, results: Path, build_site: Builder) -> None:
    again = build_site(results, site_url="https://example.org/dissections/")
    names = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    skip = {"sitemap.xml", "sitemap.xml.gz"}  # MkDocs writes the date into them
    assert [
        name
        for name in names
        if name.name not in skip and (built / name).read_bytes() != (again / name).read_bytes()
    ] == []


BAD = [
    ({"results": "nowhere"}, "there is no results folder here"),
    ({"models": ["bedroms"]}, "'bedroms' is not among the results (bedrooms, hostile)"),
    ({"layers": ["layer9"]}, "'layer9' is not among the results"),
    ({"templates": "nowhere"}, "there is no folder"),
]


@pytest.mark.parametrize(("plugin", "message"), BAD)
def test_bad_options_end_in_one_message(
    results: Path, build_site: Builder, caplog: pytest.LogCaptureFixture, plugin: dict[str, Any], message: str
) -> None:
    with pytest.raises(Abort) as stop:
        build_site(results, plugin=plugin)
    assert stop.value.code == 1
    assert message in caplog.text
    assert "Traceback" not in caplog.text


def _damage(results: Path, kind: str) -> None:
    record = results / "bedrooms" / "model.json"
    if kind == "removed":
        (results / "bedrooms/layers/layer1/pictures/0003-exemplars.webp").unlink()
    elif kind == "flipped":
        content = bytearray(record.read_bytes())
        content[100] ^= 1
        record.write_bytes(content)
    else:
        manifest = results / "bedrooms" / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"schema_version": 2', '"schema_version": 99'))


@pytest.mark.parametrize(
    ("kind", "message"),
    [("removed", "0003-exemplars.webp"), ("flipped", "model.json"), ("newer", "results schema 99")],
)
def test_damaged_results_end_in_one_message(tmp_path: Path, kind: str, message: str) -> None:
    results = write_results(tmp_path / "results")
    _damage(results, kind)
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nplugins:\n  - unit59:\n      results: results\n")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_without_a_finished_layer_is_no_claim(tmp_path: Path, build_site: Builder) -> None:
    write_model(tmp_path, "begun", "Just begun", [("bed", "object", "#aa0000")], {}, ["layer1"])
    site = build_site(tmp_path)
    text = (site / "index.html").read_text("utf-8")
    assert "Nothing yet" in text
    for path in html_files(site):
        assert "No evidence" not in path.read_text("utf-8")
    assert list(broken_links(site)) == []


def test_the_site_stage_never_imports_torch(results: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: x\ntheme: material\nplugins:\n  - search\n  - unit59:\n      results: {results}\n"
    )
    program = (
        "import sys\n"
        "for name in ('torch', 'numpy', 'scipy', 'PIL', 'safetensors'):\n"
        "    sys.modules[name] = None\n"  # importing them fails, as where they are not installed
        "import unit59.site.plugin\n"
        "from mkdocs.__main__ import cli\n"
        "cli(['build', '--quiet'])\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=True,
        env={"PYTHONPATH": f"{ROOT / 'dissect'}:{ROOT / 'generator'}", "PATH": ""},
    )
    assert (tmp_path / "site/models/bedrooms/layer1/0/index.html").exists()


def test_a_site_too_large_for_github_pages_says_what_to_do(
    results: Path, build_site: Builder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("unit59.site.files.PAGES_LIMIT", 1000)
    with pytest.raises(Abort):  # a warning stops a strict build
        build_site(results)
    assert "strips: [exemplars]" in caplog.text


def test_the_predicted_size_is_about_right(built: Path, site: Site) -> None:
    from unit59.site.files import predicted_bytes

    real = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    assert 0.5 < predicted_bytes(site, site_pages(site)) / real < 1.5
