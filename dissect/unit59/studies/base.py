"""What a study is: settings from the recipe, what it measures of a dissected model, and how that is told.

Never imports torch: what was measured is told without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from unit59.foundation.suggest import nearest
from unit59.results.columns import Schema
from unit59.results.record import Name
from unit59.studies.tables import Report, StudyError, Tables

if TYPE_CHECKING:
    from unit59.edit.workbench import Workbench
    from unit59.networks import Network
    from unit59.samples.cache import SampleCache
    from unit59.studies.dissected import Dissected
    from unit59.studies.part import Cost

__all__ = ["LayersStudy", "Report", "Study", "StudyError", "Tables"]


class Study(BaseModel, ABC):
    """Base of all studies. A subclass's fields are the settings that a recipe may give.

    Attributes:
        version: raised when its numbers change, so that no old report is taken for a new one.
        needs_effects: whether the recipe must ask for `effects:`.
        reads: what it reads of the layers' tables: ``units``, ``effects``; it is stale when these change.
        uses: fields of the recipe that its numbers depend on, besides its own settings, seed and samples:
            ``quantile`` where it asks what units agree with, ``insert_quantile`` where it switches units on.
        schemas: by file name, what the columns of its tables hold (see `unit59.results.columns`); headings,
            tool tips and the files say it. Columns of a table that is not here go by their names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    version: ClassVar[int] = 1
    needs_effects: ClassVar[bool] = False
    reads: ClassVar[frozenset[str]] = frozenset({"units", "effects"})
    uses: ClassVar[frozenset[str]] = frozenset(
        {"quantile", "insert_quantile", "shuffles", "bootstrap", "exemplars"}
    )
    schemas: ClassVar[Mapping[str, Schema]] = {}

    name: Name | None = None
    """The study's folder and address; by default its own name."""

    def of_layers(self, layers: list[str]) -> list[str]:
        """The layers that it measures, in forward order: changes of others leave it as it is. By default all.

        Args:
            layers: the dissected layers.
        """
        return layers

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

    def cost(self, bench: Workbench, layers: list[str]) -> Cost | None:
        """What measuring takes at most; None where nobody can tell beforehand.

        Args:
            bench: of the model; nothing is measured yet.
            layers: the dissected layers.
        """
        return None

    @abstractmethod
    def measure(self, model: Dissected) -> Tables:
        """Measure, and write no prose. The same recipe must give the same bytes."""

    @abstractmethod
    def tell(self, tables: Tables) -> Report:
        """Say what the tables say: pure, without torch, and cheap; it runs anew every time."""


class LayersStudy(Study):
    """Base of studies that a recipe may restrict to some layers."""

    layers: list[str] | Literal["all"] = "all"
    """Which layers."""

    def of_layers(self, layers: list[str]) -> list[str]:
        """See `Study.of_layers`."""
        return [name for name in layers if self.layers == "all" or name in self.layers]

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        for layer in self.layers if self.layers != "all" else []:
            if layer not in layers:
                raise StudyError(
                    f"layers: {layer!r} is none of the dissected layers{nearest(layer, layers)} "
                    f"These are {', '.join(layers)}."
                )
