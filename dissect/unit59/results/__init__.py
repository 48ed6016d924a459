"""The results store: what the dissect stage writes and the site stage reads.

A results folder holds one folder a model. Everything in it is open to any reader::

    results/<model>/model.json               what was dissected, how, with what
                    manifest.json            every file with its size and sha256, part by part
                    run.json                 when and how fast (the one file that differs between runs)
                    concepts.parquet         one row a concept of the segmenter
                    pictures/samples.webp    the first samples, as a sheet
                    quality/quality.json, quality.parquet, pictures/real.webp   samples beside real pictures,
                                                                        where the recipe names some
                    layers/<layer>/units.parquet        one row a unit
                                   agreement.parquet    one row a (unit, concept)
                                   activations.parquet  one row a unit: histogram of its values
                                   similar.parquet      the units whose masks overlap most
                                   levels.parquet       one row a (unit, concept): its threshold,
                                                        where the recipe chooses them by IQR
                                   pictures/0059-exemplars.webp, -ablated.webp, -inserted.webp
                    layers/<layer>/effects/effects.json, effects.parquet, unit_effects.parquet,
                                   attribution.parquet, relations.parquet,
                                   pictures/0059-effect.webp           where they are measured
                    layers/<layer>.<handle>/effects/…   of units without maps: effects.json, effects.parquet,
                                                        unit_effects.parquet
                    studies/<study>/study.json, tables and pictures (searches for causes,
                                   unit sets, reports)

The results are written in *parts* (the model's own, one a layer, one a layer's effects, one a study), each
in the folder of its name. A part appears whole or not at all, carries the hash of everything it depends on,
and may have `facts.json`: what was measured and is no table.

This module never imports torch.
"""

from unit59.foundation.files import file_name, sha256_of, write_atomically
from unit59.results.check import check_results, find_faults, find_missing
from unit59.results.contents import HandleResults, LayerResults, ModelResults, QualityResults, StudyResults
from unit59.results.json_files import to_json
from unit59.results.manifest import KeptFile
from unit59.results.quality import QUALITY, QualityRecord
from unit59.results.reader import model_folders, read_model, read_results
from unit59.results.record import ResultsError
from unit59.results.report import ReportRecord
from unit59.results.schema import (
    ACTIVATIONS,
    AGREEMENT,
    ATTRIBUTION,
    CONCEPTS,
    EFFECT_TABLES,
    EFFECTS,
    INTERPRETABLE_IOU,
    LAYER_TABLES,
    LEVEL_TABLES,
    SIMILAR,
    STUDY_TABLES,
    UNIT_EFFECTS,
    UNITS,
    CheckpointRecord,
    EffectsRecord,
    LayerRecord,
    ModelRecord,
    NullSummary,
    SearchRecord,
    SegmenterRecord,
    SetsRecord,
)
from unit59.results.tables import picture_name, table_bytes
from unit59.results.writer import ResultsWriter

__all__ = [
    "ACTIVATIONS",
    "AGREEMENT",
    "ATTRIBUTION",
    "CONCEPTS",
    "EFFECTS",
    "EFFECT_TABLES",
    "INTERPRETABLE_IOU",
    "LAYER_TABLES",
    "LEVEL_TABLES",
    "QUALITY",
    "SIMILAR",
    "STUDY_TABLES",
    "UNITS",
    "UNIT_EFFECTS",
    "CheckpointRecord",
    "EffectsRecord",
    "HandleResults",
    "KeptFile",
    "LayerRecord",
    "LayerResults",
    "ModelRecord",
    "ModelResults",
    "NullSummary",
    "QualityRecord",
    "QualityResults",
    "ReportRecord",
    "ResultsError",
    "ResultsWriter",
    "SearchRecord",
    "SegmenterRecord",
    "SetsRecord",
    "StudyResults",
    "check_results",
    "file_name",
    "find_faults",
    "find_missing",
    "model_folders",
    "picture_name",
    "read_model",
    "read_results",
    "sha256_of",
    "table_bytes",
    "to_json",
    "write_atomically",
]
