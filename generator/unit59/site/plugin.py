"""The MkDocs plugin `unit59`: hands the site's pages to MkDocs, and stamps the unit pages.

```yaml
plugins:
  - search
  - unit59:
      results: results
```
"""

from __future__ import annotations

import gzip
import html
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

from mkdocs.config import config_options as c
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority, get_plugin_logger
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import AnchorLink, TableOfContents

from unit59.foundation.errors import Unit59Error
from unit59.results import read_results
from unit59.site import files as beside
from unit59.site.pages import site_pages, unit_pages
from unit59.site.render import TEMPLATES, Renderer
from unit59.site.site import Page, Site
from unit59.site.stamp import BODY, DESCRIPTION, TITLE, Shell, ShellError, turn_links
from unit59.site.views import LayerView

_T = TypeVar("_T")

log: logging.LoggerAdapter[logging.Logger] = get_plugin_logger("unit59")

SCRIPTS = ("unit59.js", "charts.js", "gallery.js", "compare.js")


class Unit59Config(Config):  # type: ignore[no-untyped-call]  # MkDocs leaves its hook untyped
    """What `mkdocs.yml` may say about the plugin. Paths are relative to `mkdocs.yml`."""

    results = c.Type(str, default="results")
    """The results folder, as `unit59 dissect` writes it. Example: `results: ../dissection/results`."""

    root = c.Type(str, default="")
    """Where in the site the pages go. Example: `root: dissection` puts the home page at `dissection/`."""

    models = c.ListOfItems(c.Type(str), default=[])
    """Show only these models. Example: `models: [faces]`. Default: all."""

    layers = c.ListOfItems(c.Type(str), default=[])
    """Show only layers of these names. Example: `layers: [layer2, layer3]`. Default: all."""

    strips = c.ListOfItems(c.Choice(beside.STRIPS), default=list(beside.STRIPS))
    """The pictures on unit pages. Example: `strips: [exemplars]` makes a site a third as large."""

    templates = c.Optional(c.Type(str))
    """A folder whose files go before those of site_templates/. Example: `templates: my_templates`."""

    nav = c.Optional(c.Type(bool))
    """Add Models, Concepts and Compare to the navigation. Default: only where `mkdocs.yml` has no `nav`."""

    look = c.Type(bool, default=False)
    """Style the whole site as Unit 59's own (colours, type, header). Default: keep the theme's look."""


