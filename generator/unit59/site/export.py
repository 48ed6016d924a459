"""The site as plain files, for any site builder or none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from unit59.foundation.errors import Unit59Error
from unit59.site.content import Published, write
from unit59.site.files import assets
from unit59.site.pages import all_pages
from unit59.site.publish import publish
from unit59.site.reading import read_site
from unit59.site.render import Renderer
from unit59.site.site import Page


class ExportError(Unit59Error):
    """A folder that cannot be exported to."""


def export(
    results: Path, folder: Path, kind: Literal["md", "html"] = "md", templates: Path | None = None
) -> int:
    """Write every page and the files they refer to below `folder`.

    Args:
        results: the results folder.
        folder: where to write; it is made, or must be empty or hold an earlier export.
        kind: `md` writes `index.md` with front matter and an HTML body, for a site builder;
            `html` writes whole `index.html` documents that need none.
        templates: a folder of templates that go before the project's own.

    Returns:
        How many pages were written.

    Raises:
        Unit59Error: the results cannot be read, a template is broken, or `folder` holds other things.
    """
    own = [templates] if templates else []
    site = read_site(results)
    mark = folder / ".unit59-export"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise ExportError(f"{folder}: the folder is not empty. Name a new one.")
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("Written by `unit59 export`; what is in here is replaced by the next export.\n", "utf-8")
    render = Renderer(site, own, explicit=kind == "html")

    def own_file(page: Page) -> Published:
        text = render.document(page) if kind == "html" else markdown(page, render.block(page))
        return str(Path(page.source).with_suffix(f".{kind}")), text.encode()

    count = sum(1 for _ in publish(all_pages(site), folder, own_file))
    write(assets(own), folder)
    return count


def markdown(page: Page, body: str) -> str:
    """A Markdown file of one HTML block; without empty lines, which would end the block."""
    kept = re.sub(r"<pre>.*?</pre>", lambda found: found[0].replace("\n", "&#10;"), body, flags=re.DOTALL)
    block = "\n".join(line for line in kept.splitlines() if line.strip())
    # JSON strings are YAML strings.
    return (
        f"---\ntitle: {json.dumps(page.title, ensure_ascii=False)}\n"
        f"description: {json.dumps(page.description, ensure_ascii=False)}\n---\n\n{block}\n"
    )
