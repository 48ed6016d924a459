"""What a search says: its record, with a sentence for each rule. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unit59.recipe.sections import SearchSection
from unit59.results.schema import LayerSearch, SearchRecord
from unit59.studies.tables import Tables

_SHARE = "of the samples that show the concept"
#: What each rule of `unit59.studies.cause.verdict.judge` says.
RULES = {
    "erases": f"with the units off it disappears in at least this share {_SHARE}",
    "beyond chance": "at most this share of random sets of as many other units erase half as often",
    "one": "a single unit is enough",
    "no rival": f"no other single unit erases it in more than this share {_SHARE}",
    "all but it": "with the unit on and the others that come first in the order off, it disappears in "
    "at most this share",
    "few": "at most this many units",
}


def tell(tables: Tables, asked: SearchSection | None = None) -> SearchRecord:
    """The record of what `unit59.studies.cause.measure.measure_search` measured; pages read it.

    Args:
        tables: what was measured.
        asked: the recipe's words, its title and claim; without them the record has none.
    """
    layers = [tell_layer(layer) for layer in tables.facts["layers"]]
    words = asked.model_dump(mode="json", include={"title", "claim"}) if asked else {}
    return SearchRecord.model_validate({**tables.facts, "layers": layers, **words})


def tell_layer(facts: Mapping[str, Any]) -> LayerSearch:
    """The part of one layer."""
    rules = [{**rule, "says": RULES[rule["name"]]} for rule in facts["rules"]]
    return LayerSearch.model_validate({**facts, "rules": rules})