class Unit59Plugin(BasePlugin[Unit59Config]):  # type: ignore[no-untyped-call]  # as above
    """Adds the pages of a results folder to a MkDocs site."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._shells: dict[str, LayerView] = {}
        self._rendered: dict[str, Shell] = {}

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Read the results, say what will be built, and add styles and scripts."""
        base = Path(config.config_file_path).parent if config.config_file_path else Path()
        self._results = base / self.config.results
        self._templates = [base / self.config.templates] if self.config.templates else []
        for folder in self._templates:
            if not folder.is_dir():
                raise PluginError(f"unit59: templates: there is no folder {folder}.")
        self._root = self.config.root.strip("/")
        self._site = self._read()
        self._render = Renderer(
            self._site,
            self._templates,
            explicit=not config.use_directory_urls,
            strips=self.config.strips,
        )
        self._announce_size()
        self._add_look(config)
        return config

    def _read(self) -> Site:
        try:
            results = read_results(self._results)
        except Unit59Error as error:
            raise PluginError(f"unit59: {error}") from None
        wanted = set(self.config.models)
        known = {model.record.name for model in results}
        if unknown := sorted(wanted - known):
            raise PluginError(
                f"unit59: models: {unknown[0]!r} is not among the results ({', '.join(sorted(known))})."
            )
        names = {layer.record.name for model in results for layer in model.layers}
        if unknown := sorted(set(self.config.layers) - names):
            raise PluginError(
                f"unit59: layers: {unknown[0]!r} is not among the results ({', '.join(sorted(names))})."
            )
        return Site.of(
            [model for model in results if not wanted or model.record.name in wanted], self.config.layers
        )

    def _announce_size(self) -> None:
        units = sum(layer.record.units for layer in self._site.layers)
        size = beside.predicted_bytes(self._site, self.config.strips)
        log.info(
            f"{len(self._site.models)} model(s), {units} unit pages; the site will take about {_mb(size)}."
        )
        if size > beside.PAGES_LIMIT:
            log.warning(
                f"About {_mb(size)} is more than the {_mb(beside.PAGES_LIMIT)} that GitHub Pages takes. "
                "Show fewer pictures (`strips: [exemplars]`), fewer layers (`layers:`) or fewer models "
                "(`models:`), or publish where there is more room."
            )

    def _add_look(self, config: MkDocsConfig) -> None:
        home = f"{self._root}/assets/unit59".lstrip("/")
        styles = ["fonts.css", "unit59.css", "look.css"] if self.config.look else ["unit59.css"]
        config.extra_css[:0] = [f"{home}/{name}" for name in styles]
        config.extra_javascript.extend(f"{home}/{name}" for name in SCRIPTS)
        if config.theme.name == "material":
            # Before the theme's own templates, after the user's.
            place = 1 if config.theme.custom_dir else 0
            config.theme.dirs.insert(place, str(TEMPLATES / "material"))
            if self.config.look:
                config.theme["font"] = False  # or Material asks Google for its fonts

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Add a page's file for each page, and one shell a layer. The user's own files go first."""
        self._pages, self._shells, self._rendered = {}, {}, {}
        for page in site_pages(self._site):
            self._add(page, files, config)
        for layer in self._site.layers:
            if layer.units:
                first = next(iter(unit_pages(self._site, layer)))
                self._shells[self._add(first, files, config)] = layer
        return files

    def _add(self, page: Page, files: Files, config: MkDocsConfig) -> str:
        source = f"{self._root}/{page.source}".lstrip("/")
        if files.get_file_from_path(source) is not None:
            log.info(f"{source} is there already and stays; set `root:` to have both.")
            return source
        in_nav = InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, source, content=page.title, inclusion=in_nav))
        self._pages[source] = page
        return source

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Put the entrances into the navigation, where asked or where the site has none of its own."""
        wanted = config.nav is None if self.config.nav is None else self.config.nav
        if not wanted:
            if self.config.nav is None:
                self._add_causes(nav, files)
            return nav
        entrances = [
            ("", "Home"),
            ("findings", "Findings"),
            ("models", "Models"),
            ("concepts", "Concepts"),
            ("studies", "Studies"),
            ("compare", "Compare"),
        ]
        added = []
        for path, title in entrances:
            source = f"{self._root}/{path}/index.md".replace("//", "/").lstrip("/")
            file = files.get_file_from_path(source)
            if file and file.page and source in self._pages and file.page not in nav.pages:
                file.page.title = title
                added.append(file.page)
        home = [page for page in added if page.is_homepage]
        rest = [page for page in added if not page.is_homepage]
        nav.items[:0] = home
        nav.items.extend(rest)
        nav.pages[:0] = home
        nav.pages.extend(rest)
        if home:
            nav.homepage = home[0]
        return nav

    def _add_causes(self, nav: Navigation, files: Files) -> None:
        """Findings and studies, which only some results have, before the models that a `nav` names."""
        models = f"{self._root}/models/index.md".lstrip("/")
        place = next(
            (
                i
                for i, item in enumerate(nav.items)
                if isinstance(item, MkDocsPage) and item.file.src_uri == models
            ),
            None,
        )
        for path, title in (("studies", "Studies"), ("findings", "Findings")):
            source = f"{self._root}/{path}/index.md".lstrip("/")
            file = files.get_file_from_path(source)
            if (
                place is not None
                and file
                and file.page
                and source in self._pages
                and file.page not in nav.pages
            ):
                file.page.title = title
                nav.items.insert(place, file.page)
                nav.pages.insert(place, file.page)

    def on_page_markdown(
        self, markdown: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files
    ) -> str | None:
        """Give a page its title, description and width."""
        ours = self._pages.get(page.file.src_uri)
        if ours is None:
            return None
        shell = page.file.src_uri in self._shells
        # Themes write both into the page as they are.
        page.meta["title"] = TITLE if shell else html.escape(ours.title)
        page.meta["description"] = DESCRIPTION if shell else html.escape(ours.description)
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
        if page.file.src_uri in self._shells:
            return f'<h1 hidden id="shell"></h1>{BODY}'
        return self._guarded(lambda: self._render.body(ours))

    @event_priority(-90)
    def on_post_page(self, output: str, *, page: MkDocsPage, config: MkDocsConfig) -> str | None:
        """Keep a layer's shell, and stamp its own unit into it."""
        layer = self._shells.get(page.file.src_uri)
        if layer is None or page.file.src_uri not in self._pages:
            return None
        output = output.replace('<h1 hidden id="shell"></h1>', "")
        try:
            shell = Shell(output, page.canonical_url or "")
        except ShellError as error:
            raise PluginError(f"unit59: {error}; unit pages cannot be made with this theme.") from None
        self._rendered[layer.path] = shell
        return self._stamp(self._pages[page.file.src_uri], shell, config)

    @event_priority(-50)
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Stamp the unit pages, copy pictures and data, and tell search and sitemap of them."""
        target = Path(config.site_dir) / self._root
        self._guarded(lambda: beside.write(beside.site_files(self._site, self.config.strips), target))
        beside.write(beside.assets(self._templates), target)
        rows = [
            _row(page, source, config) for source, page in self._pages.items() if not self._shells.get(source)
        ]
        addresses = []
        for layer in self._site.layers:
            shell = self._rendered.get(layer.path)
            if shell is None:
                continue
            for number, page in enumerate(unit_pages(self._site, layer)):
                source = f"{self._root}/{page.source}".lstrip("/")
                if number:
                    text = self._stamp(page, shell, config)
                    beside.write([(f"{page.path}/index.html", text.encode())], target)
                    addresses.append(_url(source, config))
                beside.write([(f"{page.path}/data.json", beside.unit_data(page))], target)
                rows.append(_row(page, source, config))
        _extend_search(Path(config.site_dir), rows)
        _extend_sitemap(Path(config.site_dir), addresses, config)

    def _stamp(self, page: Page, shell: Shell, config: MkDocsConfig) -> str:
        source = f"{self._root}/{page.source}".lstrip("/")
        url = urljoin(config.site_url or "", _url(source, config))
        body = self._guarded(lambda: self._render.body(page))
        return shell.stamp(page, body, url, turn_links(page, explicit=not config.use_directory_urls))

    def _guarded(self, render: Callable[[], _T]) -> _T:
        try:
            return render()
        except Unit59Error as error:
            raise PluginError(f"unit59: {error}") from None

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., Any]
    ) -> LiveReloadServer:
        """Build again when results or templates change."""
        for folder in (self._results, TEMPLATES, *self._templates):
            server.watch(str(folder))
        return server


def _url(source: str, config: MkDocsConfig) -> str:
    """The address below the site's root of the page written as `source`."""
    if not config.use_directory_urls:
        return source.removesuffix(".md") + ".html"
    return source.removesuffix("index.md")


def _row(page: Page, source: str, config: MkDocsConfig) -> dict[str, str]:
    """A page's row in the search index. Search shows titles and texts as HTML."""
    return {
        "location": _url(source, config),
        "title": html.escape(page.title),
        "text": html.escape(page.keywords or page.description),
    }


def _extend_search(site: Path, rows: list[dict[str, str]]) -> None:
    index = site / "search" / "search_index.json"
    if not index.exists():
        return
    content = json.loads(index.read_text("utf-8"))
    ours = {row["location"] for row in rows}
    others = [row for row in content["docs"] if row["location"].partition("#")[0] not in ours]
    content["docs"] = others + rows
    index.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False), "utf-8")


def _extend_sitemap(site: Path, addresses: list[str], config: MkDocsConfig) -> None:
    sitemap = site / "sitemap.xml"
    if not config.site_url or not sitemap.exists():
        return
    text = sitemap.read_text("utf-8")
    entries = "".join(
        f"    <url>\n         <loc>{html.escape(urljoin(config.site_url, address))}</loc>\n    </url>\n"
        for address in addresses
    )
    text = text.replace("</urlset>", f"{entries}</urlset>")
    sitemap.write_text(text, "utf-8")
    with (site / "sitemap.xml.gz").open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
