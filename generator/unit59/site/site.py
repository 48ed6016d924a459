"""What pages are made of: a page, and the site that all of them share. Pure: nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from unit59.results import ModelResults
from unit59.results.tables import STRIPS
from unit59.site.content import Published
from unit59.site.studies import Finding, SetStudy, Studies, view_studies
from unit59.site.views import ConceptAgreement, ConceptView, LayerView, ModelView, UnitView, view_models


@dataclass(frozen=True)
class Entrance:
    """A page's place in the navigation.

    Attributes:
        title: as the navigation names it.
        order: entrances stand in this order.
        always: every site has it. The others are added to a navigation that its writer could not foresee.
    """

    title: str
    order: int
    always: bool = True


@dataclass(frozen=True)
class Page:
    """One page: where it is, what it is called, and what its template needs.

    Attributes:
        path: address below the site's root, without slashes at its ends; empty for the home page.
        title: plain text, not escaped.
        description: one plain sentence, for search engines and previews.
        template: name of the template in site_templates/.
        context: the template's variables.
        keywords: plain text that search should also find it by.
        own_template: name of a template that goes before `template` where there is one.
        files: what it publishes beside itself: (path in the site, content).
        nav: its place in the navigation; None for a page that others lead to.
        shell: pages with one shell differ in title, description and body only; empty where there is no other.
    """

    path: str
    title: str
    description: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    keywords: str = ""
    own_template: str = ""
    files: Sequence[Published] = ()
    nav: Entrance | None = None
    shell: str = ""

    @property
    def source(self) -> str:
        """The Markdown file it is written as; `index.md`, so that links hold whatever the URL style."""
        return f"{self.path}/index.md" if self.path else "index.md"


@dataclass(frozen=True)
class Site:
    """Everything that the pages are made of."""

    models: list[ModelView]
    strips: tuple[str, ...] = STRIPS

    @classmethod
    def of(
        cls, results: Iterable[ModelResults], layers: Iterable[str] = (), strips: Iterable[str] = STRIPS
    ) -> Site:
        """The site of these results, of the layers of these names (all), with these kinds of pictures."""
        return cls(view_models(results, layers), tuple(strips))

    @cached_property
    def concepts(self) -> list[ConceptView]:
        """All concepts of all models, by plane and label."""
        found = {view.slug: view for model in self.models for view in model.concepts.values()}
        return sorted(found.values(), key=lambda view: (view.plane, view.label.lower()))

    @cached_property
    def scale(self) -> float:
        """Right end of every IoU scale in the site, so that bars compare from page to page."""
        tops = [layer.results.units["iou_high"].max() for model in self.models for layer in model.layers]
        highest = max((float(str(top)) for top in tops if top is not None), default=0.0)
        return max(0.1, min(1.0, round(highest + 0.025, 2)))

    @cached_property
    def studies(self) -> Studies:
        """All studies: findings, sets, reports."""
        return view_studies(self.models)

    @property
    def findings(self) -> list[Finding]:
        """All searches for a cause, strongest claim first."""
        return self.studies.findings

    @property
    def set_studies(self) -> list[SetStudy]:
        """All studies of unit sets."""
        return self.studies.sets

    @property
    def has_studies(self) -> bool:
        """Whether there is anything for the index of studies."""
        return bool(self.set_studies or self.studies.reports or len(self.compared) > 1)

    @cached_property
    def compared(self) -> list[ModelView]:
        """The models that have units to compare."""
        return [model for model in self.models if model.units]

    @cached_property
    def layers(self) -> list[LayerView]:
        """All layers of all models, in forward order."""
        return [layer for model in self.models for layer in model.layers]

    @cached_property
    def _best(self) -> dict[tuple[str, str], tuple[UnitView, ConceptAgreement]]:
        best: dict[tuple[str, str], tuple[UnitView, ConceptAgreement]] = {}
        for layer in self.layers:
            for concept in {view.slug: view for view in layer.model.concepts.values()}.values():
                found = layer.best_agreement(concept)
                key = layer.model.name, concept.slug
                if found and (key not in best or _rank(found[1]) > _rank(best[key][1])):
                    best[key] = found
        return best

    def best_unit(self, model: ModelView, concept: ConceptView) -> tuple[UnitView, ConceptAgreement] | None:
        """The model's unit that agrees best with the concept: above the null first, then by IoU."""
        return self._best.get((model.name, concept.slug))


def _rank(agreement: ConceptAgreement) -> tuple[bool, float]:
    return agreement.agrees, agreement.iou
