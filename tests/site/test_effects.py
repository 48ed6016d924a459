"""Single-unit effects on unit, layer and concept pages, and the files beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.synthetic import BEDROOM
from tests.synthetic_effects import effects_of
from unit59.results import EFFECTS, HandleResults
from unit59.results.contents import LayerEffects
from unit59.results.rows import EffectRow, rows
from unit59.site.charts import label_effects_chart, largest_effects_chart
from unit59.site.pages import all_pages, site_pages, unit_pages
from unit59.site.pages.effects import change_words, not_measured, q_words, ranking_words, rate_words
from unit59.site.pages.handles import compare_handles
from unit59.site.render import Renderer
from unit59.site.site import Page, Site
from unit59.site.views import HandleView, LayerView, ModelView
from unit59.site.views.effects import Effect, LayerEffectsView, Relation, UnitEffects


@pytest.fixture(scope="module")
def layer(site: Site) -> LayerView:
    return next(layer for layer in site.layers if layer.name == "layer2")


@pytest.fixture(scope="module")
def effects(layer: LayerView) -> LayerEffectsView:
    assert layer.effects is not None
    return layer.effects


def unit_page(site: Site, layer: LayerView, unit: int) -> Page:
    return next(page for page in unit_pages(site, layer) if page.path.endswith(f"/{unit}"))


def test_units_and_summaries_are_the_tables(effects: LayerEffectsView) -> None:
    units = dict(effects.units())
    assert sorted(units) == [*range(24), 30, 36]
    for number, unit in units.items():
        first, summary = unit.first("ablate"), effects.summary(number)
        assert summary is not None
        assert (first.concept if first else None) == summary.concept
        assert (first.value if first else 0.0) == summary.value
        sizes = [abs(each.value) for each in unit.effects["insert"]]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == len(BEDROOM)


def test_a_found_effect_is_told_with_interval_rate_and_the_others(site: Site, layer: LayerView) -> None:
    page = unit_page(site, layer, 3)
    off = page.context["causes"].off
    assert off.concept == page.context["unit"].concept
    lede = Renderer(site).body(page).split('<p class="u59-lede">')[2].split("</p>")[0]
    assert f"loses {-off.value * 100:.2f}\u202f% of the picture (95\u202f% interval" in lede
    assert "of the 12 samples that show it, it is gone in 6 (50\u202f%, 95\u202f% interval 25 to 75)" in lede
    assert "other measured units change it by −0.40\u202f% to +0.40\u202f%" in lede
    assert "Switched off, it changes" in page.description


def test_no_evidence_of_an_effect_looks_like_one(site: Site, layer: LayerView) -> None:
    body = Renderer(site).body(unit_page(site, layer, 1))
    assert "<strong>No evidence</strong> that it causes anything" in body
    assert "no evidence of an effect" in body
    assert "-effect.webp" not in body


@pytest.mark.parametrize(
    ("name", "unit", "why"), [("layer2", 25, "beyond the budget"), ("layer1", 0, "no effects")]
)
def test_not_measured_says_why_and_how(site: Site, name: str, unit: int, why: str) -> None:
    layer = next(layer for layer in site.layers if layer.name == name)
    body = Renderer(site).body(unit_page(site, layer, unit))
    assert "Not measured." in body
    assert why in body
    assert "<code>effects: {}</code>" in body
    assert "causes anything" not in body


def test_charts_of_effects_hold_every_concept_and_the_band(site: Site, layer: LayerView) -> None:
    off, on = unit_page(site, layer, 3).context["causes"].charts
    for chart in (off, on):
        bands, dots = chart.data
        assert len(dots["y"]) == len(BEDROOM)
        assert set(bands["base"]) == {-0.4}
        assert "Benjamini-Hochberg" in chart.caption
        assert "156 tests" in chart.caption  # 26 units, 6 concepts
    assert dots["marker"]["symbol"].count("circle") == 1


def test_the_layer_counts_sorts_and_explains(site: Site, layer: LayerView, effects: LayerEffectsView) -> None:
    body = Renderer(site).body(next(page for page in site_pages(site) if page.path == layer.path))
    found = effects.results.units.filter(pl.col("kind") == "ablate", pl.col("concept").is_not_null())
    assert f"<strong>{len(found)}</strong> of 26 measured units change" in body
    assert body.count('data-effect="-1"') == 2 * 14  # as a card and as a row
    assert "Spearman’s rank correlation with what was measured is 0.62 [0.31, 0.82]" in body
    for name in ("effects.json", "effects.parquet", "unit_effects.parquet", "attribution.parquet"):
        assert f'/{name}" download>' in body


def test_agreement_against_effect_shows_every_measured_unit(effects: LayerEffectsView) -> None:
    on_label, largest = label_effects_chart(effects), largest_effects_chart(effects)
    assert on_label is not None
    assert largest is not None
    labelled = [unit for unit in effects.layer.units if unit.off and unit.row.concept]
    assert len(on_label.data[0]["x"]) == len(labelled)
    assert len(largest.data[0]["y"]) == 26
    assert min(largest.data[0]["y"]) >= 0
    assert min(on_label.data[0]["y"]) < 0


def test_ranking_in_plain_words(effects: LayerEffectsView) -> None:
    off, on = ranking_words(effects.record)
    assert "it orders them roughly" in off.says
    assert "Of the 2 units with the strongest measured effects it puts 1 further down." in off.says
    assert "Of the 2 units drawn from the rest, 1 belongs to these." in off.says
    assert "no evidence that it predicts anything" in on.says
    assert off.missed == [30]


def test_a_concept_lists_its_causes_over_all_layers(site: Site, effects: LayerEffectsView) -> None:
    for concept in site.models[0].concepts.values():
        page = next(page for page in site_pages(site) if page.path == concept.path)
        causes = page.context["causes"]
        rows = effects.results.effects.filter(
            pl.col("label") == concept.label, pl.col("kind") == "ablate", pl.col("q") <= 0.05
        ).sort("effect")
        assert [each.unit.number for each in causes.causes] == rows["unit"].to_list()
        assert causes.measured == 26
        body = Renderer(site).body(page)
        if len(rows):
            assert "take" in body.split('id="causes"')[1]
            assert causes.controls[0].erases is not None
        else:
            assert "<strong>No evidence</strong> that any single unit" in body
    hostile = next(page for page in site_pages(site) if page.path == "concepts/a-b-c14cdd")
    assert "Not measured." in Renderer(site).body(hostile)


def test_strips_and_tables_are_published(site: Site, layer: LayerView, effects: LayerEffectsView) -> None:
    published = dict(file for page in all_pages(site) for file in page.files)
    assert {f"{layer.path}/{name}" for name in effects.files} <= set(published)
    strips = {name for name in published if name.endswith("-effect.webp")}
    found = effects.results.units.filter(pl.col("samples").is_not_null())["unit"]
    assert strips == {f"{layer.path}/pictures/{unit:04d}-effect.webp" for unit in found}
    assert all(source.is_file() for source in published.values() if isinstance(source, Path))
    bare = replace(site, strips=("exemplars",))
    names = [name for page in all_pages(bare) for name, _ in page.files]
    assert not [name for name in names if name.endswith("-effect.webp")]


def test_a_units_data_holds_what_was_found(built: Path) -> None:
    rows = json.loads((built / "models/bedrooms/layer2/3/data.json").read_text("utf-8"))
    assert {row["kind"] for row in rows["unit_effects.parquet"]} == {"ablate", "insert"}
    assert [row["q"] <= 0.05 for row in rows["effects.parquet"]] == [True, True]
    other = json.loads((built / "models/bedrooms/layer2/25/data.json").read_text("utf-8"))
    assert "effects.parquet" not in other


def an_effect(site: Site, **given: float | int | None) -> Effect:
    concept = next(iter(site.models[0].concepts.values()))
    row = {"effect": -0.0041, "low": -0.0052, "high": -0.003, "q": 0.0001, **given}
    table = pl.DataFrame([row | {name: None for name in EFFECTS if name not in row}], schema=EFFECTS)
    return Effect(concept, next(rows(table, EffectRow)))


def test_words_of_changes(site: Site) -> None:
    assert change_words(an_effect(site)) == (
        "loses 0.41\u202f% of the picture (95\u202f% interval 0.30 to 0.52; q < 0.001)"
    )
    grown = an_effect(site, effect=0.02, low=None, high=None, q=0.04)
    assert change_words(grown) == "gains 2.00\u202f% of the picture (q = 0.04)"
    assert rate_words(an_effect(site, shown=0, erased=0)) == ""
    assert q_words(None) == "q unknown"


def test_the_budget_is_named(effects: LayerEffectsView) -> None:
    assert "26 of the layer’s 40 units" in not_measured(effects)
    assert "2 drawn at random" in not_measured(effects)


def test_relations_are_read_not_computed(effects: LayerEffectsView) -> None:
    """The sentence is the table's; without the table it is left out."""
    table = effects.results.relations
    assert table is not None
    for of, chart in (("label", label_effects_chart(effects)), ("any", largest_effects_chart(effects))):
        assert chart is not None
        rho, low, high = table.filter(of=of).select("rho", "low", "high").row(0)
        assert f"{rho:.2f} [{low:.2f}, {high:.2f}]".replace("-", "−") in chart.caption
    without = LayerEffectsView(effects.layer, replace(effects.results, relations=None))
    chart = label_effects_chart(without)
    assert chart is not None
    assert "correlation" not in chart.caption


