"""Results as the pages see them: models, layers, units and concepts that know their address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby, zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Literal

import polars as pl

from unit59.results import (
    INTERPRETABLE_IOU,
    LAYER_TABLES,
    LayerRecord,
    LayerResults,
    ModelRecord,
    ModelResults,
)
from unit59.results.rows import AgreementRow, ConceptRow, UnitRow, rows
from unit59.site.addresses import distinct, place, slug
from unit59.site.content import Published
from unit59.site.effects import EffectsView, Summary

#: What the numbers say about a unit's label, from best to nothing at all.
Verdict = Literal["above", "chance", "below", "none"]

#: Colours for concepts whose segmenter gave none that can be used.
SPARE_COLOURS = ("#3b7ea1", "#b0643c", "#5b8c5a", "#8a6bb1", "#b8963e", "#4f9d9d", "#a8506b", "#6b7280")


@dataclass(frozen=True)
class ConceptView:
    """A concept, the same over all models: it has one page and one colour."""

    label: str
    plane: str
    colour: str
    slug: str

    @property
    def path(self) -> str:
        """Its page."""
        return f"concepts/{self.slug}"


@dataclass(frozen=True)
class Agreement:
    """How well one unit agrees with one concept (a row of agreement.parquet)."""

    concept: ConceptView
    iou: float
    low: float
    high: float
    null: float
    null_99: float
    iqr: float
    intersection: int
    union: int

    @property
    def above(self) -> bool:
        """Above the cut and above what other samples' masks give."""
        return self.iou >= INTERPRETABLE_IOU and self.iou > self.null_99


@dataclass(frozen=True)
class UnitView:
    """One unit: a row of units.parquet, with its place in the site."""

    layer: LayerView
    row: UnitRow

    @property
    def number(self) -> int:
        """Its channel, from 0."""
        return int(self.row.unit)

    @property
    def path(self) -> str:
        """Its page."""
        return f"{self.layer.path}/{self.number}"

    @property
    def concept(self) -> ConceptView | None:
        """The concept of its label; None where no concept overlaps."""
        return self.layer.model.concept(self.row.concept)

    @property
    def verdict(self) -> Verdict:
        """What its IoU is worth beside the cut and the null."""
        if self.concept is None or not self.row.iou:
            return "none"
        if not self.row.interpretable:
            return "below"
        return "above" if self.row.above_null else "chance"

    @property
    def iou(self) -> float:
        """IoU with its label; 0 without one."""
        return float(self.row.iou or 0.0)

    @property
    def over_null(self) -> float:
        """IoU over the mean best IoU with other samples' masks; 0 without a label."""
        null = self.row.null_iou
        return self.iou / null if null else 0.0

    @property
    def ablated_change(self) -> float | None:
        """Mean absolute change of its exemplars when it is off, in levels of 255."""
        return mean(self.row.ablated_change)

    @property
    def inserted_change(self) -> float | None:
        """Mean absolute change of the pictures it is inserted into, in levels of 255."""
        return mean(self.row.inserted_change)

    @property
    def off(self) -> Summary | None:
        """What switching it off does most; None where that was not measured."""
        return self.layer.effects.summary(self.number) if self.layer.effects else None

    @property
    def on(self) -> Summary | None:
        """What switching it on does most; None where that was not measured."""
        return self.layer.effects.summary(self.number, "insert") if self.layer.effects else None

    def has_strip(self, kind: str) -> bool:
        """Whether there is a strip of pictures of this kind."""
        if kind == "effect":
            return bool(self.off and self.off.row.samples)
        return bool(self.row.inserted if kind == "inserted" else self.row.exemplars)

    def strip(self, kind: str) -> str:
        """Where its strip of pictures lies in the site."""
        return f"{self.layer.path}/pictures/{self.number:04d}-{kind}.webp"


