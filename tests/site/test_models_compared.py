"""Models compared: the page's numbers against a count over the results' own tables."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.site.pages import Links
from unit59.results import INTERPRETABLE_IOU, read_results
from unit59.site.pages import site_pages
from unit59.site.pages.models_compared import answer
from unit59.site.render import Renderer, percent
from unit59.site.site import Page, Site
from unit59.site.studies import MODELS_COMPARED


@pytest.fixture(scope="module")
def page(site: Site) -> Page:
    return next(page for page in site_pages(site) if page.path == MODELS_COMPARED)


def _tables(results: Path, model: str, name: str) -> pl.DataFrame:
    home = results / model / "layers"
    files = sorted(home.glob(f"*/{name}"))
    return pl.concat(
        pl.read_parquet(file).with_columns(layer=pl.lit(file.relative_to(home).parts[0])) for file in files
    )


def _counted(results: Path, model: str) -> tuple[int, int, int]:
    units = _tables(results, model, "units.parquet")
    reach = units.filter(pl.col("iou") >= INTERPRETABLE_IOU)
    return len(units), len(reach), len(reach.filter(pl.col("iou") > pl.col("null_99")))


def test_counts_are_those_of_the_tables(results: Path, site: Site, page: Page) -> None:
    chart = page.context["chart"]
    for at, (row, drawn) in enumerate(zip(page.context["rows"], chart.rows, strict=True)):
        units, reach, above = _counted(results, row.model.name)
        assert (row.model.units, row.model.interpretable, row.model.above_null) == (units, reach, above)
        assert drawn[:3] == (row.model.title, units, f"{100 * above / units:.1f} %")
        place = len(chart.rows) - 1 - at  # axes go upwards
        shares = [trace["x"][place] for trace in chart.data]
        null = sum(layer.record.null.interpretable for layer in row.model.layers)
        assert shares == pytest.approx([100 * n / units for n in (reach, null, above)], rel=1e-3)
        assert f"{above} of {units} units of {row.model.title} ({percent(above / units)})" in answer(site)


def test_best_units_and_effects(results: Path, page: Page) -> None:
    rows = {row.model.name: row for row in page.context["rows"]}
    for name, row in rows.items():
        units = _tables(results, name, "units.parquet")
        best = (
            units.filter(pl.col("interpretable"), pl.col("iou") > pl.col("null_99"))
            .sort("iou")
            .row(-1, named=True)
        )
        assert (row.best.layer.name, row.best.number) == (best["layer"], best["unit"])
    effects = _tables(results, "bedrooms", "effects/effects.parquet").filter(pl.col("kind") == "ablate")
    assert rows["bedrooms"].measured == effects["unit"].n_unique() == 26
    assert rows["bedrooms"].layers == 1
    assert rows["hostile"].measured == 0


def test_only_concepts_of_the_same_name_and_plane_are_compared(results: Path, page: Page) -> None:
    (concept, cells), *others = page.context["concepts"]
    assert not others
    assert (concept.label, concept.plane) == ("cushion", "object")
    assert page.context["alone"] == 10
    for cell in cells:
        rows = _tables(results, cell.model.name, "agreement.parquet").filter(label="cushion", plane="object")
        unit, agreement = cell.best
        found = rows.filter(unit=unit.number, layer=unit.layer.name)
        assert found["iou"].item() == agreement.iou
        if not agreement.agrees:
            assert agreement.iou == rows["iou"].max()
    bedrooms, hostile = cells
    rows = _tables(results, "bedrooms", "effects/effects.parquet").filter(label="cushion", kind="ablate")
    best = rows.sort("erasure_rate", pl.col("effect").neg(), nulls_last=False).row(-1, named=True)
    erases = bedrooms.control.erases
    assert erases.unit.number == best["unit"]
    assert (erases.off.erasure.hits, erases.off.erasure.low) == (best["erased"], best["erasure_low"])
    assert hostile.control is None


def test_the_page_says_its_numbers_and_leads_to_the_units(site: Site, page: Page) -> None:
    text = Renderer(site).body(page)
    links = {address for _, _, address, _ in Links(text).found}
    cells = page.context["concepts"][0][1]
    for unit in (cells[0].best[0], cells[1].best[0], cells[0].control.erases.unit):
        assert f"../../{unit.path}/" in links
    assert "12.34" in text
    assert "0.56" in text
    assert "not measured" in text
    assert "<b>names</b>" not in text
    assert "different segmenters" not in text  # both were read by `toy`


def test_it_is_found_from_the_index_and_the_models(site: Site) -> None:
    pages = {
        page.path: Renderer(site).body(page)
        for page in site_pages(site)
        if page.path in {"studies", "models"}
    }
    for text in pages.values():
        assert f"../{MODELS_COMPARED}/" in {address for _, _, address, _ in Links(text).found}
    assert pages["studies"].index("models-compared") < pages["studies"].index("bedrooms-scores")


def test_different_segmenters_are_said(results: Path) -> None:
    models = read_results(results)
    models[0].record.segmenter.names[:] = ["another"]
    site = Site.of(models)
    page = next(page for page in site_pages(site) if page.path == MODELS_COMPARED)
    assert "different segmenters" in Renderer(site).body(page)


def test_one_model_is_not_compared_and_two_without_studies_are(results: Path) -> None:
    models = read_results(results)
    for model in models:
        model.studies.clear()
    paths = {page.path for page in site_pages(Site.of(models))}
    assert {"studies", MODELS_COMPARED} <= paths
    assert not {"studies", MODELS_COMPARED} & {page.path for page in site_pages(Site.of(models[:1]))}
    assert MODELS_COMPARED not in {page.path for page in site_pages(Site.of(models, ["layer1"]))}
