"""The built site in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Opener
from tests.browser.serving import serve

pytestmark = pytest.mark.browser

PAGES = {
    "home": "/",
    "models": "/models/",
    "model": "/models/bedrooms/",
    "unfinished model": "/models/hostile/",
    "layer": "/models/bedrooms/layer2/",
    "unit": "/models/bedrooms/layer2/3/",
    "unit without an effect": "/models/bedrooms/layer2/1/",
    "unit beyond the budget": "/models/bedrooms/layer2/25/",
    "silent unit": "/models/bedrooms/layer2/10/",
    "hostile unit": "/models/hostile/b8.conv0/0/",
    "concepts": "/concepts/",
    "concept": "/concepts/cushion/",
    "studies": "/studies/",
    "models compared": "/studies/models-compared/",
    "report": "/studies/bedrooms-scores/",
    "hostile report": "/studies/hostile-evil/",
    "compare": "/compare/?u=bedrooms/layer2/3&u=hostile/b8.conv0/0",
}
UNIT = "/models/bedrooms/layer2/3/"
LAYER = "/models/bedrooms/layer2/"


def scroll_through(page: Page) -> None:
    page.evaluate(
        "async () => { for (let y = 0; y < document.body.scrollHeight; y += 400)"
        " { scrollTo(0, y); await new Promise(done => setTimeout(done, 30)); } scrollTo(0, 0); }"
    )


def axe_violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds, once nothing moves any more (the theme's header fades as one scrolls)."""
    page.wait_for_timeout(600)
    found = Axe().run(page)["violations"]
    return [(one["id"], [str(node["target"]) for node in one["nodes"]][:4]) for one in found]


def wait_for_charts(page: Page) -> None:
    page.wait_for_function(
        "Array.from(document.querySelectorAll('[data-u59-chart]')).every(plot =>"
        " plot.dataset.u59Drawn && plot.querySelector('.main-svg .plot path, .main-svg .point'))"
    )


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("kind", PAGES)
def test_a_page_loads_whole(open_context: Opener, root: str, kind: str, width: int) -> None:
    loads_whole(open_context, root, PAGES[kind], width)


def loads_whole(open_context: Opener, root: str, path: str, width: int) -> None:
    """No other host, no console message, no sideways scrolling, all pictures and charts there."""
    page = open_context(width).new_page()
    foreign: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(root) else foreign.append(request.url))
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(error.message))
    page.goto(root + path)
    scroll_through(page)
    page.wait_for_load_state("networkidle")
    wait_for_charts(page)
    assert [address for address in foreign if not address.startswith("data:")] == []
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    broken = "Array.from(document.images).filter(i => !(i.complete && i.naturalWidth > 0)).map(i => i.src)"
    assert page.evaluate(broken) == []
    assert page.locator("h1:visible").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_axe_finds_nothing(open_context: Opener, root: str, kind: str, scheme: str) -> None:
    page = open_context(1440, color_scheme=scheme).new_page()
    page.goto(root + PAGES[kind])
    scroll_through(page)
    wait_for_charts(page)
    for details in page.locator("details").all():
        details.evaluate("details => { details.open = true }")
    assert axe_violations(page) == []


def test_axe_finds_nothing_on_a_phone(open_context: Opener, root: str) -> None:
    page = open_context(360).new_page()
    for kind in ("home", "layer", "unit"):
        page.goto(root + PAGES[kind])
        _wait_for_charts_in_view(page)
        assert axe_violations(page) == []