def test_words_of_relations() -> None:
    assert str(Relation(20, -0.5, -0.75, -0.2, -1)) == "−0.50 [−0.75, −0.20]"
    assert str(Relation(3, None, None, None, 0)) == "–"


def with_styles(layer: LayerView, model: ModelView) -> HandleView:
    """The layer's styles, measured: they change twice as much."""
    labels = layer.results.units["concept"].to_list()
    record, tables = effects_of(layer.name, labels, BEDROOM, 24, "style")
    found = LayerEffects(record, tables["effects.parquet"], tables["unit_effects.parquet"], None)
    return HandleView(model, HandleResults(layer.results.folder / "effects", found))


@pytest.fixture(scope="module")
def styled(site: Site, layer: LayerView) -> Site:
    """The site with the styles of one layer."""
    model = layer.model
    view = replace(model, layers=list[LayerView](), handles=list[HandleView]())
    view.layers.extend(LayerView(view, each.results) for each in model.layers)
    view.handles.append(with_styles(layer, view))
    return replace(site, models=[view if each is model else each for each in site.models])


def test_the_better_handle_is_the_one_that_changes_more(layer: LayerView, styled: Site) -> None:
    (owner,) = next(model for model in styled.models if model.handles).handles
    assert (owner.name, owner.title, owner.beside) == ("layer2.style", "style", "layer2")
    assert layer.effects is not None
    units, channels = dict(layer.effects.units()), dict(owner.effects.units())
    better = compare_handles(units[3], channels[3], owner)
    assert better.verdict.startswith("The style is the better handle on ")
    assert [row.edit for row in better.rows] == [
        "unit off", "unit on", "style at its mean", "style shifted down", "style shifted up",
    ]  # fmt: skip
    assert compare_handles(units[1], channels[1], owner).verdict.startswith("No evidence")
    assert "beyond the budget" in compare_handles(None, channels[27], owner).verdict
    silent = UnitEffects({"up": channels[1].effects["up"]}, {"up": None})
    assert "no evidence that the style" in compare_handles(units[3], silent, owner).verdict
    same = UnitEffects({"up": units[3].effects["insert"]}, {"up": units[3].told["insert"]})
    assert "the intervals overlap" in compare_handles(units[3], same, owner).verdict


