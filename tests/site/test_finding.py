"""A finding's page: the claim beside what was measured, the claim's unit, layers, activation beside style."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests import tiny
from tests.published import FIXTURES
from unit59.results import read_results
from unit59.site.pages import unit_pages
from unit59.site.pages.claim import ClaimView, claim_view
from unit59.site.pages.concept_handles import concept_handles
from unit59.site.pages.finding import finding_page
from unit59.site.pages.finding_words import ordinal
from unit59.site.render import Renderer
from unit59.site.site import Site
from unit59.site.studies import Finding

SEARCH = "concept: green, floor: 0.05, samples: 16"
CLAIMS = {
    "here": "{text: It is <i>unit 1</i>., layer: layer1, unit: 1}",
    "elsewhere": "{text: It is unit 1., source: A report, network: Another network, layer: layer1, unit: 1}",
    "no-layer": "{text: It is unit 1., layer: layer9, unit: 1}",
    "no-unit": "{text: It is unit 59., layer: layer1, unit: 59}",
    "not-dissected": "{text: It is unit 1., layer: layer3, unit: 1}",
    "not-searched": "{text: It is unit 1., layer: layer2, unit: 1}",
    "none": "null",
}
SEARCHES = "".join(
    f"\n  - {{{SEARCH}, layers: [layer1], name: {name}, claim: {claim}}}" for name, claim in CLAIMS.items()
)
MORE = f"""\
effects: {{samples: 8, extra: 0, floor: 0.05, layers: [layer1]}}
searches:{SEARCHES}
  - {{{SEARCH}, name: both, title: "Unit 1: <green>", probe: 2}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tiny.run(tmp_path_factory.mktemp("claims"), layers="[layer1, layer2]", samples=32, more=MORE)
    return Site.of(read_results(folder.parent))


def finding(site: Site, name: str) -> Finding:
    return next(each for each in site.findings if each.record.name == name)


def claim(site: Site, name: str) -> ClaimView:
    found = claim_view(finding(site, name))
    assert found is not None
    return found


def body(site: Site, name: str) -> str:
    return " ".join(Renderer(site).body(finding_page(finding(site, name))).split())


def test_the_claim_s_unit_is_shown_with_its_own_numbers(site: Site) -> None:
    named = claim(site, "here").named
    assert named is not None
    assert named.alone is not None
    table = finding(site, "here").results.tables["alone.parquet"]
    assert named.place == 1 + (table["left"] < named.alone.left).sum()
    agreement = site.models[0].layers[0].results.agreement.filter(label="green").sort("unit")
    assert named.iou == agreement["iou"][1]
    assert named.agreement == 1 + (agreement["iou"] > agreement["iou"][1]).sum()
    assert named.confirmed is not None
    assert named.confirmed.rate == named.alone.rate == named.confirmed.hits / named.confirmed.cases
    assert named.off is not None
    assert (
        named.off.row.effect
        == site.models[0]
        .layers[0]
        .results.effects.effects.filter(  # type: ignore[union-attr]
            unit=1, kind="ablate", label="green"
        )["effect"]
        .item()
    )
    assert named.picture is not None
    assert named.picture.units == [1]
    assert named.row in named.picture.rows


def test_both_columns_stand_on_the_page_and_what_was_claimed_is_escaped(site: Site) -> None:
    text = body(site, "here")
    assert "It is &lt;i&gt;unit 1&lt;/i&gt;." in text
    for said in ("What was reported", "What was measured here", "What unit 1 of layer1 does in this model"):
        assert said in text
    assert "<dt>Network</dt><dd>this one</dd>" in text


def test_a_claim_about_another_network_is_said_to_be_one(site: Site) -> None:
    text = body(site, "elsewhere")
    assert "<strong>another one:</strong> Another network" in text
    assert "can confirm or refute it" in text
    assert "can confirm or refute it" not in body(site, "here")
    assert "Source: A report" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-layer", "has no layer layer9; its layers are layer1, layer2, layer3"),
        ("no-unit", "has 6 units, 0 to 5: no unit 59"),
        ("not-dissected", "layer3 was not dissected"),
    ],
)
def test_a_unit_that_the_model_lacks_is_said_to_be_lacking(site: Site, name: str, said: str) -> None:
    view = claim(site, name)
    assert view.named is None
    assert said in view.missing
    text = body(site, name)
    assert said in text
    assert "does in this model" not in text


