"""Unit sets as a part of the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unit59.edit.workbench import Workbench
from unit59.recipe.sections import SetsSection
from unit59.results import STUDY_TABLES
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost, Part
from unit59.studies.sets.measure import measure_sets
from unit59.studies.tables import Tables


class SetsPart(Part):
    """What more and more units of one layer do to a concept.

    Args:
        name: of the study.
        section: what is asked.
        bench: of the model.
    """

    version: ClassVar[int] = 1

    def __init__(self, name: str, section: SetsSection, bench: Workbench) -> None:
        self.section, self._bench = section, bench
        self._study, self.name = name, f"studies/{name}"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        bench = self._bench
        return {
            "section": self.section.model_dump(mode="json", exclude={"name"}),
            "labels": bench.labels_key,
            "levels": bench.levels_key(self.section.layer),
            "recipe": bench.measurer.recipe.model_dump(include={"seed", "samples"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        return measure_sets(model.bench, self._study, self.section, model.seed, model.report)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return STUDY_TABLES

    def cost(self) -> Cost:
        """Every unit alone on the searching half, and some fifteen set sizes in twenty-odd orders."""
        units, half = self._bench.units(self.section.layer), self.section.samples // 2
        return Cost(
            tails={units.layer.name: units.count * half + 23 * 15 * (half + self.section.samples // 2)}
        )
