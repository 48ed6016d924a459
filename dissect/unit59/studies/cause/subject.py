"""One concept at one layer: what is left of it when units go off, and whether it comes when they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.edit.tail import groups
from unit59.foundation.random import stream
from unit59.stats.intervals import Mean, mean_interval, wilson
from unit59.stats.rates import Floor, rates_of

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Cases:
    """Which samples serve a concept; of those that show it the first half is searched on, the other confirms.

    Attributes:
        shown: samples that show the concept.
        absent: samples that lack it.
    """

    shown: list[int]
    absent: list[int]

    @property
    def search(self) -> list[int]:
        """Samples on which units and sets are looked for."""
        return self.shown[: len(self.shown) // 2]

    @property
    def confirm(self) -> list[int]:
        """Samples that were not looked at before what was found is measured on them."""
        return self.shown[len(self.shown) // 2 :]


@dataclass(frozen=True)
class Answer:
    """What one edit did to the concept in n samples.

    Attributes:
        before: [n], pixels.
        after: [n], pixels.
        pixels: of the grid.
        side: [n], mean absolute change outside the concept's region, 0..255.
        hits: samples in which the concept was erased, or for an insertion came.
        cases: samples in which it could be.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    pixels: int
    side: Numbers
    hits: int
    cases: int

    @property
    def rate(self) -> float:
        """Hits over cases; 0 without cases."""
        return self.hits / self.cases if self.cases else 0.0

    @property
    def rate_interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the rate."""
        _, low, high = wilson(np.array([self.hits]), np.array([self.cases]))
        return float(low[0]), float(high[0])

    @property
    def left(self) -> float:
        """The concept's area after the edit over its area before, all samples together."""
        return float(self.after.sum() / max(self.before.sum(), 1))

    @cached_property
    def effect(self) -> Mean:
        """Paired difference of the concept's share."""
        return mean_interval((self.after - self.before) / self.pixels)


class Subject:
    """Asks a bench about one concept.

    Args:
        bench: of the layer.
        concept: its number.
        floor: share of the grid from which on a sample shows it.
        cases: samples that show it or lack it.
    """

    def __init__(self, bench: Sweep, concept: int, floor: float, cases: Cases) -> None:
        self.bench, self.concept, self.cases = bench, concept, cases
        height, width = bench.cache.grid
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
        plain = self.bench.plain(numbers)
        rows = np.ones(len(numbers), np.bool_) if taken is None else np.array(taken, np.bool_)
        before = plain.counts[rows, self.concept - 1]
        answers = []
        for block, outcome in self.bench.areas(edits, numbers, advance):
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


def find_cases(counts: NDArray[Any], concept: int, limit: Floor, most: int) -> Cases:
    """The first samples that show a concept, and the first that lack it.

    Args:
        counts: [N,C] pixels of every concept in all samples.
        concept: its number.
        limit: when it is shown and when absent.
        most: at most so many that show it, and half as many that lack it.
    """
    area = counts[:, concept - 1]
    shown, absent = np.flatnonzero(limit.shows(area)), np.flatnonzero(limit.lacks(area))
    return Cases(shown[:most].tolist(), absent[: most // 2].tolist())


def ladder(largest: int) -> list[int]:
    """Set sizes from 1 to `largest`, closer at the small end (1, 2, 3, 4, 6, 8, 12, 16, 24, …)."""
    sizes, step = [1], 2
    while step <= largest:
        sizes += [step, step + step // 2]
        step *= 2
    return sorted({size for size in sizes if size < largest} | {largest})


def random_sets(pool: Sequence[int], size: int, count: int, seed: int) -> list[list[int]]:
    """`count` random sets of `size` units of the pool (all of it, where it is smaller); each is sorted."""
    generator = stream(seed, "random sets of units", size)
    return [sorted(int(unit) for unit in generator.permutation(pool)[:size]) for _ in range(count)]


def random_orders(units: int, count: int, seed: int) -> list[list[int]]:
    """`count` random orders of a layer's units."""
    generator = stream(seed, "orders of units")
    return [[int(unit) for unit in generator.permutation(units)] for _ in range(count)]