def test_a_layer_that_was_not_searched_has_no_rates(site: Site) -> None:
    named = claim(site, "not-searched").named
    assert named is not None
    assert (named.alone, named.confirmed, named.picture) == (None, None, None)
    assert "layer2 was not searched" in body(site, "not-searched")


def test_without_a_claim_there_is_no_such_part(site: Site) -> None:
    assert claim_view(finding(site, "none")) is None
    text = body(site, "none")
    assert "What was reported" not in text
    assert 'id="layers"' not in text  # one layer needs no table of layers


def test_whether_a_claim_holds_follows_from_the_search(site: Site) -> None:
    """The tiny network's claim is told to hold when, and only when, the search names its unit alone."""
    for name in ("here", "no-unit"):
        record, view = finding(site, name).record, claim(site, name)
        same = record.verdict == "sole cause" and record.causes == [view.claim.unit]
        assert ("found the same unit" in view.holds) == same
    assert "was not searched, so the claim was not tested" in claim(site, "not-searched").holds


def test_a_claim_is_held_against_the_search_of_its_own_layer(site: Site) -> None:
    """Two layers hold a sole cause: the record names one of them, the claim is right about the other."""
    found, claim = finding(site, "both"), finding(site, "here").record.claim
    first, second = (
        layer.model_copy(update={"verdict": "sole cause", "causes": [unit]})
        for layer, unit in zip(found.record.layers, (1, 2), strict=True)
    )
    named = {"verdict": "sole cause", "layer": second.layer, "causes": second.causes, "claim": claim}
    record = found.record.model_copy(update={"layers": [first, second], **named})
    told = replace(found, results=replace(found.results, record=record))
    assert told.best == second
    assert told.ordered == [second, first]
    view = claim_view(told)
    assert view is not None
    assert "found the same unit" in view.holds


def test_many_layers_stand_in_a_table_and_the_best_in_full(site: Site) -> None:
    text = body(site, "both")
    assert "<h1" in text
    assert "Unit 1: &lt;green&gt;" in text
    assert text.count("u59-layerfold") == 1
    assert "the 2 units that first-order attribution puts first" in text or "agreement puts first" in text
    first = finding(site, "both").ordered[0].layer
    assert f"In {first} <span" in text


def test_samples_with_all_of_the_first_units_off_are_shown(site: Site) -> None:
    found = finding(site, "here")
    layer = found.record.layers[0]
    rows = {row for picture in found.pictures for row in picture.rows}
    assert ("all off" in rows) == bool(layer.rest)


def test_activation_and_style_are_compared_where_both_were_measured(site: Site, tmp_path: Path) -> None:
    assert concept_handles(site.models[0], finding(site, "here").concept) is None
    folder = tiny.run(
        tmp_path,
        weights=FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl",
        layers="[b8.conv0]",
        samples=16,
        more="handles: [style]\neffects: {samples: 8, extra: 0, floor: 0.05, edits: [neutral, up], shift: 3}",
    )
    model = Site.of(read_results(folder.parent)).models[0]
    effects = model.layers[0].results.effects
    assert effects is not None
    for concept in model.concepts.values():
        handles = concept_handles(model, concept)
        assert handles is not None
        assert [row.edit for row in handles.rows] == [
            "unit off", "unit on", "style at its mean", "style shifted up",
        ]  # fmt: skip
        off = effects.effects.filter(kind="ablate", label=concept.label)
        found = off.filter(off["q"] <= 0.05)
        best = (found if len(found) else off)["effect"].abs().max()
        assert abs(handles.rows[0].effect.value) == pytest.approx(best)
        assert handles.rows[0].measured == len(off)


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip


def test_a_unit_that_a_search_names_says_so(site: Site) -> None:
    layer = next(each for each in site.layers if each.name == "layer1")
    pages = {page.context["unit"].number: page for page in unit_pages(site, layer)}
    for found in site.findings:
        for number, page in pages.items():
            assert (found in page.context["named"]) == (number in found.record.causes)
    causes = {unit for found in site.findings for unit in found.record.causes}
    for number in causes:
        assert "A search for the cause of" in " ".join(Renderer(site).body(pages[number]).split())
