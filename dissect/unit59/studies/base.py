"""What a study is: settings from the recipe, what it measures of a dissected model, and how that is told."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from unit59.edit.material import Material
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import file_name
from unit59.foundation.progress import Reporter
from unit59.networks import Network
from unit59.results.reader import LayerEffects, read_effects, read_units
from unit59.results.record import Name
from unit59.results.report import Measured, ReportSection
from unit59.samples.cache import SampleCache
from unit59.studies.tables import Report, Tables


class StudyError(Unit59Error):
    """A study that does not exist, has a wrong setting, or cannot be made of this model."""


@dataclass(frozen=True)
class Whole:
    """Tables and report in one, of a study that is not yet cut in two.

    Attributes:
        question: the page's title.
        answer: one or two sentences, with the number that carries them and its interval.
        method: what was done, a paragraph each.
        sections: the evidence.
        limits: what it does not show, a sentence each.
        number: the one that carries the answer.
        tables: by file name (``scores.parquet``).
        pictures: encoded WebP by file name; see `unit59.studies.effects.strips.picture_rows`.
    """

    question: str
    answer: str
    method: list[str]
    sections: list[ReportSection]
    limits: list[str]
    number: Measured | None = None
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)


class Dissected:
    """A dissected model as studies see it.

    Args:
        material: samples, segmentations, benches (edits that are counted and kept), agreement.
        layers: the dissected layers, in forward order.
        seed: of the recipe.
        folder: its results; layers' effects are read from there.
        report: is told the progress.
        base: the recipe's folder, where files that settings name are found.
    """

    def __init__(
        self,
        material: Material,
        layers: list[str],
        seed: int,
        folder: Path,
        report: Reporter,
        base: Path = Path(),
    ) -> None:
        self.material, self.layers, self.seed, self.base = material, layers, seed, base
        self._folder, self._report = folder, report
        self.effects = lru_cache(maxsize=None)(self._effects)

    @property
    def network(self) -> Network:
        """The model."""
        return self.material.cache.sampler.network

    @property
    def concepts(self) -> list[str]:
        """Names of the segmenter's concepts, by number from 1."""
        return [concept.name for concept in self.material.cache.segmenter.concepts]

    def random(self, number: int) -> np.random.Generator:
        """The study's random numbers: of the recipe's seed and a number of the study's choice below 2^32."""
        return np.random.Generator(
            np.random.Philox(key=np.array([self.seed % 2**64, 2**62 + number], np.uint64))
        )

    def step(self, name: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show progress: the block gets a function that takes how much more is done."""
        return self._report.step(name, total, unit)

    def units(self, layer: str) -> pl.DataFrame:
        """The layer's units with their labels and nulls; see `unit59.results.UNITS`."""
        return read_units(self._folder, file_name(layer))

    def _effects(self, layer: str) -> LayerEffects | None:
        """The layer's measured single-unit effects; None where the recipe asks for none."""
        return read_effects(self._folder, file_name(layer))


class Study(BaseModel, ABC):
    """Base of all studies. A subclass's fields are the settings that a recipe may give.

    Attributes:
        version: raised when its numbers change, so that no old report is taken for a new one.
        needs_effects: whether the recipe must ask for `effects:`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    version: ClassVar[int] = 1
    needs_effects: ClassVar[bool] = False

    name: Name | None = None
    """The study's folder and address; by default its own name."""

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """Refuse, before anything is computed, what cannot be done; by default nothing is refused.

        Args:
            network: the model.
            layers: the dissected layers.
            concepts: names of the segmenter's concepts.

        Raises:
            StudyError: says what is wrong and the way out.
        """

    def check_samples(self, cache: SampleCache, base: Path) -> None:
        """Refuse, before anything is computed, what cannot be done of these samples; by default nothing is.

        Args:
            cache: of the samples, not filled yet: what they are made of (inputs) and how many there are.
            base: the recipe's folder.

        Raises:
            StudyError: says what is wrong and the way out.
        """

    def files(self, base: Path) -> list[Path]:
        """Files that settings name and the study reads; when one changes, the study is made anew.

        Args:
            base: the recipe's folder.

        Raises:
            StudyError: there is no such file.
        """
        return []

    def measure(self, model: Dissected) -> Tables:
        """Measure, and write no prose. The same recipe must give the same bytes."""
        raise NotImplementedError

    def tell(self, tables: Tables) -> Report:
        """Say what the tables say: pure, without torch, and cheap; it runs anew every time."""
        raise NotImplementedError
