"""Studies as the pages see them: searches for a cause (findings) and unit sets, with their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dissect.results import SearchRecord, SetsRecord, StudyResults, file_name
from dissect.results.schema import LayerSearch, StudyPicture
from generator.views import ConceptView, ModelView, UnitView, untaken


@dataclass(frozen=True)
class Study:
    """One study of one model, with its place in the site."""

    model: ModelView
    results: StudyResults
    path: str

    @property
    def record(self) -> SearchRecord | SetsRecord:
        """Its study.json."""
        return self.results.record

    @property
    def concept(self) -> ConceptView:
        """What it is about."""
        return self.model.concepts[self.results.record.concept]

    @property
    def pictures(self) -> list[StudyPicture]:
        """Its strips; empty where a study has none."""
        return self.results.record.pictures

    def picture(self, picture: StudyPicture) -> str:
        """Where a strip lies in the site."""
        return f"{self.path}/pictures/{picture.file}"

    def unit(self, layer: str, number: int) -> UnitView | None:
        """A unit that the study names; None where its layer is not in the site."""
        return next((view.by_number.get(number) for view in self.model.layers if view.name == layer), None)

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of one of its tables, those with the given values; none where it has no such table."""
        frame = self.results.tables.get(table)
        return [] if frame is None else frame.filter(**where).to_dicts() if where else frame.to_dicts()


@dataclass(frozen=True)
class Finding(Study):
    """A search for the one unit that causes a concept."""

    @property
    def record(self) -> SearchRecord:
        """Its study.json."""
        assert isinstance(self.results.record, SearchRecord)  # noqa: S101  # see `studies_of`
        return self.results.record

    @cached_property
    def best(self) -> LayerSearch | None:
        """The layer that the verdict is of; for none, the one in which most was erased. None: too rare."""
        found = self.record.layers
        decided = [each for each in found if each.verdict == self.record.verdict]
        return max(decided, key=lambda each: each.erasure.rate, default=None)

    @property
    def ordered(self) -> list[LayerSearch]:
        """All layers, the one that the verdict is of first."""
        return sorted(self.record.layers, key=lambda each: each is not self.best)

    def picture_of(self, layer: str, row: str) -> StudyPicture | None:
        """The first strip of a layer that has a row of this name."""
        return next((each for each in self.pictures if each.layer == layer and row in each.rows), None)


@dataclass(frozen=True)
class SetStudy(Study):
    """What more and more units of one layer do to a concept."""

    @property
    def record(self) -> SetsRecord:
        """Its study.json."""
        assert isinstance(self.results.record, SetsRecord)  # noqa: S101  # see `studies_of`
        return self.results.record


#: Strongest claim first.
STRENGTH = ("sole cause", "one of few", "distributed", "none", "too rare")


def view_studies(models: Iterable[ModelView]) -> tuple[list[Finding], list[SetStudy]]:
    """Give every study its address: findings, strongest claim first, and set studies."""
    findings, sets = [], []
    taken: set[str] = set()
    for model, results in _known(models):
        name = file_name(f"{model.name}-{results.record.name}").lower()
        if isinstance(results.record, SearchRecord):
            findings.append(Finding(model, results, untaken(f"findings/{name}", taken)))
        else:
            sets.append(SetStudy(model, results, untaken(f"studies/{name}", taken)))
    findings.sort(key=lambda each: (STRENGTH.index(each.record.verdict), each.path))
    return findings, sets


def _known(models: Iterable[ModelView]) -> Iterator[tuple[ModelView, StudyResults]]:
    for model in models:
        for results in model.results.studies:
            if results.record.concept in model.concepts:
                yield model, results
