"""Studies as parts of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from unit59.edit.workbench import Workbench
from unit59.foundation.files import file_name, sha256_of
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost, Part
from unit59.studies.registry import NamedStudy
from unit59.studies.tables import Tables

#: What a study may read of a layer -> how the part's name goes on after the layer's.
_READ = {"units": "", "effects": "/effects"}


class StudyPart(Part):
    """One study that a recipe names.

    Args:
        asked: the study with its settings.
        base: the recipe's folder.
        bench: of the model.
        others: names of the parts before it.
    """

    kind: ClassVar[str] = "report"

    def __init__(self, asked: NamedStudy, base: Path, bench: Workbench, others: Sequence[str]) -> None:
        self.asked, self._base, self._bench = asked, base, bench
        self.name = f"studies/{asked.name}"
        with asked.calls():
            self._layers = asked.study.of_layers(bench.cache.layers)
        ends = [end for what, end in _READ.items() if what in asked.study.reads]
        read = {f"layers/{file_name(layer)}{end}" for layer in self._layers for end in ends}
        self.needs = tuple(name for name in others if name in read)

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        study, bench = self.asked.study, self._bench
        with self.asked.calls():
            files = [(path.name, sha256_of(path)) for path in study.files(self._base)]
        return {
            "kind": self.asked.kind,
            "code": self.asked.code,
            "study": study.version,
            "settings": study.model_dump(mode="json"),
            "files": files,
            "labels": bench.labels_key,
            "layers": {layer: bench.sweep_key(layer) for layer in self._layers},
            "recipe": bench.measurer.recipe.settings({"seed", "samples", *study.uses}),
        }

    def cost(self) -> Cost | None:
        """See `Part.cost`."""
        with self.asked.calls():
            return self.asked.study.cost(self._bench, self._bench.cache.layers)

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`; the facts say which study it is, for who tells it."""
        tables = self.asked.measure(model)
        settings = self.asked.study.model_dump(mode="json", exclude={"name"})
        facts = {
            "study": self.asked.kind,
            "name": self.asked.name,
            "settings": settings,
            "facts": tables.facts,
        }
        return Tables(tables.frames, facts, tables.pictures)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`; what the study says of its columns goes first."""
        return {**super().schemas(tables), **self.asked.study.schemas}
