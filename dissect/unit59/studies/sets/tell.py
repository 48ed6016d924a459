"""What a study of unit sets says: its record. Never imports torch."""

from __future__ import annotations

from unit59.results.schema import SetsRecord
from unit59.studies.tables import Tables


def tell(tables: Tables) -> SetsRecord:
    """The record of what `unit59.studies.sets.measure.measure_sets` measured; pages read it."""
    return SetsRecord.model_validate(tables.facts)
