"""The site's entrances in MkDocs's navigation."""

from __future__ import annotations

from collections.abc import Mapping

from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as MkDocsPage

from unit59.site.site import Page


def add_entrances(nav: Navigation, files: Files, pages: Mapping[str, Page]) -> None:
    """Put all entrances behind what is there, the home page before it.

    Args:
        nav: changed in place.
        files: MkDocs's.
        pages: the site's own, by source.
    """
    added = _entrances(nav, files, pages)
    home = [page for page in added if page.is_homepage]
    rest = [page for page in added if not page.is_homepage]
    for shown in (nav.items, nav.pages):
        shown[:0] = home
        shown.extend(rest)
    if home:
        nav.homepage = home[0]


def add_unnamed(nav: Navigation, files: Files, pages: Mapping[str, Page], before: str) -> None:
    """Put entrances that only some results have before the page `before` of a navigation that names it."""
    named = [item.file.src_uri if isinstance(item, MkDocsPage) else "" for item in nav.items]
    if before not in named:
        return
    place = named.index(before)
    some = {source for source, page in pages.items() if page.nav and not page.nav.always}
    added = [page for page in _entrances(nav, files, pages) if page.file.src_uri in some]
    nav.items[place:place] = added
    nav.pages[place:place] = added


def _entrances(nav: Navigation, files: Files, pages: Mapping[str, Page]) -> list[MkDocsPage]:
    """MkDocs's pages of the entrances that are not in the navigation yet, in order, with their titles."""
    found = []
    wanted = [(page.nav, source) for source, page in pages.items() if page.nav]
    for entrance, source in sorted(wanted, key=lambda each: each[0].order):
        file = files.get_file_from_path(source)
        if file and file.page and file.page not in nav.pages:
            file.page.title = entrance.title
            found.append(file.page)
    return found
