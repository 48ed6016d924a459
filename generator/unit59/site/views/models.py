"""Models as the pages see them, with their layers and concepts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from unit59.results import ModelRecord, ModelResults
from unit59.results.rows import ConceptRow, rows
from unit59.site.addresses import place
from unit59.site.content import Published
from unit59.site.views.concepts import ConceptView, shared_concepts
from unit59.site.views.handles import HandleView
from unit59.site.views.layers import LayerView


@dataclass(frozen=True)
class ModelView:
    """One dissected model; `concepts` goes by the numbers of its own segmenter."""

    results: ModelResults
    concepts: dict[int, ConceptView]
    layers: list[LayerView] = field(default_factory=list)
    handles: list[HandleView] = field(default_factory=list)

    @property
    def record(self) -> ModelRecord:
        """Its model.json."""
        return self.results.record

    @property
    def name(self) -> str:
        """Its name, which is also its folder's."""
        return self.results.record.name

    @property
    def title(self) -> str:
        """Its name as people say it."""
        return self.results.record.title

    @property
    def path(self) -> str:
        """Its page."""
        return f"models/{place(self.name)}"

    @property
    def sheet(self) -> str | None:
        """Where its sheet of samples lies in the site; None without one."""
        return f"{self.path}/samples.webp" if self.results.has(self.sheet_file) else None

    @property
    def sheet_file(self) -> Path:
        """Its sheet of samples among the results."""
        return self.results.folder / "pictures" / "samples.webp"

    @property
    def files(self) -> list[Published]:
        """What its page publishes beside itself."""
        home = self.results.folder
        names = [(name, home / name) for name in ("model.json", "concepts.parquet")]
        sheet = [("samples.webp", self.sheet_file)] if self.sheet else []
        return [*self.published(self.path, [*sheet, *names]), (f"{self.path}/recipe.yaml", self._recipe)]

    @property
    def _recipe(self) -> bytes:
        return self.record.recipe.encode()

    @property
    def units(self) -> int:
        """How many units were dissected."""
        return sum(layer.record.units for layer in self.layers)

    @property
    def interpretable(self) -> int:
        """How many units reach the cut."""
        return sum(layer.record.interpretable for layer in self.layers)

    @property
    def above_null(self) -> int:
        """How many of those are above their null."""
        return sum(layer.record.above_null for layer in self.layers)

    @property
    def null_interpretable(self) -> float:
        """How many units reach the cut with other samples' masks, on average."""
        return sum(layer.record.null.interpretable for layer in self.layers)

    def published(self, place: str, files: Iterable[tuple[str, Path]]) -> list[Published]:
        """Files of its results as the site publishes them, below `place`: (name there, where it lies)."""
        return [(f"{place}/{name}", self.results.kept(path)) for name, path in files]

    def concept(self, number: int | None) -> ConceptView | None:
        """The concept of a number of its segmenter; None where it has none."""
        return None if number is None else self.concepts.get(number)

    def presence(self) -> dict[int, tuple[float, float]]:
        """By concept number: its share of the pixels, the share of samples that show it."""
        return {
            row.concept: (row.share or 0.0, row.presence or 0.0)
            for row in rows(self.results.concepts, ConceptRow)
        }


def view_models(results: Iterable[ModelResults], layers: Iterable[str] = ()) -> list[ModelView]:
    """Give every model, layer and concept its address.

    Args:
        results: what was dissected.
        layers: names of the layers to show; empty shows all.
    """
    results = list(results)
    wanted = set(layers)
    concepts = shared_concepts(results)
    models = []
    for model in results:
        numbered = {row.concept: concepts[row.plane, row.label] for row in rows(model.concepts, ConceptRow)}
        view = ModelView(model, numbered)
        view.layers.extend(
            LayerView(view, layer)
            for layer in sorted(model.layers, key=lambda layer: layer.record.number)
            if not wanted or layer.record.name in wanted
        )
        handles = [HandleView(view, each) for each in model.handles]
        view.handles.extend(each for each in handles if not wanted or {each.name, each.beside} & wanted)
        models.append(view)
    return models