def _wait_for_charts_in_view(page: Page) -> None:
    scroll_through(page)
    wait_for_charts(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_a_unit_reads_well_without_javascript(open_context: Opener, root: str, width: int) -> None:
    page = open_context(width, java_script_enabled=False).new_page()
    page.goto(root + UNIT)
    expect(page.get_by_text("agrees with")).to_be_visible()
    expect(page.locator("figure.u59-plot").first).to_be_hidden()  # no empty box where a chart would be
    expect(page.locator(".u59-pairbar").first).to_be_hidden()
    expect(page.get_by_text("of the 12 samples that show it, it is gone in 6").first).to_be_visible()
    expect(page.get_by_role("columnheader", name="gone with it off")).to_be_visible()
    assert page.locator(".u59-pair:visible").count() == 14
    page.get_by_text("The same numbers as a table").first.click()
    expect(page.get_by_role("columnheader", name="95 % interval")).to_be_visible()
    page.get_by_role("link", name="4 ›").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Unit 4")


def test_a_gallery_reads_well_without_javascript(open_context: Opener, root: str) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(root + LAYER)
    assert page.locator(".u59-card:visible").count() == 40
    expect(page.locator("[data-u59-controls]")).to_be_hidden()


def test_comparing_without_javascript_says_how(open_context: Opener, root: str) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(root + "/compare/")
    expect(page.get_by_text("needs JavaScript")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()


def _shown_units(page: Page) -> list[int]:
    cards = page.locator(".u59-card:visible")
    return [int(card.get_attribute("data-unit") or -1) for card in cards.all()]


def test_the_gallery_filters_sorts_and_keeps_its_state(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + LAYER)
    controls = page.locator("[data-u59-controls]")
    assert len(_shown_units(page)) == 40
    controls.get_by_label("Sort by").select_option("unit")
    assert _shown_units(page) == list(range(40))
    controls.get_by_label("Concept").select_option(label="window")
    windows = _shown_units(page)
    assert 0 < len(windows) < 40
    expect(page.locator("[data-u59-count]")).to_have_text(f"{len(windows)} units")
    controls.get_by_label("above the null only").check()
    above = _shown_units(page)
    assert 0 < len(above) < len(windows)
    assert "concept=window" in page.url
    page.reload()
    assert _shown_units(page) == above
    controls.get_by_label("Show as").select_option("table")
    assert _shown_units(page) == []
    rows = page.locator("[data-u59-list=table] tr:visible")
    assert [int(row.get_attribute("data-unit") or -1) for row in rows.all()] == above
    page.goto(root + LAYER + "?iou=0.2&sort=iou")
    ious = [float(card.get_attribute("data-iou") or 0) for card in page.locator(".u59-card:visible").all()]
    assert ious
    assert min(ious) >= 0.2
    assert ious == sorted(ious, reverse=True)


def _values(page: Page, name: str) -> list[float]:
    return [float(card.get_attribute(name) or 0) for card in page.locator(".u59-card:visible").all()]


def test_the_gallery_sorts_and_filters_by_effect(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + LAYER)
    controls = page.locator("[data-u59-controls]")
    for order, name in (("effect when off", "data-effect"), ("effect when on", "data-insertion")):
        controls.get_by_label("Sort by").select_option(label=order)
        sizes = _values(page, name)
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 1
        assert sizes[-1] == -1  # not measured: last
    controls.get_by_label("of at least").fill("2.5")
    strong = _values(page, "data-effect")
    assert 0 < len(strong) < 10
    assert min(strong) >= 2.5
    expect(controls.get_by_text("2.50 %")).to_be_visible()
    controls.get_by_label("of at least").fill("0")
    controls.get_by_label("Effect on").select_option(label="window")
    assert {card.get_attribute("data-cause") for card in page.locator(".u59-card:visible").all()} == {
        "window"
    }
    page.goto(root + "/concepts/window/")
    page.locator("#causes ~ .u59-scroll").first.get_by_role("link", name="layer2").first.click()
    expect(page.locator("[data-u59-controls]").get_by_label("Effect on")).to_have_value("window")


def test_changes_sort_as_numbers(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + LAYER + "?view=table")
    head = page.get_by_role("columnheader", name="effect when off")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    column = page.locator("[data-u59-list=table] tr td:nth-child(10)").all_inner_texts()
    changes = [float(text.split("\u202f")[0].replace("−", "-")) for text in column if "%" in text]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] < 0
    assert {"no evidence", "not measured"} <= set(column[len(changes) :])


def test_what_causes_a_concept_reads_without_javascript(open_context: Opener, root: str) -> None:
    page = open_context(360, java_script_enabled=False).new_page()
    page.goto(root + "/concepts/window/")
    expect(page.get_by_text("The largest loss: without")).to_be_visible()
    expect(page.get_by_role("region", name="Units that cause window")).to_be_visible()
    expect(page.get_by_role("heading", name="Can it be erased, can it be inserted?")).to_be_visible()


def test_tables_sort_by_a_pressed_head(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + "/compare/")
    head = page.get_by_role("columnheader", name="units")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    column = [int(cell.inner_text()) for cell in page.locator("tbody tr td:nth-child(3)").all()]
    assert column == sorted(column, reverse=True)


def test_before_and_after_toggle_in_place(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + UNIT)
    pairs = page.locator("[data-u59-pairs]").first
    before, after = (pairs.locator(".u59-pair").first.locator(".u59-tile").nth(i) for i in (0, 1))
    place, other = before.bounding_box(), after.bounding_box()
    assert place and other
    assert other["x"] > place["x"]
    assert (other["width"], other["height"]) == (place["width"], place["height"])
    pairs.get_by_role("button", name="In place").press("Enter")
    assert before.bounding_box() == after.bounding_box()
    expect(after).to_have_css("visibility", "hidden")
    flip = pairs.get_by_role("button", name="⇄")
    flip.press("Space")
    expect(flip).to_have_attribute("aria-pressed", "true")
    expect(after).to_have_css("visibility", "visible")
    pairs.get_by_role("button", name="Difference").click()
    expect(after).to_have_css("mix-blend-mode", "difference")


def test_pictures_keep_their_pixels(open_context: Opener, root: str) -> None:
    page = open_context(360).new_page()
    page.goto(root + UNIT)
    tile = page.locator(".u59-tile").first
    expect(tile).to_have_css("width", "64px")
    expect(tile.locator("img")).to_have_css("image-rendering", "pixelated")
    expect(tile.locator("img")).to_have_css("width", f"{64 * 6}px")


def test_keys_lead_through_a_layer(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + UNIT)
    page.keyboard.press("j")
    page.wait_for_url("**/layer2/4/")
    page.keyboard.press("k")
    page.wait_for_url("**/layer2/3/")


def test_everything_is_reached_by_tab(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + UNIT)
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Side by side", "In place", "layer2", "4 ›", "window", "Compare side by side"} <= seen


def test_the_skip_link_leads_to_the_content(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + UNIT)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.md-skip')")
    assert page.evaluate("document.querySelector(document.activeElement.hash).tagName") == "H1"


def test_charts_follow_the_palette(open_context: Opener, root: str) -> None:
    page = open_context(color_scheme="light").new_page()
    page.goto(root + UNIT)
    _wait_for_charts_in_view(page)
    colour = "getComputedStyle(document.querySelector('.u59-plot .xtick text')).fill"
    light = page.evaluate(colour)
    page.locator("label[title='Switch to dark']").click()
    page.wait_for_function(f"{colour} !== {light!r}")


def test_units_stand_side_by_side_from_the_address(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    page.goto(root + "/compare/?u=bedrooms/layer2/3&u=nowhere/layer1/1")
    expect(page.locator(".u59-column")).to_have_count(1)
    expect(page.get_by_text("Not in this site: nowhere/layer1/1")).to_be_visible()
    page.locator("select[name=layer]").select_option(label="Toy bedrooms · layer1")
    page.locator("input[name=unit]").fill("6")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".u59-column")).to_have_count(2)
    assert page.url.endswith("?u=bedrooms/layer2/3&u=nowhere/layer1/1&u=bedrooms/layer1/6")
    page.get_by_role("link", name="Unit 6").click()
    page.wait_for_url("**/models/bedrooms/layer1/6/")


