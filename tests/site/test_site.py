"""Results to pages, without a site builder."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from tests.synthetic import write_results
from unit59.results import ResultsError, read_results
from unit59.site.pages import site_pages, unit_pages
from unit59.site.pages.home import clearest_finds
from unit59.site.site import Site


def test_every_page_has_an_address_of_its_own(site: Site) -> None:
    paths = [page.path for page in site_pages(site)]
    units = [page.path for layer in site.layers for page in unit_pages(site, layer)]
    assert len(set(paths + units)) == len(paths) + len(units)
    assert {"", "models", "models/bedrooms", "models/bedrooms/layer2", "concepts", "compare"} <= set(paths)
    assert "models/hostile/b8.conv0/11" in units
    assert len(units) == 12 + 40 + 16 + 12 + 14
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]*", path) and ".." not in path for path in paths)


def test_a_concept_is_one_page_over_models_and_slugs_never_meet(site: Site) -> None:
    concepts = {(view.plane, view.label): view for view in site.concepts}
    assert len({view.slug for view in site.concepts}) == len(site.concepts) == 11
    assert concepts["object", "a/b"].slug == "a-b-c14cdd"
    assert concepts["part", "a b"].slug == "a-b"
    shared = concepts["object", "cushion"]
    assert [model.name for model in site.models if shared in model.concepts.values()] == [
        "bedrooms",
        "hostile",
    ]


def test_a_colour_that_is_no_colour_never_reaches_a_style(site: Site) -> None:
    assert all(re.fullmatch(r"#[0-9a-fA-F]{6}", view.colour) for view in site.concepts)


def test_verdicts_follow_the_cut_and_the_null(site: Site) -> None:
    seen = set()
    for layer in site.layers:
        for unit in layer.units:
            seen.add(unit.verdict)
            if unit.row.concept is None:
                assert unit.verdict == "none"
            elif unit.iou < 0.05:
                assert unit.verdict == "below"
            else:
                assert (unit.verdict == "above") == (unit.iou > (unit.row.null_99 or 0))
    assert seen == {"above", "chance", "below", "none"}


def test_the_best_unit_of_a_concept_is_the_best_of_the_table(site: Site) -> None:
    model = site.models[0]
    for concept in set(model.concepts.values()):
        found = site.best_unit(model, concept)
        table = pl.concat([layer.results.agreement for layer in model.layers])
        assert found is not None
        assert found[1].iou == table.filter(pl.col("label") == concept.label)["iou"].max()
        assert found[0].layer.results.agreement.filter(
            pl.col("unit") == found[0].number, pl.col("label") == concept.label
        )["iou"].to_list() == [found[1].iou]


def test_home_shows_only_what_is_above_its_null(site: Site) -> None:
    finds = clearest_finds(site)
    assert finds
    assert all(find.agreement.iou > find.agreement.null_99 for find in finds)
    assert len({find.concept.slug for find in finds}) == len(finds)


def test_layers_can_be_chosen(results: Path) -> None:
    chosen = Site.of(read_results(results), ["layer2"])
    assert [layer.name for layer in chosen.layers] == ["layer2"]


def test_units_keep_their_neighbours(site: Site) -> None:
    pages = list(unit_pages(site, site.layers[0]))
    for before, after in pairwise(pages):
        assert after.context["previous"] is before.context["unit"]
        assert before.context["next"] is after.context["unit"]
    assert pages[0].context["previous"] is None
    assert pages[-1].context["next"] is None


def test_damaged_results_are_refused_by_name(tmp_path: Path) -> None:
    results = write_results(tmp_path)
    (results / "bedrooms" / "layers" / "layer1" / "units.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"units\.parquet"):
        read_results(results)
