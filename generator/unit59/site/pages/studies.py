"""The index of studies, and studies as cards: one sentence, one number, one picture."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.results.report import Measured
from unit59.site.pages import finding_words as findings
from unit59.site.pages import models_compared, sets
from unit59.site.site import Entrance, Page, Site
from unit59.site.studies import MODELS_COMPARED, Finding, ModelStudy, ReportStudy, SetStudy
from unit59.site.views import ModelView


@dataclass(frozen=True)
class Picture:
    """The first samples of a study's strip, before and after: columns and rows of one file."""

    file: str
    samples: list[int]
    columns: int
    row: int  # with the edit; 0 where the strip has one row only
    rows: int
    words: str
    tile: int


@dataclass(frozen=True)
class Card:
    """A study as other pages show it."""

    path: str
    title: str
    answer: str
    model: ModelView | None  # None: all of them
    number: Measured | None
    picture: Picture | None


def studies_page(site: Site) -> Page:
    """`studies/`: the models compared, then every set study and report, by model."""
    cards = [*map(report_card, site.studies.reports), *map(set_card, site.set_studies)]
    models = [(model, [card for card in cards if card.model is model]) for model in site.models]
    return Page(
        path="studies",
        title="Studies",
        description="Experiments beyond single units: each a question, what was done, and what came out.",
        template="studies.html",
        nav=Entrance("Studies", 4, always=False),
        context={
            "compared": compared_card(site) if len(site.compared) > 1 else None,
            "models": [(model, shown) for model, shown in models if shown],
        },
    )


def compared_card(site: Site) -> Card:
    """All models side by side, as a card."""
    return Card(MODELS_COMPARED, models_compared.QUESTION, models_compared.answer(site), None, None, None)


def studies_of(site: Site, model: ModelView) -> list[Card]:
    """All studies of one model: findings, reports, sets."""
    return [
        card
        for card in (
            *map(finding_card, site.findings),
            *map(report_card, site.studies.reports),
            *map(set_card, site.set_studies),
        )
        if card.model is model
    ]


def report_card(study: ReportStudy) -> Card:
    """A report as a card."""
    record = study.record
    strip = next((each for each in record.pictures if each.samples), None)
    picture = None
    if strip and strip.rows:
        picture = _picture(study, strip.file, strip.samples, strip.rows, min(1, len(strip.rows) - 1))
    return Card(study.path, record.question, record.answer, study.model, record.number, picture)


def set_card(study: SetStudy) -> Card:
    """A study of unit sets as a card."""
    found = [each for each in study.record.smallest if each.units and each.erasure]
    best = min(found, key=lambda each: len(each.units), default=None)
    number = None
    if best and best.erasure and best.erasure.cases:
        number = Measured(
            words=f"gone with {_units(len(best.units))} off",
            value=best.erasure.rate,
            low=best.erasure.low,
            high=best.erasure.high,
            form="percent",
        )
    strip = next((each for each in study.record.pictures if each.samples and len(each.rows) > 1), None)
    picture = _picture(study, strip.file, strip.samples, strip.rows, 1) if strip else None
    return Card(study.path, sets.question(study), sets.answer(study), study.model, number, picture)


def finding_card(finding: Finding) -> Card:
    """A search for a cause as a card."""
    best, number = finding.best, None
    if best and best.erasure.cases:
        number = Measured(
            words=f"gone with {_units(len(best.tried))} off",
            value=best.erasure.rate,
            low=best.erasure.low,
            high=best.erasure.high,
            form="percent",
        )
    strip = finding.picture_of(best.layer, "off") if best else None
    picture = None
    if strip and strip.samples:
        picture = _picture(finding, strip.file, strip.samples, strip.rows, strip.rows.index("off"))
    return Card(
        finding.path, findings.question(finding), findings.answer(finding), finding.model, number, picture
    )


def _picture(study: ModelStudy, file: str, samples: list[int], rows: list[str], row: int) -> Picture:
    words = rows[0] if row == 0 else f"{rows[0]} · {rows[row]}"
    return Picture(
        file=f"{study.path}/pictures/{file}",
        samples=samples[:2],
        columns=len(samples),
        row=row,
        rows=len(rows),
        words=words,
        tile=study.model.record.tile,
    )


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"
