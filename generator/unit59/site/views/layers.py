"""Layers as the pages see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import polars as pl

from unit59.results import LAYER_TABLES, LEVEL_TABLES, LayerRecord, LayerResults
from unit59.results.rows import AgreementRow, LevelRow, UnitRow, rows
from unit59.site.addresses import place
from unit59.site.content import Published
from unit59.site.views.concepts import ConceptView
from unit59.site.views.effects import LayerEffectsView
from unit59.site.views.units import ConceptAgreement, UnitView

if TYPE_CHECKING:  # a model has its layers
    from unit59.site.views.models import ModelView


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
    def effects(self) -> LayerEffectsView | None:
        """What its units do; None where that was not measured."""
        return LayerEffectsView(self, self.results.effects) if self.results.effects else None

    @property
    def files(self) -> list[Published]:
        """The tables that its page publishes beside itself."""
        home, effects = self.results.folder, self.effects.files if self.effects else []
        own = LAYER_TABLES if self.results.levels is None else {**LAYER_TABLES, **LEVEL_TABLES}
        files = [(name, home / name) for name in own]
        files += [(name, home / "effects" / name) for name in effects]
        return self.model.published(self.path, files)

    def best_first(self) -> list[UnitView]:
        """Its units: those above the null first, then by IoU."""
        order = {"above": 0, "chance": 1, "below": 2, "none": 3}
        return sorted(self.units, key=lambda unit: (order[unit.verdict], -unit.iou, unit.number))

    def agreements(self) -> Iterator[tuple[int, list[ConceptAgreement]]]:
        """For every unit its agreement with each concept, best first."""
        table = self.results.agreement.sort("unit", "iou", descending=[False, True], nulls_last=True)
        for unit, found in groupby(rows(table, AgreementRow), key=attrgetter("unit")):
            yield unit, list(self._agreements(found))

    def best_agreement(self, concept: ConceptView) -> tuple[UnitView, ConceptAgreement] | None:
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
                return unit, replace(found, null=null, null_99=null_99, agrees=unit.row.agrees)
            return unit, found
        return None

    @cached_property
    def _levels(self) -> dict[tuple[int, int], LevelRow]:
        """By unit and concept the threshold, where each pair has one of its own."""
        table = self.results.levels
        return {} if table is None else {(row.unit, row.concept): row for row in rows(table, LevelRow)}

    def _agreements(self, found: Iterable[AgreementRow]) -> Iterator[ConceptAgreement]:
        for row in found:
            concept = self.model.concepts.get(row.concept)
            if concept is not None:
                yield ConceptAgreement(
                    concept,
                    iou=row.iou or 0.0,
                    low=row.iou_low or 0.0,
                    high=row.iou_high or 0.0,
                    null=row.null_iou or 0.0,
                    null_99=row.null_99 or 0.0,
                    agrees=row.agrees,
                    iqr=row.iqr or 0.0,
                    intersection=row.intersection or 0,
                    union=row.union or 0,
                    level=self._levels.get((row.unit, row.concept)),
                )
