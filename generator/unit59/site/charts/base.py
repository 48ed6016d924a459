"""What every chart is: a Plotly figure as plain data, with its sentence and its table.

Colours that depend on the palette are written as `@ink`, `@muted`, `@grid`, `@accent` and `@surface`;
the script that draws the chart puts the page's own in their place, again when the palette changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from unit59.site.heads import Head


@dataclass(frozen=True)
class Chart:
    """A figure and its words.

    Attributes:
        label: what a screen reader says instead of the picture.
        caption: what to see in it, one sentence.
        data: Plotly traces.
        layout: Plotly layout.
        head: the columns of the table of the same numbers.
        rows: its rows.
        height: in CSS pixels.
    """

    label: str
    caption: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    head: Sequence[Head]
    rows: Sequence[Sequence[Any]]
    height: int = 320

    @property
    def figure(self) -> dict[str, Any]:
        """What is handed to Plotly."""
        return {"data": self.data, "layout": self.layout}


def plain(text: str) -> str:
    """Plotly reads a few HTML tags and its own braces in text; names are no markup."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("{", "(")
        .replace("}", ")")
    )


@lru_cache(maxsize=1024)  # every unit's charts name the same concepts
def short(text: str, most: int = 22) -> str:
    """A name that fits on an axis, as text that Plotly takes as such."""
    return plain(text if len(text) <= most else text[: most - 1] + "…")
