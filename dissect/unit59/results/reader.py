"""Reading results, and saying what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import polars as pl
from pydantic import ValidationError

from unit59.results.files import file_name, picture_name, sha256_of
from unit59.results.quality import QUALITY, QualityRecord
from unit59.results.record import SCHEMA_VERSION, Record
from unit59.results.report import ReportRecord, report_faults
from unit59.results.schema import (
    CONCEPTS,
    EFFECT_TABLES,
    LAYER_TABLES,
    STUDY_RECORDS,
    STUDY_TABLES,
    EffectsRecord,
    FileEntry,
    LayerRecord,
    Manifest,
    ModelRecord,
    ResultsError,
    StudyRecord,
)

_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True)
class LayerEffects:
    """What single units of a layer do, measured by switching them off and on."""

    record: EffectsRecord
    effects: pl.DataFrame
    units: pl.DataFrame
    attribution: pl.DataFrame | None  # None: the segmenter has no differentiable scores
    relations: pl.DataFrame | None = None  # None: not written


@dataclass(frozen=True)
class StudyResults:
    """One study: its record, its tables by file name, its pictures."""

    record: StudyRecord
    folder: Path
    tables: dict[str, pl.DataFrame]

    def picture(self, file: str) -> Path:
        """Where a picture lies, by the name that the record gives it."""
        return self.folder / "pictures" / file


@dataclass(frozen=True)
class QualityResults:
    """A model's samples beside real pictures."""

    record: QualityRecord
    table: pl.DataFrame
    picture: Path  # a sheet of real pictures


@dataclass(frozen=True)
class LayerResults:
    """One layer's tables, as polars frames with the columns of this module's schemas."""

    record: LayerRecord
    folder: Path
    units: pl.DataFrame
    agreement: pl.DataFrame
    activations: pl.DataFrame
    similar: pl.DataFrame
    effects: LayerEffects | None = None  # None: not measured (yet)

    def picture(self, unit: int, kind: str) -> Path:
        """Where a unit's strip lies; kind is exemplars, ablated, inserted, or effect (if it has one)."""
        return self.folder / "pictures" / picture_name(unit, kind)


@dataclass(frozen=True)
class ModelResults:
    """One model's results."""

    record: ModelRecord
    folder: Path
    concepts: pl.DataFrame
    layers: list[LayerResults]
    run: dict[str, Any]
    studies: list[StudyResults] = field(default_factory=list)
    quality: QualityResults | None = None  # None: the recipe names no real pictures, or not measured yet

    @property
    def missing_layers(self) -> list[str]:
        """Layers that the recipe asks for and an interrupted run has not written."""
        done = {layer.record.name for layer in self.layers}
        return [name for name in self.record.planned_layers if name not in done]


