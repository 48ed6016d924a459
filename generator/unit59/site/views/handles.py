"""Units without maps as the pages see them: what they do, and the channels that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from unit59.results import HandleResults
from unit59.site.addresses import place
from unit59.site.content import Published
from unit59.site.views.effects import EffectsView

if TYPE_CHECKING:  # a model has its handles
    from unit59.site.views.models import ModelView


@dataclass(frozen=True)
class HandleView:
    """The units of one layer under one handle."""

    model: ModelView
    results: HandleResults

    @property
    def name(self) -> str:
        """What they are called."""
        return self.results.effects.record.layer

    @property
    def title(self) -> str:
        """What a unit is, in a word: `style`."""
        return self.results.effects.record.handle

    @property
    def beside(self) -> str | None:
        """The layer to whose channels they belong, unit k to channel k."""
        return self.results.effects.record.beside

    @property
    def path(self) -> str:
        """Their page."""
        return f"{self.model.path}/{place(self.name)}"

    @cached_property
    def effects(self) -> EffectsView:
        """What they do."""
        return EffectsView(self.model, self.results.effects)

    @property
    def files(self) -> list[Published]:
        """The tables that their page publishes beside itself."""
        files = [(name, self.results.folder / name) for name in self.effects.files]
        return self.model.published(self.path, files)
