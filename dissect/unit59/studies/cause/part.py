"""A search for the single unit that causes a concept, as a part of the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.recipe.sections import EffectsSection, SearchSection
from unit59.results import STUDY_TABLES
from unit59.studies.cause.measure import SHOWN, measure_search
from unit59.studies.cause.search import PROBE, RIVALS
from unit59.studies.cause.staircase import TESTS
from unit59.studies.cause.verdict import few_of
from unit59.studies.dissected import Dissected
from unit59.studies.effects.measure import effect_samples
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables
from unit59.studies.unit_sets import RANDOM_SETS, ladder


@dataclass(frozen=True)
class Shared:
    """What a search takes over from the effects: every unit of these layers off alone.

    Attributes:
        effects: as they are measured.
        layers: of the search.
    """

    effects: EffectsSection
    layers: list[str]

    @property
    def depends_on(self) -> Mapping[str, Any]:
        """Which samples these are of."""
        return {"layers": self.layers, **self.effects.model_dump(include={"samples", "extra", "floor"})}


class SearchPart(Part):
    """One search.

    Args:
        name: of the study.
        section: what is asked; its words (title, claim) are told, not measured.
        layers: to search.
        bench: of the model.
        shared: what it takes over.
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "search"

    def __init__(
        self, name: str, section: SearchSection, layers: list[str], bench: Workbench, shared: Shared | None
    ) -> None:
        self.section, self._layers, self._bench, self._shared = section, layers, bench, shared
        self._study, self.name = name, f"studies/{name}"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        bench, claim = self._bench, self.section.claim
        return {
            "section": self.section.model_dump(mode="json", exclude={"title", "claim", "layers", "name"}),
            "claimed": claim and claim.model_dump(include={"layer", "unit"}),
            "shared": self._shared and self._shared.depends_on,
            "layers": {layer: bench.sweep_key(layer) for layer in self._layers},
            "recipe": bench.measurer.recipe.settings({"seed", "samples", "quantile", "insert_quantile"}),
        }

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        swept: dict[str, list[int]] = {}
        if self._shared:
            swept = dict.fromkeys(self._shared.layers, effect_samples(model.bench, self._shared.effects))
        return measure_search(
            model.bench, self._study, self.section, self._layers, model.seed, model.report, swept
        )

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return STUDY_TABLES

    def cost(self) -> Cost:
        """The most that a search may spend: it stops where the answer is clear."""
        section, samples = self.section, self._bench.cache.samples
        half = in_groups(min(-(-section.samples // 2), samples))
        tails: dict[str, int] = {}
        segmented = 0
        for layer in self._layers:
            units = self._bench.units(layer).count
            probed = units if section.probe == "all" else min(units, section.probe)
            stairs = 2 * (len(ladder(units)) + units.bit_length()) + TESTS
            sets = RIVALS + 3 * few_of(units) + 2 * RANDOM_SETS + 4
            # Asked one by one, edits have the unedited samples go through again.
            asked = 2 * (probed + 1 + stairs + sets) * half
            tails[layer] = asked + 10 * in_groups(SHOWN)  # five rows of pictures, and their originals
            segmented += asked
        return Cost(passes=in_groups(PROBE), tails=tails, segmented=segmented)
