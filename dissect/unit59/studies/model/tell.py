"""`model.json`: what was dissected, with the layers that are measured. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unit59.foundation.files import file_name
from unit59.recipe.sections import Recipe
from unit59.results import ModelRecord

#: What a recipe may change without anything being measured anew: it stands in `model.json` alone.
WORDS = ("title", "summary", "recipe")


def words_of(recipe: Recipe, text: str) -> dict[str, str]:
    """See `WORDS`; `text` is the whole recipe's."""
    return {"title": recipe.title, "summary": recipe.summary, "recipe": text}


def layers_of(facts: Mapping[str, Any]) -> list[str]:
    """The parts of the layers that the facts of the part `model` name, in forward order."""
    planned = facts.get("planned_layers")
    return [f"layers/{file_name(str(name))}" for name in planned] if isinstance(planned, list) else []


def tell(
    facts: Mapping[str, Any], layers: Iterable[Mapping[str, Any]], words: Mapping[str, str]
) -> ModelRecord:
    """The model's record.

    Args:
        facts: of the part `model`.
        layers: the facts of the layers' parts, in forward order.
        words: the recipe's; see `WORDS`.
    """
    return ModelRecord.model_validate({**facts, **words, "layers": list(layers)})