@dataclass(frozen=True)
class LayerView:
    """One dissected layer."""

    model: ModelView
    results: LayerResults

    @property
    def record(self) -> LayerRecord:
        """Its record in model.json."""
        return self.results.record

    @property
    def name(self) -> str:
        """Its name."""
        return self.results.record.name

    @property
    def path(self) -> str:
        """Its page."""
        return f"{self.model.path}/{place(self.name)}"

    @cached_property
    def units(self) -> list[UnitView]:
        """Its units in channel order."""
        return [UnitView(self, row) for row in rows(self.results.units.sort("unit"), UnitRow)]

    @cached_property
    def by_number(self) -> dict[int, UnitView]:
        """Its units by channel."""
        return {unit.number: unit for unit in self.units}

    @cached_property
    def effects(self) -> EffectsView | None:
        """What its units do; None where that was not measured."""
        return EffectsView(self, self.results.effects) if self.results.effects else None

    @property
    def files(self) -> list[Published]:
        """The tables that its page publishes beside itself."""
        home, effects = self.results.folder, self.effects.files if self.effects else []
        files = [(name, home / name) for name in LAYER_TABLES]
        files += [(name, home / "effects" / name) for name in effects]
        return self.model.published(self.path, files)

    def best_first(self) -> list[UnitView]:
        """Its units: those above the null first, then by IoU."""
        order = {"above": 0, "chance": 1, "below": 2, "none": 3}
        return sorted(self.units, key=lambda unit: (order[unit.verdict], -unit.iou, unit.number))

    def agreements(self) -> Iterator[tuple[int, list[Agreement]]]:
        """For every unit its agreement with each concept, best first."""
        table = self.results.agreement.sort("unit", "iou", descending=[False, True], nulls_last=True)
        for unit, found in groupby(rows(table, AgreementRow), key=attrgetter("unit")):
            yield unit, list(self._agreements(found))

    def best_agreement(self, concept: ConceptView) -> tuple[UnitView, Agreement] | None:
        """The unit that agrees best with a concept, and how well.

        Where the concept is the unit's label, the null is the label's: the best IoU over all concepts.
        """
        table = self.results.agreement.filter(
            pl.col("label") == concept.label, pl.col("plane") == concept.plane, pl.col("iou") > 0
        )
        top = table.sort("iou", descending=True, nulls_last=True).head(1)
        for found in self._agreements(rows(top, AgreementRow)):
            unit = self.by_number.get(top["unit"][0])
            if unit is None:
                return None
            if unit.concept == concept:
                null, null_99 = unit.row.null_iou or 0.0, unit.row.null_99 or 0.0
                return unit, replace(found, null=null, null_99=null_99)
            return unit, found
        return None

    def _agreements(self, found: Iterable[AgreementRow]) -> Iterator[Agreement]:
        for row in found:
            concept = self.model.concepts.get(row.concept)
            if concept is not None:
                yield Agreement(
                    concept,
                    iou=row.iou or 0.0,
                    low=row.iou_low or 0.0,
                    high=row.iou_high or 0.0,
                    null=row.null_iou or 0.0,
                    null_99=row.null_99 or 0.0,
                    iqr=row.iqr or 0.0,
                    intersection=row.intersection or 0,
                    union=row.union or 0,
                )