def test_a_handle_has_the_same_place_whatever_it_is_called(layer: LayerView, styled: Site) -> None:
    (owner,) = next(model for model in styled.models if model.handles).handles
    record = owner.results.effects.record.model_copy(update={"handle": "knob"})
    renamed = replace(owner.results.effects, record=record)
    knobs = replace(owner, results=replace(owner.results, effects=renamed))
    assert layer.effects is not None
    units, channels = dict(layer.effects.units()), dict(knobs.effects.units())
    better = compare_handles(units[3], channels[3], knobs)
    assert better.verdict.startswith("The knob is the better handle on ")
    assert better.rows[-1].edit == "knob shifted up"


def test_units_without_maps_have_a_page_that_says_so(styled: Site, layer: LayerView) -> None:
    pages = {page.path: page for page in all_pages(styled)}
    page = pages["models/bedrooms/layer2.style"]
    text = Renderer(styled).body(page)
    assert "<strong>No maps.</strong>" in text
    assert 'belongs to channel <i>k</i> of <a href="../../../models/bedrooms/layer2/">layer2</a>' in text
    assert text.count("<tr><th") == 1 + 3 * layer.record.units
    assert "style shifted down" in text
    beside = Renderer(styled).body(pages["models/bedrooms/layer2/3"])
    assert "The unit or its style?" in beside
    assert 'models/bedrooms/layer2.style/">layer2.style</a>' in beside
    assert "its style?" not in Renderer(styled).body(pages["models/bedrooms/layer1/3"])
