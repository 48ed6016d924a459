"""`model.json`: what was dissected, with the layers that are measured. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unit59.results import ModelRecord


def tell(facts: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> ModelRecord:
    """The model's record.

    Args:
        facts: of the part `model`.
        layers: the facts of the layers' parts, in forward order.
    """
    return ModelRecord.model_validate({**facts, "layers": list(layers)})
