"""What is said of samples beside real pictures: numbers only, which the model's page puts into words."""

from __future__ import annotations

from unit59.results.quality import QualityRecord
from unit59.studies.tables import Tables


def tell(tables: Tables) -> QualityRecord:
    """`quality.json`."""
    return QualityRecord.model_validate(tables.facts)
