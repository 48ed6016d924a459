"""What a built site's search index and sitemap say of pages that the site builder did not see."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urljoin

from unit59.site.site import Page


def address(source: str, *, directories: bool) -> str:
    """The address below the site's root of the page written as `source`, as links have it.

    >>> address("concepts/bed/index.md", directories=True), address("index.md", directories=False)
    ('concepts/bed/', 'index.html')
    """
    return quote(source.removesuffix("index.md") if directories else source.removesuffix(".md") + ".html")


def search_row(page: Page, location: str) -> dict[str, str]:
    """A page's row in the search index. Search shows titles and texts as HTML."""
    return {
        "location": location,
        "title": html.escape(page.title),
        "text": html.escape(page.keywords or page.description),
    }


def extend_search(site: Path, rows: Sequence[dict[str, str]]) -> None:
    """Put rows into the search index, where there is one, in place of its own for the same pages."""
    index = site / "search" / "search_index.json"
    if not index.exists():
        return
    content = json.loads(index.read_text("utf-8"))
    ours = {row["location"] for row in rows}
    others = [row for row in content["docs"] if row["location"].partition("#")[0] not in ours]
    content["docs"] = [*others, *rows]
    index.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False), "utf-8")


def extend_sitemap(site: Path, addresses: Sequence[str], root: str | None) -> None:
    """Put addresses into the sitemap, where there is one; `root` is where the site is published."""
    sitemap = site / "sitemap.xml"
    if not root or not sitemap.exists():
        return
    text = sitemap.read_text("utf-8")
    entries = "".join(
        f"    <url>\n         <loc>{html.escape(urljoin(root, each))}</loc>\n    </url>\n"
        for each in addresses
    )
    text = text.replace("</urlset>", f"{entries}</urlset>")
    sitemap.write_text(text, "utf-8")
    with (site / "sitemap.xml.gz").open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())
