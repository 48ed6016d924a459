"""The results' schema: every table by its file, every record, and the version they carry.

Each stands in the module of what it is about; a table's columns explain themselves, see `results.columns`.
"""

from __future__ import annotations

from typing import Any

from unit59.results.columns import Schema
from unit59.results.effect_estimates import ATTRIBUTION, RELATIONS
from unit59.results.effect_tables import EFFECT_TABLES, EFFECTS, UNIT_EFFECTS
from unit59.results.effects_record import EffectsRecord, Ranking, RankingCheck
from unit59.results.layers import (
    ACTIVATIONS,
    AGREEMENT,
    INTERPRETABLE_IOU,
    LAYER_TABLES,
    LEVEL_TABLES,
    SIMILAR,
    UNITS,
    LayerRecord,
    NullSummary,
)
from unit59.results.model import CONCEPTS, CheckpointRecord, ModelRecord, SegmenterRecord
from unit59.results.quality import QUALITY, QualityRecord
from unit59.results.report import ReportRecord
from unit59.results.search_record import (
    STRENGTH,
    Claim,
    LayerSearch,
    Rate,
    SearchRecord,
    StudyPicture,
    Verdict,
)
from unit59.results.search_tables import (
    ALONE,
    STAIRCASE,
    STUDY_TABLES,
)
from unit59.results.sets_record import AceRecord, SetsRecord, Smallest

__all__ = [
    "ACTIVATIONS",
    "AGREEMENT",
    "ALONE",
    "ATTRIBUTION",
    "CONCEPTS",
    "EFFECTS",
    "EFFECT_TABLES",
    "INTERPRETABLE_IOU",
    "LAYER_TABLES",
    "LEVEL_TABLES",
    "RELATIONS",
    "SIMILAR",
    "STAIRCASE",
    "STRENGTH",
    "STUDY_RECORDS",
    "STUDY_TABLES",
    "TABLES",
    "UNITS",
    "UNIT_EFFECTS",
    "AceRecord",
    "CheckpointRecord",
    "Claim",
    "EffectsRecord",
    "LayerRecord",
    "LayerSearch",
    "ModelRecord",
    "NullSummary",
    "QualityRecord",
    "Ranking",
    "RankingCheck",
    "Rate",
    "SearchRecord",
    "SegmenterRecord",
    "SetsRecord",
    "Smallest",
    "StudyPicture",
    "StudyRecord",
    "Verdict",
]

#: Every table of which the columns are known, by its file's name. Those of a report are its study's own.
TABLES: dict[str, Schema] = {
    "concepts.parquet": CONCEPTS,
    **LAYER_TABLES,
    **LEVEL_TABLES,
    **EFFECT_TABLES,
    "quality.parquet": QUALITY,
    **STUDY_TABLES,
}
StudyRecord = SearchRecord | SetsRecord | ReportRecord
#: A study's record by its kind.
STUDY_RECORDS: dict[str, Any] = {"search": SearchRecord, "sets": SetsRecord, "report": ReportRecord}
