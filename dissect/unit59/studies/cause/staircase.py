"""What is left of a concept as the units of an order go off one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from unit59.studies.cause.answers import Answer
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.cause.reduction import minimise, shortest_prefix
from unit59.studies.cause.verdict import ERASES
from unit59.studies.unit_sets import ladder

#: Tests that delta debugging may spend.
TESTS = 64
#: At least so many units of the order, without the cause, have to leave the concept where it is.
REST = 16


class Staircase:
    """Units of one order off, as many as is asked, on the searching samples.

    Args:
        subject: the concept at a layer.
        name: of the order.
        order: all units, the first to go first.
    """

    def __init__(self, subject: ConceptAtLayer, name: str, order: Sequence[int]) -> None:
        self.subject, self.name, self.order = subject, name, list(order)
        self.steps: dict[int, Answer] = {}

    def at(self, size: int) -> Answer:
        """With the first `size` units off."""
        if size not in self.steps:
            self.steps[size] = self.subject.off(self.order[:size], self.subject.cases.search)
        return self.steps[size]

    @cached_property
    def shortest(self) -> int | None:
        """The length of the shortest prefix that erases, or None; the whole ladder is asked for the chart."""
        sizes = ladder(len(self.order))
        for size in sizes:
            self.at(size)
        return shortest_prefix(self.order, sizes, lambda units: self.at(len(units)).rate >= ERASES)

    def minimal(self) -> tuple[list[int], bool]:
        """A smallest erasing subset of that prefix, and whether it was minimised to the end."""
        if not self.shortest:
            return [], True

        def erases(units: Sequence[int]) -> bool:
            return self.subject.erases(units, self.subject.cases.search, ERASES)

        return minimise(self.order[: self.shortest], erases, TESTS)

    def rest(self, tried: Sequence[int]) -> list[int]:
        """The units that come first in the order without those that are tried: the erasing prefix or more."""
        first = self.order[: max(self.shortest or 0, REST)]
        return [unit for unit in first if unit not in tried]

    def jump(self) -> dict[str, Any]:
        """Where the concept goes, for the record."""
        size = self.shortest
        if not size:
            return dict.fromkeys(("order", "prefix", "jump_unit", "jump_from", "jump_to"))
        return {
            "order": self.name,
            "prefix": size,
            "jump_unit": self.order[size - 1],
            "jump_from": self.at(size - 1).left if size > 1 else 1.0,
            "jump_to": self.at(size).left,
        }