@dataclass(frozen=True)
class ModelView:
    """One dissected model; `concepts` goes by the numbers of its own segmenter."""

    results: ModelResults
    concepts: dict[int, ConceptView]
    layers: list[LayerView] = field(default_factory=list)

    @property
    def record(self) -> ModelRecord:
        """Its model.json."""
        return self.results.record

    @property
    def name(self) -> str:
        """Its name, which is also its folder's."""
        return self.results.record.name

    @property
    def title(self) -> str:
        """Its name as people say it."""
        return self.results.record.title

    @property
    def path(self) -> str:
        """Its page."""
        return f"models/{place(self.name)}"

    @property
    def sheet(self) -> str | None:
        """Where its sheet of samples lies in the site; None without one."""
        return f"{self.path}/samples.webp" if self.results.has(self.sheet_file) else None

    @property
    def sheet_file(self) -> Path:
        """Its sheet of samples among the results."""
        return self.results.folder / "pictures" / "samples.webp"

    @property
    def files(self) -> list[Published]:
        """What its page publishes beside itself."""
        home = self.results.folder
        names = [(name, home / name) for name in ("model.json", "concepts.parquet")]
        sheet = [("samples.webp", self.sheet_file)] if self.sheet else []
        return [*self.published(self.path, [*sheet, *names]), (f"{self.path}/recipe.yaml", self._recipe)]

    @property
    def _recipe(self) -> bytes:
        return self.record.recipe.encode()

    @property
    def units(self) -> int:
        """How many units were dissected."""
        return sum(layer.record.units for layer in self.layers)

    @property
    def interpretable(self) -> int:
        """How many units reach the cut."""
        return sum(layer.record.interpretable for layer in self.layers)

    @property
    def above_null(self) -> int:
        """How many of those are above their null."""
        return sum(layer.record.above_null for layer in self.layers)

    @property
    def null_interpretable(self) -> float:
        """How many units reach the cut with other samples' masks, on average."""
        return sum(layer.record.null.interpretable for layer in self.layers)

    def published(self, place: str, files: Iterable[tuple[str, Path]]) -> list[Published]:
        """Files of its results as the site publishes them, below `place`: (name there, where it lies)."""
        return [(f"{place}/{name}", self.results.kept(path)) for name, path in files]

    def concept(self, number: int | None) -> ConceptView | None:
        """The concept of a number of its segmenter; None where it has none."""
        return None if number is None else self.concepts.get(number)

    def presence(self) -> dict[int, tuple[float, float]]:
        """By concept number: its share of the pixels, the share of samples that show it."""
        return {
            row.concept: (row.share or 0.0, row.presence or 0.0)
            for row in rows(self.results.concepts, ConceptRow)
        }


def view_models(results: Iterable[ModelResults], layers: Iterable[str] = ()) -> list[ModelView]:
    """Give every model, layer and concept its address.

    Args:
        results: what was dissected.
        layers: names of the layers to show; empty shows all.
    """
    results = list(results)
    wanted = set(layers)
    concepts = _shared_concepts(results)
    models = []
    for model in results:
        numbered = {row.concept: concepts[row.plane, row.label] for row in rows(model.concepts, ConceptRow)}
        view = ModelView(model, numbered)
        view.layers.extend(
            LayerView(view, layer)
            for layer in sorted(model.layers, key=lambda layer: layer.record.number)
            if not wanted or layer.record.name in wanted
        )
        models.append(view)
    return models


def _shared_concepts(results: list[ModelResults]) -> dict[tuple[str, str], ConceptView]:
    """One view for each (plane, label), with a slug that no other has."""
    colours: dict[tuple[str, str], str] = {}
    for model in results:
        for row in rows(model.concepts.sort("concept"), ConceptRow):
            colours.setdefault((row.plane, row.label), row.colour or "")
    slugs = distinct({(plane, label): slug(label) for plane, label in colours})
    return {
        (plane, label): ConceptView(label, plane, _usable(colour, number), slugs[plane, label])
        for number, ((plane, label), colour) in enumerate(colours.items())
    }


def _usable(colour: str, number: int) -> str:
    """The colour if it is `#rrggbb` (it ends up in style attributes), else a spare one."""
    return colour if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) else SPARE_COLOURS[number % len(SPARE_COLOURS)]


def take_turns(units: Iterable[UnitView]) -> list[UnitView]:
    """The units with their labels' planes taking turns, so that no plane crowds out the others."""
    by_plane: dict[str, list[UnitView]] = {}
    for unit in units:
        by_plane.setdefault(unit.row.plane or "", []).append(unit)
    return [unit for turn in zip_longest(*by_plane.values()) for unit in turn if unit is not None]


def mean(values: list[float] | None) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None
