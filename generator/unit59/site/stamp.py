"""Unit pages stamped from one rendered page a layer.

A site builder takes some ten milliseconds a page, most of it for what is the same on all of a layer's unit
pages: head, header, navigation, footer. So it renders one *shell* a layer, with marks where a page's
own title, description and body belong, and the rest of the layer's pages are filled in here.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from unit59.site.site import Page

#: Marks are plain words: they survive escaping, minifying and any template.
TITLE = "unit59markoftitle"
DESCRIPTION = "unit59markofdescription"
BODY = "unit59markofbody"


class ShellError(ValueError):
    """The rendered shell has lost the mark where the body belongs."""


@dataclass(frozen=True)
class Shell:
    """A page with marks, as the site builder rendered it.

    Args:
        text: the whole page.
        url: the absolute address that it names as its own (canonical link); empty if it has none.
    """

    text: str
    url: str = ""

    def __post_init__(self) -> None:
        if self.text.count(BODY) != 1:
            raise ShellError(f"the theme shows a page's content {self.text.count(BODY)} times, not once")

    def stamp(self, page: Page, body: str, url: str = "", links: str = "") -> str:
        """The shell with a page in it.

        Args:
            page: what is named in the head.
            body: its HTML.
            url: its absolute address, where the shell has one.
            links: HTML for the end of the head.
        """
        before, after = self.text.split(BODY)
        return self._fill(before, page, url).replace("</head>", f"{links}</head>", 1) + (
            body + self._fill(after, page, url)
        )

    def _fill(self, text: str, page: Page, url: str) -> str:
        if self.url:
            text = text.replace(html.escape(self.url), html.escape(url))
        return text.replace(TITLE, html.escape(page.title)).replace(
            DESCRIPTION, html.escape(page.description)
        )


def turn_links(page: Page, *, explicit: bool = False) -> str:
    """`<link>`s to the previous and next unit, which browsers and themes bind to keys."""
    last = "index.html" if explicit else ""
    turns = (("prev", page.context["previous"]), ("next", page.context["next"]))
    return "".join(
        f'<link rel="{rel}" href="../{unit.number}/{last}">' for rel, unit in turns if unit is not None
    )
