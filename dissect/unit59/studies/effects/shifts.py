"""The effects of units without maps, such as styles: each set to its mean, shifted down, shifted up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from unit59.edit.edits import Edit
from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.handles import Units
from unit59.recipe.sections import EffectsSection
from unit59.results import EFFECT_TABLES, UNIT_EFFECTS, file_name
from unit59.results.schema import Ranking
from unit59.studies.dissected import Dissected
from unit59.studies.effects.measure import effect_samples, effects_record
from unit59.studies.effects.units import Kind, edit_of, measure_effects
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables


class ShiftsPart(Part):
    """What all units of one layer under one handle do; nothing ranks them, and they have no strips.

    Args:
        section: what to measure.
        units: which.
        bench: of the model.
    """

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "effects"

    def __init__(self, section: EffectsSection, units: Units, bench: Workbench) -> None:
        self._section, self._units, self._bench = section, units, bench
        self.name = f"layers/{file_name(units.name)}/effects"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        exclude = {"layers", "units", "low_ranked", "ablate"}
        return {
            "section": self._section.model_dump(mode="json", exclude=exclude),
            "units": self._units.name,
            "beside": self._units.beside,
            "sweep": self._bench.sweep_key(self._units.name),
            **self._bench.measurer.recipe.model_dump(include={"samples"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        section, name, count = self._section, self._units.name, self._units.count
        numbers = effect_samples(model.bench, section)
        fixed = min(section.samples, len(numbers))
        wanted: dict[Kind, list[int]] = {kind: list(range(count)) for kind in section.edits}
        with model.step(f"{name}: effects", len(wanted) * count * len(numbers), "edits") as advance:
            found = measure_effects(
                model.bench, name, wanted, numbers, fixed, section.floor, self._edit, advance
            )
        ranking = Ranking(by="nothing", units=count, measured=count, low_ranked=[], checks=[])
        record = effects_record(self._units, section, found, numbers, ranking)
        pictures = {name: pl.lit(None, UNIT_EFFECTS[name]) for name in ("samples", "sample_effects")}
        return Tables(
            {"effects.parquet": found.table, "unit_effects.parquet": found.units.with_columns(**pictures)},
            record.model_dump(mode="json"),
        )

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return EFFECT_TABLES

    def cost(self) -> Cost:
        """Every unit by each edit, on all samples; the unedited ones once an edit and once for themselves."""
        section, samples = self._section, self._bench.cache.samples
        edits = len(section.edits) * (self._units.count + 1) + 1
        tails = edits * in_groups(min(section.samples + section.extra, samples))
        return Cost(tails={self._units.name: tails}, segmented=tails)

    def _edit(self, kind: Kind, unit: int) -> Edit:
        return edit_of(kind, unit, shift=self._section.shift)
