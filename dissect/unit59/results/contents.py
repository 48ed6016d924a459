"""What reading results gives: records with their tables, and where the pictures lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from unit59.results.manifest import KeptFile
from unit59.results.quality import QualityRecord
from unit59.results.schema import EffectsRecord, LayerRecord, ModelRecord, StudyRecord
from unit59.results.source import ModelFolder
from unit59.results.tables import picture_name


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
    folder: Path

    @property
    def picture(self) -> Path:
        """Where a sheet of real pictures lies."""
        return self.folder / "pictures" / "real.webp"


@dataclass(frozen=True)
class LayerResults:
    """One layer's tables, as polars frames with the columns of this module's schemas."""

    record: LayerRecord
    folder: Path
    units: pl.DataFrame
    agreement: pl.DataFrame
    activations: pl.DataFrame
    similar: pl.DataFrame
    levels: pl.DataFrame | None = None  # None: thresholds are not chosen by IQR
    effects: LayerEffects | None = None  # None: not measured (yet)

    def picture(self, unit: int, kind: str) -> Path:
        """Where a unit's strip lies, if it has one; for the kinds see `STRIPS`."""
        home = self.folder / "effects" if kind == "effect" else self.folder
        return home / "pictures" / picture_name(unit, kind)


@dataclass(frozen=True)
class HandleResults:
    """Units without maps, of one layer under one handle: what single ones do, and nothing else."""

    folder: Path
    effects: LayerEffects


@dataclass(frozen=True)
class ModelResults:
    """One model's results."""

    source: ModelFolder
    record: ModelRecord
    concepts: pl.DataFrame
    layers: list[LayerResults]
    run: dict[str, Any]
    handles: list[HandleResults] = field(default_factory=list)
    studies: list[StudyResults] = field(default_factory=list)
    quality: QualityResults | None = None  # None: the recipe names no real pictures, or not measured yet

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.source.folder

    def has(self, path: Path) -> bool:
        """Whether the manifest lists a file that lies there."""
        return self.source.has(path)

    def kept(self, path: Path) -> KeptFile:
        """The file that lies there, to be verified and copied.

        Raises:
            ResultsError: the manifest lists no such file.
        """
        return self.source.kept(path)

    @property
    def missing_layers(self) -> list[str]:
        """Layers that the recipe asks for and an interrupted run has not written."""
        done = {layer.record.name for layer in self.layers}
        return [name for name in self.record.planned_layers if name not in done]
