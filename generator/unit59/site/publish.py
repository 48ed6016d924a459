"""The one loop over pages that every way of publishing shares: a page's own file, and those beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from unit59.site.content import Published, write
from unit59.site.site import Page

#: What a page is written as; None where a site builder writes it.
OwnFile = Callable[[Page], Published | None]


def publish(pages: Iterable[Page], folder: Path, own_file: OwnFile) -> Iterator[Page]:
    """Write pages below a folder, each with what it publishes beside itself, and hand each on.

    Args:
        pages: in any order; each is made, written and forgotten.
        folder: where the site's root is.
        own_file: says as what a page is written.

    Raises:
        Unit59Error: a template is broken, or a file of the results is not what was written.
    """
    for page in pages:
        own = own_file(page)
        write([*([own] if own else []), *page.files], folder)
        yield page