def read_results(root: Path) -> list[ModelResults]:
    """Read every model of a results folder, by name.

    Raises:
        ResultsError: no results there, or a file is missing, damaged or of a newer schema.
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
    folders = sorted(path.parent for path in root.glob("*/manifest.json"))
    if not folders:
        raise ResultsError(f"{root}: no results in this folder. Write some with `unit59 dissect RECIPE`.")
    return folders


def read_model(folder: Path) -> ModelResults:
    """Read one model's folder; every table and JSON file is checked against the manifest.

    Raises:
        ResultsError: a file is missing, damaged or of a newer schema.
    """
    for fault in find_faults(folder, hash_pictures=False):
        raise ResultsError(fault)
    record = read_record(folder / "model.json", ModelRecord)
    parts = read_record(folder / "manifest.json", Manifest).parts
    layers = []
    for layer in record.layers:
        home = folder / "layers" / file_name(layer.name)
        frames = {name: _read_table(home / name, schema) for name, schema in LAYER_TABLES.items()}
        layers.append(
            LayerResults(
                record=layer,
                folder=home,
                units=frames["units.parquet"],
                agreement=frames["agreement.parquet"],
                activations=frames["activations.parquet"],
                similar=frames["similar.parquet"],
                effects=read_effects(home) if f"layers/{home.name}/effects" in parts else None,
            )
        )
    concepts = _read_table(folder / "concepts.parquet", CONCEPTS)
    run = _read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    studies = [_read_study(folder / part) for part in sorted(parts) if part.startswith("studies/")]
    quality = _read_quality(folder) if "quality" in parts else None
    return ModelResults(record, folder, concepts, layers, run, studies, quality)


def _read_quality(folder: Path) -> QualityResults:
    return QualityResults(
        read_record(folder / "quality.json", QualityRecord),
        _read_table(folder / "quality.parquet", QUALITY),
        folder / "pictures" / "real.webp",
    )


def read_units(home: Path) -> pl.DataFrame:
    """A layer's units (see `UNITS`), from its folder.

    Raises:
        ResultsError: missing or damaged.
    """
    return _read_table(home / "units.parquet", LAYER_TABLES["units.parquet"])


def read_effects(home: Path) -> LayerEffects:
    """A layer's effects, from its folder.

    Raises:
        ResultsError: missing or damaged.
    """

    def table(name: str) -> pl.DataFrame:
        return _read_table(home / name, EFFECT_TABLES[name])

    def optional(name: str) -> pl.DataFrame | None:
        return table(name) if (home / name).exists() else None

    return LayerEffects(
        record=read_record(home / "effects.json", EffectsRecord),
        effects=table("effects.parquet"),
        units=table("unit_effects.parquet"),
        attribution=optional("attribution.parquet"),
        relations=optional("relations.parquet"),
    )


def _read_study(folder: Path) -> StudyResults:
    path = folder / "study.json"
    kind = _read_json(path).get("kind")
    if kind not in STUDY_RECORDS:
        raise ResultsError(f"{path}: kind: {kind!r} is none of {', '.join(STUDY_RECORDS)}.")
    record: StudyRecord = read_record(path, STUDY_RECORDS[kind])
    if isinstance(record, ReportRecord):
        # What columns they have is the study's own affair.
        tables = {name: _read_table(folder / name, {}) for name in record.tables}
        for fault in report_faults(record, tables, lambda file: (folder / "pictures" / file).is_file()):
            raise ResultsError(f"{path}: it shows {fault}, which it does not have.")
    else:
        tables = {
            name: _read_table(folder / name, schema)
            for name, schema in STUDY_TABLES.items()
            if (folder / name).exists()
        }
    return StudyResults(record, folder, tables)


def find_faults(folder: Path, *, hash_pictures: bool = True) -> Iterator[str]:
    """Say what is wrong with one model's results, a message a fault; nothing when all is well.

    Args:
        folder: `results/<model>`.
        hash_pictures: also hash the pictures; otherwise only their presence and size is checked.
    """
    try:
        manifest = read_record(folder / "manifest.json", Manifest)
    except ResultsError as error:
        yield str(error)
        return
    way_out = "Run `unit59 dissect` with this model's recipe again: it rewrites what is missing or damaged."
    if "model" not in manifest.parts:
        yield f"{folder}: the run that writes these results has not finished a layer yet. {way_out}"
    for part in manifest.parts.values():
        for name, entry in part.files.items():
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                yield f"{folder / 'manifest.json'}: {name!r} points outside the results folder."
                continue
            fault = file_fault(folder / name, entry, hashed=hash_pictures or not name.endswith(".webp"))
            if fault:
                yield f"{folder / name}: {fault}. {way_out}"


def file_fault(path: Path, entry: FileEntry, *, hashed: bool = True) -> str | None:
    """What is wrong with one file, or None."""
    try:
        size = path.stat().st_size
        if size != entry.bytes:
            return f"the file has {size} bytes, {entry.bytes} were written"
        if hashed and sha256_of(path) != entry.sha256:
            return "the file's content is not what was written (sha256 differs)"
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    return None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"{path}: the file is missing.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ResultsError(f"{path}: not readable as JSON ({error}).") from None
    if not isinstance(content, dict):
        raise ResultsError(f"{path}: expected a JSON object.")
    return content


def read_record(path: Path, kind: type[_R]) -> _R:
    """Read and validate one JSON file.

    Raises:
        ResultsError: missing, not JSON, not of this kind, or of a newer schema.
    """
    content = _read_json(path)
    version = content.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path}: written with results schema {version}, this unit59 reads up to {SCHEMA_VERSION}. "
            "Update it: `pip install --upgrade unit59`."
        )
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ResultsError(f"{path}: {place}: {first['msg']}.") from None


def _read_table(path: Path, schema: Mapping[str, Any]) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResultsError(f"{path}: not readable as Parquet ({error}).") from None
    wrong = [name for name, kind in schema.items() if table.schema.get(name) != kind]
    if wrong:
        raise ResultsError(
            f"{path}: column {wrong[0]!r} is missing or has another type than {schema[wrong[0]]}."
        )
    return table.select(list(schema)) if schema else table
