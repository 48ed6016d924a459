"""Unit sets as a part of the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.recipe.sections import SetsSection
from unit59.results import STUDY_TABLES
from unit59.samples.shards import GROUP
from unit59.studies.cause.measure import SHOWN
from unit59.studies.cause.staircase import TESTS
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost, Part
from unit59.studies.sets.measure import measure_sets
from unit59.studies.tables import Tables
from unit59.studies.unit_sets import RANDOM_SETS, ladder


class SetsPart(Part):
    """What more and more units of one layer do to a concept.

    Args:
        name: of the study.
        section: what is asked.
        bench: of the model.
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "sets"

    def __init__(self, name: str, section: SetsSection, bench: Workbench) -> None:
        self.section, self._bench = section, bench
        self._study, self.name = name, f"studies/{name}"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        bench = self._bench
        return {
            "section": self.section.model_dump(mode="json", exclude={"name"}),
            "edits": bench.sweep_key(self.section.layer),
            "recipe": bench.measurer.recipe.settings({"seed", "samples", "quantile", "insert_quantile"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        return measure_sets(model.bench, self._study, self.section, model.seed, model.report)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return STUDY_TABLES

    def cost(self) -> Cost:
        """Every unit alone, sets along all orders, the smallest set along three; and the steps of ACE."""
        section, units = self.section, self._bench.units(self.section.layer).count
        half = in_groups(min(-(-section.samples // 2), self._bench.cache.samples))
        lines = 2 * (3 + RANDOM_SETS) * (len(ladder(min(section.largest, units))) + 2)
        smallest = 2 * 3 * (len(ladder(units)) + units.bit_length() + TESTS + 1)
        asked = (units + 2 + lines + smallest) * half
        ace = 2 * (section.steps * GROUP + half)
        return Cost(tails={section.layer: asked + ace + 2 * in_groups(SHOWN)}, segmented=asked + ace)
