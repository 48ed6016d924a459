"""The table of a recipe's fields, for docs/guide/recipes.md: `python -m tests.fields` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from unit59.recipe.sections import Recipe

PAGE = Path("docs/guide/recipes.md")
BEGIN, END = "<!-- fields -->", "<!-- /fields -->"


def rows(model: type[BaseModel], prefix: str = "") -> list[str]:
    """One row a field; sections are listed with their fields."""
    found = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _said(field.get_default(call_default_factory=True))
        found.append(f"| `{prefix}{name}` | {field.description} | {default} |")
        for section in _sections(field.annotation):
            found += rows(section, f"{prefix}{name}.")
    return found


def table() -> str:
    """The whole table, between its marks."""
    return "\n".join(
        [BEGIN, "", "| field | meaning | default |", "| --- | --- | --- |", *rows(Recipe), "", END]
    )


def _said(default: Any) -> str:
    return "–" if default in (None, "", []) else f"`{default}`"


def _sections(annotation: Any) -> list[type[BaseModel]]:
    parts = [annotation, *getattr(annotation, "__args__", ())]
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def main() -> None:
    """Write the table into the page."""
    text = PAGE.read_text()
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table(), text, flags=re.DOTALL))


if __name__ == "__main__":
    main()
