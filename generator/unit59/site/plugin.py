"""The MkDocs plugin `unit59`: hands the site's pages to MkDocs, and stamps the unit pages.

```yaml
plugins:
  - search
  - unit59:
      results: results
```
"""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority, get_plugin_logger
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents

from unit59.foundation.errors import Unit59Error
from unit59.site.content import Published, write
from unit59.site.files import advice, assets, megabytes, predicted_bytes
from unit59.site.navigation import add_entrances, add_unnamed
from unit59.site.options import Unit59Config
from unit59.site.pages import site_pages, unit_pages
from unit59.site.publish import publish
from unit59.site.reading import read_site
from unit59.site.render import TEMPLATES, Renderer
from unit59.site.search import address, extend_search, extend_sitemap, search_row
from unit59.site.site import Page
from unit59.site.stamp import BODY, DESCRIPTION, TITLE, Shell, ShellError, turn_links

log: logging.LoggerAdapter[logging.Logger] = get_plugin_logger("unit59")

SCRIPTS = ("unit59.js", "charts.js", "gallery.js", "compare.js")

_T = TypeVar("_T")


class Unit59Plugin(BasePlugin[Unit59Config]):  # type: ignore[no-untyped-call]  # as MkDocs leaves it
    """Adds the pages of a results folder to a MkDocs site."""

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Read the results, say what will be built, and add styles and scripts."""
        base = Path(config.config_file_path).parent if config.config_file_path else Path()
        self._results = base / self.config.results
        self._templates = [base / self.config.templates] if self.config.templates else []
        for folder in self._templates:
            if not folder.is_dir():
                raise PluginError(f"unit59: templates: there is no folder {folder}.")
        self._root = self.config.root.strip("/")
        chosen = self.config.models, self.config.layers, self.config.strips
        self._site = self._guarded(lambda: read_site(self._results, *chosen))
        self._render = Renderer(self._site, self._templates, explicit=not config.use_directory_urls)
        self._own = self._guarded(lambda: list(site_pages(self._site)))
        size = self._guarded(lambda: predicted_bytes(self._site, self._own))
        units = sum(layer.record.units for layer in self._site.layers)
        models = len(self._site.models)
        log.info(f"{models} model(s), {units} unit pages; the site will take about {megabytes(size)}.")
        if too_large := advice(size):
            log.warning(too_large)
        self._add_look(config)
        return config

    def _add_look(self, config: MkDocsConfig) -> None:
        home = self._source("assets/unit59")
        styles = ["fonts.css", "unit59.css", "look.css"] if self.config.look else ["unit59.css"]
        config.extra_css[:0] = [f"{home}/{name}" for name in styles]
        config.extra_javascript.extend(f"{home}/{name}" for name in SCRIPTS)
        if config.theme.name == "material":
            # Before the theme's own templates, after the user's.
            config.theme.dirs.insert(1 if config.theme.custom_dir else 0, str(TEMPLATES / "material"))
            if self.config.look:
                config.theme["font"] = False  # or Material asks Google for its fonts

    def _source(self, path: str) -> str:
        return f"{self._root}/{path}".lstrip("/")

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Add a page's file for each page, and one shell a layer. The user's own files go first."""
        self._pages: dict[str, Page] = {}  # by source: those that MkDocs builds
        self._shells: dict[str, Shell] = {}
        firsts = (next(iter(unit_pages(self._site, layer))) for layer in self._site.layers if layer.units)
        for page in [*self._own, *firsts]:
            source = self._source(page.source)
            if files.get_file_from_path(source) is not None:
                log.info(f"{source} is there already and stays; set `root:` to have both.")
                continue
            hidden = InclusionLevel.NOT_IN_NAV
            files.append(File.generated(config, source, content=page.title, inclusion=hidden))
            self._pages[source] = page
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Put the entrances into the navigation, where asked or where the site has none of its own."""
        if config.nav is None if self.config.nav is None else self.config.nav:
            add_entrances(nav, files, self._pages)
        elif self.config.nav is None:
            add_unnamed(nav, files, self._pages, before=self._source("models/index.md"))
        return nav

    def on_page_markdown(
        self, markdown: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files
    ) -> str | None:
        """Give a page its title, description and width."""
        ours = self._pages.get(page.file.src_uri)
        if ours is None:
            return None
        # Themes write both into the page as they are.
        page.meta["title"] = TITLE if ours.shell else html.escape(ours.title)
        page.meta["description"] = DESCRIPTION if ours.shell else html.escape(ours.description)
        page.meta["hide"] = ["navigation", "toc", "footer"]
        page.meta["search"] = {"exclude": True}  # it gets rows of its own
        return ""

    def on_page_content(
        self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files
    ) -> str | None:
        """Give a page its body."""
        ours = self._pages.get(page.file.src_uri)
        if ours is None:
            return None
        page.toc = TableOfContents([AnchorLink("Content", "top", 1)])  # for the theme's skip link
        if ours.shell:
            return f'<h1 hidden id="shell"></h1>{BODY}'
        return self._guarded(lambda: self._render.body(ours))

    @event_priority(-90)
    def on_post_page(self, output: str, *, page: MkDocsPage, config: MkDocsConfig) -> str | None:
        """Keep a layer's shell, and stamp its own unit into it."""
        ours = self._pages.get(page.file.src_uri)
        if ours is None or not ours.shell:
            return None
        output = output.replace('<h1 hidden id="shell"></h1>', "")
        try:
            self._shells[ours.shell] = Shell(output, page.canonical_url or "")
        except ShellError as error:
            raise PluginError(f"unit59: {error}; unit pages cannot be made with this theme.") from None
        return self._stamp(ours, config)

    @event_priority(-50)
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Stamp the unit pages, write what pages publish, and tell search and sitemap of them."""
        home, rows, stamped = Path(config.site_dir), [], []

        def own_file(page: Page) -> Published | None:
            if self._source(page.source) in self._pages or not page.shell:
                return None
            stamped.append(self._address(page, config))
            return f"{page.path}/index.html", self._stamp(page, config).encode()

        def build() -> None:
            for page in publish(self._built(), home / self._root, own_file):
                if page.shell or self._source(page.source) in self._pages:
                    rows.append(search_row(page, self._address(page, config)))
            write(assets(self._templates), home / self._root)

        self._guarded(build)
        extend_search(home, rows)
        extend_sitemap(home, stamped, config.site_url)

    def _built(self) -> Iterator[Page]:
        yield from self._own
        for layer in self._site.layers:
            if layer.path in self._shells:
                yield from unit_pages(self._site, layer)

    def _address(self, page: Page, config: MkDocsConfig) -> str:
        return address(self._source(page.source), directories=config.use_directory_urls)

    def _stamp(self, page: Page, config: MkDocsConfig) -> str:
        url = urljoin(config.site_url or "", self._address(page, config))
        body = self._guarded(lambda: self._render.body(page))
        turns = turn_links(page, explicit=not config.use_directory_urls)
        return self._shells[page.shell].stamp(page, body, url, turns)

    def _guarded(self, made: Callable[[], _T]) -> _T:
        try:
            return made()
        except Unit59Error as error:
            raise PluginError(f"unit59: {error}") from None

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., Any]
    ) -> LiveReloadServer:
        """Build again when results or templates change."""
        for folder in (self._results, TEMPLATES, *self._templates):
            server.watch(str(folder))
        return server
