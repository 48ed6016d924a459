"""A built synthetic site, served below a project path, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

from tests.browser.serving import launch, serve
from tests.site.conftest import build_site, results  # noqa: F401  # fixtures

PREFIX = "/dissections"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = launch(playwright)
        except Error as error:
            pytest.skip(f"no Chromium to test with: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(scope="session")
def site_folder(results: Path, build_site: Callable[..., Path]) -> Path:  # noqa: F811  # the fixtures
    return build_site(results, site_url=f"http://127.0.0.1{PREFIX}/")


@pytest.fixture(scope="session")
def root(site_folder: Path) -> Iterator[str]:
    with serve(site_folder, PREFIX) as address:
        yield address


Opener = Callable[..., BrowserContext]


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Opener]:
    """Open a browser context of a width; all are closed after the test."""
    opened: list[BrowserContext] = []

    def make(width: int = 1440, **options: Any) -> BrowserContext:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
