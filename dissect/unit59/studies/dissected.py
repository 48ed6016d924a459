"""A dissected model as parts are measured from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import polars as pl

from unit59.edit.workbench import Workbench
from unit59.foundation.progress import Reporter
from unit59.foundation.random import stream
from unit59.networks import Network
from unit59.results import file_name
from unit59.studies.stored import Stored
from unit59.studies.tables import StudyError


class Dissected:
    """A dissected model as studies see it.

    Args:
        bench: samples, segmentations, sweeps (edits that are counted and kept), agreement.
        layers: the dissected layers, in forward order.
        seed: of the recipe.
        stored: its parts that are in the results.
        report: is told the progress.
        base: the recipe's folder, where files that settings name are found.
        name: of the part that is measured: its random numbers are its own.
        needs: the parts that it may read.
    """

    def __init__(
        self,
        bench: Workbench,
        layers: list[str],
        seed: int,
        stored: Stored,
        report: Reporter,
        base: Path = Path(),
        name: str = "",
        needs: Sequence[str] = (),
    ) -> None:
        self.name, self._stored, self._needs = name, stored, frozenset(needs)
        self.bench, self.layers, self.seed, self.base = bench, layers, seed, base
        self.report = report

    @property
    def network(self) -> Network:
        """The model."""
        return self.bench.cache.sampler.network

    @property
    def concepts(self) -> list[str]:
        """Names of the segmenter's concepts, by number from 1."""
        return [concept.name for concept in self.bench.cache.segmenter.concepts]

    def random(self, number: int, use: str = "") -> np.random.Generator:
        """The study's own random numbers, of the recipe's seed.

        Args:
            number: of the study's choice, from 0.
            use: tells several uses of one study apart.
        """
        return stream(self.seed, f"study {self.name} {use}".strip(), number)

    def step(self, name: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show progress: the block gets a function that takes how much more is done."""
        return self.report.step(name, total, unit)

    def units(self, layer: str) -> pl.DataFrame:
        """The layer's units with their labels and nulls; see `unit59.results.UNITS`.

        Raises:
            StudyError: the study does not say that it reads units.
        """
        return self._frame(f"layers/{file_name(layer)}", "units.parquet", "units")

    def effects(self, layer: str) -> pl.DataFrame | None:
        """The layer's measured single-unit effects; see `unit59.results.EFFECTS`. None where there are none.

        Raises:
            StudyError: the study does not say that it reads effects.
        """
        part = f"layers/{file_name(layer)}/effects"
        return (
            self._frame(part, "effects.parquet", "effects")
            if self._stored.has(part, "effects.parquet")
            else None
        )

    def _frame(self, part: str, name: str, what: str) -> pl.DataFrame:
        if part not in self._needs:
            raise StudyError(f"{self.name} reads {what} of {part} and does not say so in its `reads`.")
        return self._stored.frame(part, name)
