"""One concept at one layer: what is left of it when units go off, and whether it comes when they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from unit59.edit.edits import Edit
from unit59.edit.regions import concept_number
from unit59.edit.sweep import Sweep
from unit59.edit.tail import groups
from unit59.edit.workbench import Workbench
from unit59.recipe.sections import SearchSection, SetsSection
from unit59.stats.rates import ABSENT, Floor, rates_of
from unit59.studies.cause.answers import Answer, Cases, find_cases
from unit59.studies.cause.verdict import ERASES

#: A search needs so many samples that show the concept, half of them to confirm.
ENOUGH = 16


class ConceptAtLayer:
    """Asks a sweep about one concept.

    Args:
        sweep: of the layer.
        concept: its number.
        floor: share of the grid from which on a sample shows it.
        cases: samples that show it or lack it.
    """

    def __init__(self, sweep: Sweep, concept: int, floor: float, cases: Cases) -> None:
        self.sweep, self.concept, self.cases = sweep, concept, cases
        height, width = sweep.cache.grid
        self.limit = Floor(floor, height * width)

    def off(self, units: Iterable[int], numbers: Sequence[int]) -> Answer:
        """What is left with the units off."""
        return self.ask(Edit.ablate(units), numbers)

    def on(self, units: Iterable[int], numbers: Sequence[int]) -> Answer:
        """What comes with the units on."""
        return self.ask(Edit.insert(units), numbers)

    def ask(self, edit: Edit, numbers: Sequence[int]) -> Answer:
        """Any edit."""
        return self.ask_many([edit], numbers)[0]

    def ask_many(
        self,
        edits: Sequence[Edit],
        numbers: Sequence[int],
        advance: Callable[[int], None] | None = None,
        taken: Sequence[bool] | None = None,
    ) -> list[Answer]:
        """Many edits on the same samples.

        Args:
            edits: each is carried out on every sample.
            numbers: the samples.
            advance: is told how many (edit, sample) pairs are done.
            taken: for each sample whether the answer is of it; by default of all.
        """
        plain = self.sweep.plain(numbers)
        rows = np.ones(len(numbers), np.bool_) if taken is None else np.array(taken, np.bool_)
        before = plain.counts[rows, self.concept - 1]
        answers = []
        for block, outcome in self.sweep.areas(edits, numbers, advance):
            for row, edit in enumerate(edits[block]):
                after = outcome.counts[row, rows, self.concept - 1]
                rates = rates_of(before, after, self.limit, axis=0)
                came = edit.do == "insert"
                answers.append(
                    Answer(
                        before,
                        after,
                        plain.pixels,
                        outcome.side[row, rows, self.concept - 1],
                        int(rates.inserted if came else rates.erased),
                        int(rates.absent if came else rates.shown),
                    )
                )
        return answers

    def erases(self, units: Sequence[int], numbers: Sequence[int], least: float) -> bool:
        """Whether the concept goes in at least this share of samples that show it.

        Samples are tried group by group, until the others cannot change the answer.
        """
        hits, left = 0, len(numbers)
        for group, count in groups(numbers):
            hits += self.off(units, group[:count]).hits
            left -= count
            if hits / len(numbers) >= least or (hits + left) / len(numbers) < least:
                break
        return hits / len(numbers) >= least


class SearchedConcept:
    """A section's concept, and the samples that serve it.

    Args:
        bench: of the model.
        section: names the concept, and from which area on it counts as shown.

    Attributes:
        facts: what records say of the concept and of its samples.
    """

    def __init__(self, bench: Workbench, section: SearchSection | SetsSection) -> None:
        height, width = bench.cache.grid
        segmenter = bench.cache.segmenter
        self.number = concept_number(segmenter, section.concept)
        self.limit = Floor(section.floor, height * width)
        self.cases: Cases = find_cases(bench.counts, self.number, self.limit, section.samples)
        self.facts: dict[str, Any] = {
            "concept": self.number,
            "label": section.concept,
            "plane": segmenter.concepts[self.number - 1].plane,
            "floor": section.floor,
            "absent": section.floor * ABSENT,
            "search": self.cases.search,
            "confirm": self.cases.confirm,
            "lacking": self.cases.absent,
            "shown_by": int(self.limit.shows(bench.counts[:, self.number - 1]).sum()),
            "samples": bench.cache.samples,
            "erases": ERASES,
        }

    @property
    def too_rare(self) -> bool:
        """Whether too few samples show it to say anything."""
        return len(self.cases.shown) < ENOUGH

    def at(self, bench: Workbench, layer: str) -> ConceptAtLayer:
        """The concept at a layer."""
        return ConceptAtLayer(bench.sweep(layer), self.number, self.limit.share, self.cases)
