"""What a study is: settings from the recipe, what it measures of a dissected model, and how that is told.

Never imports torch: what was measured is told without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from unit59.results.record import Name
from unit59.studies.tables import Report, StudyError, Tables

if TYPE_CHECKING:
    from unit59.edit.workbench import Workbench
    from unit59.networks import Network
    from unit59.samples.cache import SampleCache
    from unit59.studies.dissected import Dissected
    from unit59.studies.part import Cost

__all__ = ["Report", "Study", "StudyError", "Tables"]


class Study(BaseModel, ABC):
    """Base of all studies. A subclass's fields are the settings that a recipe may give.

    Attributes:
        version: raised when its numbers change, so that no old report is taken for a new one.
        needs_effects: whether the recipe must ask for `effects:`.
        reads: what it reads of the layers' tables: ``units``, ``effects``; it is stale when these change.
        uses: fields of the recipe that its numbers depend on, besides its own settings, seed and samples.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    version: ClassVar[int] = 1
    needs_effects: ClassVar[bool] = False
    reads: ClassVar[frozenset[str]] = frozenset({"units", "effects"})
    uses: ClassVar[frozenset[str]] = frozenset({"shuffles", "bootstrap", "exemplars"})

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