def test_search_finds_a_unit_by_its_label(open_context: Opener, root: str) -> None:
    page = open_context().new_page()
    alerts: list[str] = []

    def note(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.goto(root + "/")
    search = page.get_by_role("textbox", name="Search")
    search.click()
    search.press_sequentially("cushion")
    found = page.locator(".md-search-result__link")
    expect(found.first).to_be_visible()
    assert any("layer" in text for text in found.all_inner_texts())
    search.clear()
    search.press_sequentially("strange")
    expect(found.filter(has_text="Strange <b>names</b>").first).to_be_visible()
    assert alerts == []


def test_pages_open_from_disk(open_context: Opener, site_folder: Path) -> None:
    page = open_context().new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(error.message))
    page.goto((site_folder / "models/bedrooms/layer2/3/index.html").as_uri())
    _wait_for_charts_in_view(page)
    page.get_by_role("link", name="4 ›").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Unit 4")
    page.get_by_role("link", name="Compare side by side").click()
    expect(page.locator(".u59-column").first).to_be_visible()
    assert wrong == []


def test_instant_navigation_starts_pages_too(
    open_context: Opener, results: Path, build_site: object, tmp_path: Path
) -> None:
    with serve(tmp_path, "/instant") as address:
        theme = {"name": "material", "features": ["navigation.instant"], "palette": {"scheme": "default"}}
        built = build_site(results, site_url=f"{address}/", theme=theme)  # type: ignore[operator]
        built.rename(tmp_path / "site")
        for path in (tmp_path / "site").iterdir():
            path.rename(tmp_path / path.name)
        page = open_context().new_page()
        page.goto(f"{address}/models/bedrooms/layer2/3/")
        page.evaluate("window.stayed = true")
        page.get_by_role("link", name="layer2", exact=True).click()
        expect(page.locator("[data-u59-controls]")).to_be_visible()
        assert page.evaluate("window.stayed") is True
        _wait_for_charts_in_view(page)
