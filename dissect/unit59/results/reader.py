"""Reading results: every table and record is verified as it is read; pictures, when they are copied."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import polars as pl

from unit59.results.contents import (
    HandleResults,
    LayerEffects,
    LayerResults,
    ModelResults,
    QualityResults,
    StudyResults,
)
from unit59.results.json_files import read_object
from unit59.results.manifest import WAY_OUT
from unit59.results.places import RUN, reach
from unit59.results.quality import QUALITY, QualityRecord
from unit59.results.record import Record, ResultsError
from unit59.results.report import ReportRecord, report_faults
from unit59.results.schema import (
    CONCEPTS,
    EFFECT_TABLES,
    LAYER_TABLES,
    LEVEL_TABLES,
    STUDY_RECORDS,
    STUDY_TABLES,
    EffectsRecord,
    LayerRecord,
    ModelRecord,
    StudyRecord,
)
from unit59.results.sound import check_concepts, check_units
from unit59.results.source import ModelFolder

_R = TypeVar("_R", bound=Record)

#: What names a row of a layer's tables.
_KEYS = {
    "units.parquet": ("unit",),
    "agreement.parquet": ("unit", "concept"),
    "activations.parquet": ("unit",),
    "similar.parquet": ("unit", "rank"),
    "levels.parquet": ("unit", "concept"),
}


def read_results(root: Path) -> list[ModelResults]:
    """Read every model of a results folder, by name.

    Raises:
        ResultsError: no results there, or a file is missing, damaged or of another schema.
    """
    return [read_model(folder) for folder in model_folders(root)]


def model_folders(root: Path) -> list[Path]:
    """The folders of a results folder that hold a model's results, by name.

    Raises:
        ResultsError: there is none.
    """
    if not root.is_dir():
        raise ResultsError(
            f"{root}: there is no results folder here. "
            "Write one with `unit59 dissect RECIPE`, or set `results:` of the unit59 plugin in mkdocs.yml."
        )
    folders = sorted(path.parent for path in root.glob("[!.]*/manifest.json"))
    if not folders:
        raise ResultsError(f"{root}: no results in this folder. Write some with `unit59 dissect RECIPE`.")
    return folders


def read_model(folder: Path) -> ModelResults:
    """Read one model's folder.

    Every table and JSON file is verified against the manifest; pictures must be there with the size that was
    written, and are verified when they are read. Parts that an interrupted run has not written are missing.

    Raises:
        ResultsError: a file is missing, damaged, a link, or of another schema.
    """
    source = ModelFolder.of(folder)
    if "model.json" not in source.files:
        raise ResultsError(
            f"{folder}: the run that writes these results has not finished a layer yet. {WAY_OUT}"
        )
    for kept in source.files.values():
        if kept.file.endswith(".webp") and (fault := kept.fault(hashed=False)):
            raise ResultsError(fault)
    record = source.record("model.json", ModelRecord)
    layers = [layer for layer in record.layers if f"layers/{layer.name}" in source.manifest.parts]
    names = [part.removeprefix("studies/") for part in source.manifest.parts if part.startswith("studies/")]
    concepts = source.table("concepts.parquet", CONCEPTS)
    check_concepts(str(folder / "concepts.parquet"), concepts)
    run = reach(folder, RUN)
    return ModelResults(
        source=source,
        record=record,
        concepts=concepts,
        layers=[_read_layer(source, layer) for layer in layers],
        run=read_object(run) if run.exists() else {},
        handles=_read_handles(source, record),
        studies=[
            _read_study(source, name)
            for name in sorted(names)
            if f"studies/{name}/study.json" in source.files
        ],
        quality=_read_quality(source) if "quality/quality.json" in source.files else None,
    )


def _read_layer(source: ModelFolder, record: LayerRecord) -> LayerResults:
    home = f"layers/{record.name}"
    more = {name: schema for name, schema in LEVEL_TABLES.items() if f"{home}/{name}" in source.files}
    tables = {**LAYER_TABLES, **more}
    frames = {name: source.table(f"{home}/{name}", schema) for name, schema in tables.items()}
    for name, frame in frames.items():
        check_units(str(source.folder / home / name), frame, record.units, _KEYS[name])
    effects = f"{home}/effects/effects.json" in source.files
    return LayerResults(
        record=record,
        folder=source.folder / home,
        units=frames["units.parquet"],
        agreement=frames["agreement.parquet"],
        activations=frames["activations.parquet"],
        similar=frames["similar.parquet"],
        levels=frames.get("levels.parquet"),
        effects=_read_effects(source, f"{home}/effects") if effects else None,
    )


def _read_handles(source: ModelFolder, record: ModelRecord) -> list[HandleResults]:
    """What is measured of units without maps, in forward order: effects of what is no planned layer."""
    named = [f"layers/{entry.get('name')}/effects" for entry in record.network]
    planned = {f"layers/{layer}/effects" for layer in record.planned_layers}
    homes = [home for home in named if home not in planned and f"{home}/effects.json" in source.files]
    return [HandleResults(source.folder / home, _read_effects(source, home)) for home in homes]


def _read_effects(source: ModelFolder, home: str) -> LayerEffects:
    def table(name: str) -> pl.DataFrame:
        return source.table(f"{home}/{name}", EFFECT_TABLES[name])

    def optional(name: str) -> pl.DataFrame | None:
        return table(name) if f"{home}/{name}" in source.files else None

    return LayerEffects(
        record=source.record(f"{home}/effects.json", EffectsRecord),
        effects=table("effects.parquet"),
        units=table("unit_effects.parquet"),
        attribution=optional("attribution.parquet"),
        relations=optional("relations.parquet"),
    )


def _read_quality(source: ModelFolder) -> QualityResults:
    return QualityResults(
        record=source.record("quality/quality.json", QualityRecord),
        table=source.table("quality/quality.parquet", QUALITY),
        folder=source.folder / "quality",
    )


def _read_study(source: ModelFolder, name: str) -> StudyResults:
    home = f"studies/{name}"
    file = f"{home}/study.json"
    kind = source.object(file).get("kind")
    if kind not in STUDY_RECORDS:
        raise ResultsError(f"{source.folder / file}: kind: {kind!r} is none of {', '.join(STUDY_RECORDS)}.")
    try:
        record: StudyRecord = source.record(file, STUDY_RECORDS[kind])
    except ResultsError as error:
        raise ResultsError(
            f"{error} If an earlier unit59 wrote it, `unit59 tell {source.folder.parent}` tells it anew."
        ) from None
    if isinstance(record, ReportRecord):
        # What columns they have is the study's own affair.
        tables = {table: source.table(f"{home}/{table}", {}) for table in record.tables}
        listed = source.files
        for fault in report_faults(record, tables, lambda file: f"{home}/pictures/{file}" in listed):
            raise ResultsError(f"{source.folder / file}: it shows {fault}, which it does not have.")
    else:
        tables = {
            table: source.table(f"{home}/{table}", schema)
            for table, schema in STUDY_TABLES.items()
            if f"{home}/{table}" in source.files
        }
    return StudyResults(record, source.folder / home, tables)
