"""Pages to HTML: the Jinja environment, links relative to the page, numbers as people read them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from unit59.foundation.errors import Unit59Error
from unit59.results import INTERPRETABLE_IOU
from unit59.site.cells import measured_words
from unit59.site.heads import head, heads
from unit59.site.site import Page, Site
from unit59.stats.first import EVIDENCE

#: Beside this module in an installed package; at the top of the repository in a checkout.
_PLACES = (
    Path(__file__).resolve().parent / "templates",
    Path(__file__).resolve().parents[3] / "site_templates",
)
TEMPLATES = next((place for place in _PLACES if place.is_dir()), _PLACES[0])


class TemplateError(Unit59Error):
    """A template that cannot be used: names the file and the place."""


class Renderer:
    """Renders a site's pages to HTML bodies (no `<html>`, no head).

    Args:
        site: the site.
        templates: folders of templates that go before the project's own, first one first.
        explicit: link to `…/index.html` instead of `…/`, so that links also work from disk.

    Raises:
        TemplateError: on rendering, when a template is missing or broken.
    """

    def __init__(self, site: Site, templates: Iterable[Path] = (), *, explicit: bool = False) -> None:
        self.site = site
        self.explicit = explicit
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([*map(str, templates), str(TEMPLATES)]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            number=number,
            percent=percent,
            signed=signed,
            tidy=tidy,
            figure=figure,
            table_rows=table_rows,
            prose=prose,
            measured=measured_words,
        )
        self._environment.globals.update(
            head=head,
            heads=heads,
            site=site,
            cut=INTERPRETABLE_IOU,
            evidence=EVIDENCE,
            strips=frozenset(site.strips),
            version=_version(),
        )

    def body(self, page: Page) -> str:
        """The page's content."""
        own = [page.own_template] if page.own_template else []
        return self._render([*own, page.template], page, page.context)

    def block(self, page: Page) -> str:
        """The page's content with its styles and scripts around it, for another site builder's page."""
        return self._render(["block.html"], page, {"body": self.body(page)})

    def document(self, page: Page) -> str:
        """The page as a whole HTML document of its own, for a site without a site builder."""
        return self._render(["document.html"], page, {"body": self.body(page)})

    def _render(self, names: list[str], page: Page, context: dict[str, Any]) -> str:
        here = Links(page.path, explicit=self.explicit)
        name = names[-1]
        try:
            template = self._environment.select_template(names)
            name = template.name or name
            return template.render(page=page, url=here.page, asset=here.file, **context)
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"{error.name}: there is no such template.") from None
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.filename}:{error.lineno}: {error.message}.") from None
        except jinja2.UndefinedError as error:
            raise TemplateError(f"{name}, for the page {page.path or '/'}: {error.message}.") from None


class Links:
    """Addresses relative to one page, so that a site works below any path.

    >>> Links("models/faces").page("concepts/hair")
    '../../concepts/hair/'
    >>> Links("").page("")
    './'
    """

    def __init__(self, here: str, *, explicit: bool = False) -> None:
        self._up = "../" * len(here.split("/")) if here else "./"
        self._last = "index.html" if explicit else ""

    def page(self, path: str) -> str:
        """The address of a page."""
        base = self._up if not path else f"{self._up.removeprefix('./')}{path}/"
        return f"{base}{self._last}"

    def file(self, path: str) -> str:
        """The address of a file."""
        return f"{self._up.removeprefix('./')}{path}"


def number(value: float | None, digits: int = 3) -> str:
    """A score for people: three decimals, two significant digits where that would be nearly nothing.

    >>> number(0.1502), number(0.00034), number(None), number(0)
    ('0.150', '0.00034', '–', '0')
    """
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) < 10.0**-2:
        return f"{value:.2g}" if abs(value) >= 1e-4 else f"{value:.1e}"
    return f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage, with a narrow space before the sign."""
    return "–" if value is None else f"{value * 100:.{digits}f}\u202f%"


def signed(value: float | None, digits: int = 2) -> str:
    """A change of a share as a percentage with its sign; one digit where decimals would say nothing.

    >>> signed(-0.0123).startswith("−1.23"), signed(0.00002).startswith("+0.002")
    (True, True)
    """
    if value is None:
        return "–"
    text = f"{value * 100:+.{digits}f}"
    if value and not float(text):
        text = f"{value * 100:+.1g}"
    return f"{text}\u202f%".replace("-", "−")


def tidy(value: float) -> str:
    """A number as short as it is: counts without decimals.

    >>> tidy(5.0), tidy(0.875)
    ('5', '0.88')
    """
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"


def prose(text: str) -> Markup:
    """Plain text of a recipe: `code` in backticks and web addresses become what they mean.

    >>> prose("<b> `x` https://example.org/a.")
    Markup('&lt;b&gt; <code>x</code> <a href="https://example.org/a" rel="noopener">https://example.org/a</a>.')
    """
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    link = r'<a href="\1" rel="noopener">\1</a>'
    return Markup(re.sub(r"(https?://[^\s<>&'\"]*[^\s<>&'\".,;:)])", link, safe))  # noqa: S704  # escaped above


def table_rows(rows: Iterable[Sequence[Any]]) -> Markup:
    """Rows of plain cells as HTML, the first cell a head: ten times as fast as a template's loop.

    >>> table_rows([("<b>", 1)])
    Markup('<tr><th scope="row">&lt;b&gt;</th><td>1</td></tr>')
    """
    return Markup("\n".join(map(_table_row, rows)))  # noqa: S704  # escaped there


def _table_row(row: Sequence[Any]) -> str:
    # One call for the whole row: calls are what takes the time.
    text = "\0".join(map(str, row))
    if text.count("\0") >= len(row):  # a name has one, which HTML may not hold
        text = "\0".join(str(cell).replace("\0", "\ufffd") for cell in row)
    head, *cells = html.escape(text).split("\0")
    return f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def figure(value: Any) -> str:
    """A chart's figure as compact JSON, for an attribute (the template escapes it)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _version() -> str:
    from unit59.foundation.version import __version__

    return __version__
