"""Finding and set-study pages, built from a search and a set study of a tiny network, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import tiny
from tests.browser.conftest import Opener
from tests.browser.serving import serve
from tests.browser.test_pages import axe_violations, loads_whole, scroll_through, wait_for_charts
from tests.site.pages import broken_links
from tests.studies.test_parts import CAUSES

pytestmark = pytest.mark.browser

PAGES = ["/", "/findings/", "/findings/tiny-cause-green/", "/studies/", "/studies/tiny-greens/"]


@pytest.fixture(scope="module")
def causes_site(tmp_path_factory: pytest.TempPathFactory, build_site: Callable[..., Path]) -> Path:
    folder = tiny.run(tmp_path_factory.mktemp("causes"), samples=32, more=CAUSES)
    return build_site(folder.parent)


@pytest.fixture(scope="module")
def causes_root(causes_site: Path) -> Iterator[str]:
    with serve(causes_site, "/dissections") as address:
        yield address


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_whole(open_context: Opener, causes_root: str, path: str, width: int) -> None:
    loads_whole(open_context, causes_root, path, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES[1:])
def test_axe_finds_nothing(open_context: Opener, causes_root: str, path: str, scheme: str) -> None:
    page = open_context(1440, color_scheme=scheme).new_page()
    page.goto(causes_root + path)
    scroll_through(page)
    wait_for_charts(page)
    for details in page.locator("details").all():
        details.evaluate("details => { details.open = true }")
    assert axe_violations(page) == []


def test_every_link_leads_somewhere(causes_site: Path) -> None:
    assert list(broken_links(causes_site)) == []


def test_a_finding_reads_without_javascript(open_context: Opener, causes_root: str) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(causes_root + "/findings/tiny-cause-green/")
    text = page.locator("main").inner_text()
    assert "Is one unit of layer1 the only cause of green?" in text
    assert "rule" in text
    assert "random sets" in text
