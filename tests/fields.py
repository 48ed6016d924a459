"""The tables of a recipe's fields, for docs/guide/recipes.md: `python -m tests.fields` writes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from unit59.networks import FAMILIES
from unit59.networks.own import OwnNetwork
from unit59.recipe.sections import Recipe

PAGE = Path("docs/guide/recipes.md")
BEGIN, END = "<!-- fields -->", "<!-- /fields -->"
BEGIN_SAMPLING, END_SAMPLING = "<!-- sampling -->", "<!-- /sampling -->"


def rows(model: type[BaseModel], prefix: str = "") -> list[str]:
    """One row a field; sections are listed with their fields."""
    found = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _said(field.get_default(call_default_factory=True))
        found.append(f"| `{prefix}{name}` | {field.description} | {default} |")
        for section in sections_of(field.annotation):
            found += rows(section, f"{prefix}{name}.")
    return found


def table() -> str:
    """The whole table, between its marks."""
    return "\n".join(
        [BEGIN, "", "| field | meaning | default |", "| --- | --- | --- |", *rows(Recipe), "", END]
    )


def sampling_table() -> str:
    """Each knob of sampling with the families that have it, between its marks."""
    families: dict[tuple[str, str], list[str]] = {}
    for network in (*(module.NETWORK for module in FAMILIES), OwnNetwork):
        for name, field in network.SAMPLING.model_fields.items():
            row = f"{field.description} | {_said(field.get_default())} |"
            families.setdefault((name, row), []).append(network.family)
    rows = [f"| `{name}` | {', '.join(names)} | {row}" for (name, row), names in families.items()]
    head = ["| field | families | meaning | default |", "| --- | --- | --- | --- |"]
    return "\n".join([BEGIN_SAMPLING, "", *head, *rows, "", END_SAMPLING])


def _said(default: Any) -> str:
    return "–" if default in (None, "", [], {}) or isinstance(default, BaseModel) else f"`{default}`"


def sections_of(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models that an annotation names, also within lists and unions."""
    parts = [annotation, *getattr(annotation, "__args__", ())]
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def main() -> None:
    """Write the tables into the page."""
    text = re.sub(f"{BEGIN}.*{END}", lambda _: table(), PAGE.read_text(), flags=re.DOTALL)
    marked = f"{BEGIN_SAMPLING}.*{END_SAMPLING}"
    PAGE.write_text(re.sub(marked, lambda _: sampling_table(), text, flags=re.DOTALL))


if __name__ == "__main__":
    main()
