"""Studies as the pages see them: searches for a cause (findings) and unit sets, with their addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from unit59.results import ReportRecord, SearchRecord, SetsRecord, StudyResults
from unit59.results.report import ReportPicture
from unit59.results.rows import rows
from unit59.results.schema import STRENGTH, LayerSearch, StudyPicture
from unit59.site.addresses import distinct, place
from unit59.site.content import Published
from unit59.site.views import ConceptView, ModelView, UnitView

_R = TypeVar("_R")


@dataclass(frozen=True)
class ModelStudy:
    """One study of one model, with its place in the site."""

    model: ModelView
    results: StudyResults
    path: str

    @property
    def pictures(self) -> Sequence[StudyPicture | ReportPicture]:
        """Its strips; empty where a study has none."""
        return self.results.record.pictures

    def picture(self, picture: StudyPicture | ReportPicture) -> str:
        """Where a strip lies in the site."""
        return f"{self.path}/pictures/{picture.file}"

    @property
    def files(self) -> list[Published]:
        """What its page publishes beside itself."""
        names = [(name, self.results.folder / name) for name in ("study.json", *self.results.tables)]
        strips = [(f"pictures/{each.file}", self.results.picture(each.file)) for each in self.pictures]
        return self.model.published(self.path, [*names, *strips])

    def unit(self, layer: str, number: int) -> UnitView | None:
        """A unit that the study names; None where its layer is not in the site."""
        return next((view.by_number.get(number) for view in self.model.layers if view.name == layer), None)

    def rows(self, table: str, record: type[_R], /, **where: str) -> list[_R]:
        """Rows of one of its tables, those with the given values; none where it has no such table."""
        frame = self.results.tables.get(table)
        if frame is None:
            return []
        return list(rows(frame.filter(**where) if where else frame, record))


@dataclass(frozen=True)
class ConceptStudy(ModelStudy):
    """A study of one concept."""

    @property
    def record(self) -> SearchRecord | SetsRecord:
        """Its study.json."""
        assert not isinstance(self.results.record, ReportRecord)  # noqa: S101  # see `view_studies`
        return self.results.record

    @property
    def concept(self) -> ConceptView:
        """What it is about."""
        return self.model.concepts[self.record.concept]

    @property
    def pictures(self) -> Sequence[StudyPicture]:
        """Its strips; empty where a study has none."""
        return self.record.pictures


@dataclass(frozen=True)
class ReportStudy(ModelStudy):
    """A study that says itself what its page shows."""

    @property
    def record(self) -> ReportRecord:
        """Its study.json."""
        assert isinstance(self.results.record, ReportRecord)  # noqa: S101  # see `view_studies`
        return self.results.record

    @property
    def kind(self) -> str:
        """Which study it is: `noise`; of a user's own `package.module:Outlines` it is `outlines`."""
        return self.record.study.rpartition(":")[2].lower()


@dataclass(frozen=True)
class Finding(ConceptStudy):
    """A search for the one unit that causes a concept."""

    @property
    def record(self) -> SearchRecord:
        """Its study.json."""
        assert isinstance(self.results.record, SearchRecord)  # noqa: S101  # see `studies_of`
        return self.results.record

    @property
    def best(self) -> LayerSearch | None:
        """The layer that the verdict is of. None: too rare."""
        return next((each for each in self.record.layers if each.layer == self.record.layer), None)

    @property
    def ordered(self) -> list[LayerSearch]:
        """All layers, the one that the verdict is of first."""
        return sorted(self.record.layers, key=lambda each: each is not self.best)

    def picture_of(self, layer: str, row: str) -> StudyPicture | None:
        """The first strip of a layer that has a row of this name."""
        return next((each for each in self.pictures if each.layer == layer and row in each.rows), None)


@dataclass(frozen=True)
class SetStudy(ConceptStudy):
    """What more and more units of one layer do to a concept."""

    @property
    def record(self) -> SetsRecord:
        """Its study.json."""
        assert isinstance(self.results.record, SetsRecord)  # noqa: S101  # see `studies_of`
        return self.results.record


#: Where all models stand side by side: no study of one model has this address.
MODELS_COMPARED = "studies/models-compared"


@dataclass(frozen=True)
class Studies:
    """All studies of all models, each with its address."""

    findings: list[Finding]  # strongest claim first
    sets: list[SetStudy]
    reports: list[ReportStudy]


def view_studies(models: Iterable[ModelView]) -> Studies:
    """Give every study its address."""
    found = Studies([], [], [])
    given = [(model, results) for model in models for results in model.results.studies]
    wanted = {(model.name, results.record.name): _wanted(model, results) for model, results in given}
    paths = distinct(wanted, [MODELS_COMPARED])
    for model, results in given:
        record, path = results.record, paths[model.name, results.record.name]
        if isinstance(record, ReportRecord):
            found.reports.append(ReportStudy(model, results, path))
        elif record.concept not in model.concepts:
            continue
        elif isinstance(record, SearchRecord):
            found.findings.append(Finding(model, results, path))
        else:
            found.sets.append(SetStudy(model, results, path))
    found.findings.sort(key=lambda each: (STRENGTH.index(each.record.verdict), each.path))
    return found


def _wanted(model: ModelView, results: StudyResults) -> str:
    """`findings/<model>-<study>` or `studies/<model>-<study>`."""
    kind = "findings" if isinstance(results.record, SearchRecord) else "studies"
    return f"{kind}/{place(f'{model.name}-{results.record.name}'.lower())}"
