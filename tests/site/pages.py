"""Reading built pages: their links, and whether these lead anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that a browser follows by itself.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "srcset"), ("iframe", "src")}


class Links(HTMLParser):
    """Collects (tag, attribute, address, rel) and every id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str, str]] = []
        self.ids: set[str] = set()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if given.get("id"):
            self.ids.add(str(given["id"]))
        for name in ("href", "src", "srcset"):
            if given.get(name):
                self.found.append((tag, name, str(given[name]), str(given.get("rel") or "")))


def html_files(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def broken_links(site: Path, *, explicit: bool = False) -> Iterator[str]:
    """Say which links of a site lead nowhere; `explicit`: a folder is no page."""
    ids: dict[Path, set[str]] = {}
    pages = {page: Links(page.read_text("utf-8")) for page in html_files(site)}
    for page, links in pages.items():
        ids[page.resolve()] = links.ids
    for page, links in pages.items():
        if page.name == "404.html":
            continue  # its links are absolute, as it stands in for any address
        for _, _, address, rel in links.found:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or rel == "canonical":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
            if target.is_dir() and not explicit:
                target = target / "index.html"
            if not target.is_file():
                yield f"{page.relative_to(site)}: {address}"
            elif parts.fragment and target.suffix == ".html" and not parts.fragment.startswith("__"):
                if parts.fragment not in ids.get(target, set()):
                    yield f"{page.relative_to(site)}: {address} (no such place)"
            elif site.resolve() not in target.parents:
                yield f"{page.relative_to(site)}: {address} leaves the site"


def foreign_requests(site: Path) -> Iterator[str]:
    """Say which pages and styles make a browser ask another host."""
    for page in html_files(site):
        for tag, name, address, rel in Links(page.read_text("utf-8")).found:
            loaded = (tag, name) in LOADED and rel not in {"canonical", "prev", "next", "alternate"}
            if loaded and (urlsplit(address).netloc or address.startswith("//")):
                yield f"{page.relative_to(site)}: {address}"
    for style in site.rglob("*.css"):
        for address in re.findall(r"url\(([^)]*)\)|@import\s+[\"']([^\"']+)", style.read_text("utf-8")):
            text = "".join(address).strip("\"'")
            if urlsplit(text).netloc:
                yield f"{style.relative_to(site)}: {text}"
