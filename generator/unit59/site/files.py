"""The assets, and what the whole site will weigh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unit59.site.content import Published, size_of
from unit59.site.pages.unit import strips_of
from unit59.site.render import TEMPLATES
from unit59.site.site import Page, Site

#: What one unit page and its data weigh without pictures (measured with the Material theme).
UNIT_PAGE_BYTES = 52_000
#: What one effect of a unit on a concept adds to these (measured).
EFFECT_BYTES = 500
#: GitHub Pages refuses a larger site.
PAGES_LIMIT = 1_000_000_000


def assets(templates: Iterable[Path] = ()) -> Iterator[Published]:
    """The styles, scripts and fonts; a file of the same name below `templates`/assets goes first."""
    found: dict[str, Path] = {}
    for folder in [TEMPLATES, *reversed(list(templates))]:
        home = folder / "assets"
        found |= {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    for name, path in sorted(found.items()):
        yield f"assets/unit59/{name}", path


def predicted_bytes(site: Site, pages: Iterable[Page]) -> int:
    """About how large the built site will be.

    Args:
        site: the site.
        pages: its pages but those of units, which are not made for this.
    """
    units = [unit for layer in site.layers for unit in layer.units]
    files = [
        *(file for page in pages for file in page.files),
        *(file for unit in units for file in strips_of(site, unit)),
        *assets(),
    ]
    effects = sum(len(layer.results.effects.effects) for layer in site.layers if layer.results.effects)
    written = sum(size_of(content) for _, content in files)
    return written + UNIT_PAGE_BYTES * len(units) + EFFECT_BYTES * effects


def advice(size: int) -> str:
    """What to do about a site of so many bytes; nothing where it is small enough."""
    if size <= PAGES_LIMIT:
        return ""
    return (
        f"About {megabytes(size)} is more than the {megabytes(PAGES_LIMIT)} that GitHub Pages takes. "
        "Show fewer pictures (`strips: [exemplars]`), fewer layers (`layers:`) or fewer models "
        "(`models:`), or publish where there is more room."
    )


def megabytes(size: int) -> str:
    """`1,234 MB`."""
    return f"{size / 1e6:,.0f} MB"
