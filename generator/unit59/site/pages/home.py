"""The home page: what was found, in which models, how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from unit59.site.pages.finding_words import answer
from unit59.site.site import Entrance, Page, Site
from unit59.site.views import ConceptAgreement, ConceptView, UnitView

MOST_CARDS = 6


@dataclass(frozen=True)
class Find:
    """The unit that agrees best with a concept, over all models."""

    concept: ConceptView
    unit: UnitView
    agreement: ConceptAgreement


def home_page(site: Site) -> Page:
    """`/`: the clearest finds as cards, then the models."""
    finds = clearest_finds(site)
    return Page(
        path="",
        title="What was found in these generators?",
        description=_description(site),
        template="home.html",
        nav=Entrance("Home", 0),
        context={
            "finds": finds[:MOST_CARDS],
            "more_finds": len(finds) - MOST_CARDS,
            "findings": site.findings[:MOST_CARDS],
            "answers": {finding.path: answer(finding) for finding in site.findings[:MOST_CARDS]},
        },
    )


def clearest_finds(site: Site) -> list[Find]:
    """The best unit of every concept that has one above the null; planes take turns, best first."""
    by_plane: dict[str, list[Find]] = {}
    for concept in site.concepts:
        found = [best for model in site.models if (best := site.best_unit(model, concept))]
        above = [(agreement.iou, unit, agreement) for unit, agreement in found if agreement.agrees]
        if above:
            _, unit, agreement = max(above, key=lambda entry: entry[0])
            by_plane.setdefault(concept.plane, []).append(Find(concept, unit, agreement))
    for finds in by_plane.values():
        finds.sort(key=lambda find: -find.agreement.iou)
    planes = sorted(by_plane.values(), key=lambda finds: -finds[0].agreement.iou)
    return [find for turn in zip_longest(*planes) for find in turn if find is not None]


def _description(site: Site) -> str:
    units = sum(model.units for model in site.models)
    above = sum(model.above_null for model in site.models)
    names = ", ".join(model.title for model in site.models[:3])
    return f"{units} units of {names} dissected; {above} agree with a concept better than chance."
