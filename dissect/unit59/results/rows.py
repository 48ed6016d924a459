"""Rows of the tables as typed records: a column that is renamed is a type error where it is read.

Each kind stands in the module that says what its table holds.
"""

from __future__ import annotations

from unit59.results.columns import as_dict, rows
from unit59.results.effect_estimates import RelationRow
from unit59.results.effect_tables import EffectRow, UnitEffectRow
from unit59.results.layers import ActivationRow, AgreementRow, LevelRow, SimilarRow, UnitRow
from unit59.results.model import ConceptRow
from unit59.results.quality import QualityRow
from unit59.results.search_tables import AloneRow, CaseRow, RandomSetRow, SpecificityRow, StaircaseRow

__all__ = [
    "ActivationRow",
    "AgreementRow",
    "AloneRow",
    "CaseRow",
    "ConceptRow",
    "EffectRow",
    "LevelRow",
    "QualityRow",
    "RandomSetRow",
    "RelationRow",
    "SimilarRow",
    "SpecificityRow",
    "StaircaseRow",
    "UnitEffectRow",
    "UnitRow",
    "as_dict",
    "rows",
]
