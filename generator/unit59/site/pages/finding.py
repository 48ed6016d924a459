"""A finding: the search for the one unit that causes a concept, from the question to the limits."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.results.rows import AloneRow, CaseRow, RandomSetRow, SpecificityRow, StaircaseRow
from unit59.results.schema import LayerSearch
from unit59.site.charts import (
    Chart,
    ConceptEffect,
    alone_chart,
    cases_chart,
    effects_chart,
    staircase_chart,
)
from unit59.site.pages.claim import claim_view
from unit59.site.pages.concept_handles import concept_handles
from unit59.site.pages.finding_words import answer, done, named, named_unit, question, sentence, units_words
from unit59.site.site import Entrance, Page, Site
from unit59.site.studies import Finding
from unit59.stats.first import EVIDENCE

#: Units in the table of those that leave least when off alone.
STRONGEST = 10


@dataclass(frozen=True)
class InLayer:
    """One layer's search, with its charts and the units that did most alone."""

    search: LayerSearch
    number: int  # in forward order
    place: str  # on the page
    sentence: str
    probed: int  # units that were off alone
    staircase: Chart | None
    alone: Chart | None
    erasures: Chart | None
    insertions: Chart | None
    specificity: Chart | None
    strongest: list[AloneRow]
    erased: list[str]  # below each picture with the units off
    spared: list[str]  # with all but them off
    inserted: list[str]  # with them on


def findings_page(site: Site) -> Page:
    """`findings/`: every search for a cause, strongest claim first."""
    sole = sum(finding.record.verdict == "sole cause" for finding in site.findings)
    return Page(
        path="findings",
        title="Findings",
        description=(
            f"{len(site.findings)} searches for the one unit that causes a concept; "
            f"{sole or 'none'} found one."
        ),
        template="findings.html",
        nav=Entrance("Findings", 1, always=False),
        context={"answers": {finding.path: answer(finding) for finding in site.findings}},
    )


def finding_page(finding: Finding) -> Page:
    """`findings/<model>-<name>/`: is the claim true, and how do we know?"""
    record, claim = finding.record, claim_view(finding)
    return Page(
        path=finding.path,
        title=record.title or question(finding),
        description=f"{finding.model.title}: {answer(finding)}",
        template="finding.html",
        context={
            "finding": finding,
            "record": record,
            "model": finding.model,
            "concept": finding.concept,
            "question": question(finding),
            "answer": answer(finding),
            "done": done(finding),
            "claim": claim,
            "named_words": named_unit(finding, claim) if claim else "",
            "handles": concept_handles(finding.model, finding.concept),
            "layers": [_in_layer(finding, each) for each in finding.ordered],
        },
        keywords=f"{record.label} {record.verdict} {finding.model.title} unit {named(record.causes)}",
        files=finding.files,
    )


def _in_layer(finding: Finding, search: LayerSearch) -> InLayer:
    record, label, layer = finding.record, finding.record.label, search.layer
    alone = finding.rows("alone.parquet", AloneRow, layer=layer)
    cases = finding.rows("cases.parquet", CaseRow, layer=layer)
    chance = finding.rows("random.parquet", RandomSetRow, layer=layer, kind="ablate")
    others = f"{record.random_sets} random sets"
    changed = [
        ConceptEffect.of(finding.model.concepts[row.concept], row)
        for row in finding.rows("specificity.parquet", SpecificityRow, layer=layer)
        if row.concept in finding.model.concepts
    ]
    number = [each.layer for each in record.layers].index(layer) + 1
    return InLayer(
        search=search,
        number=number,
        place=f"layer-{number}",
        probed=len(alone),
        sentence=sentence(search, label),
        staircase=staircase_chart(
            label,
            finding.rows("staircase.parquet", StaircaseRow, layer=layer, kind="ablate"),
            [row.left for row in chance if row.left is not None],
            search,
        ),
        alone=alone_chart(label, alone, search.tried),
        erasures=cases_chart(
            label, "ablate", [case for case in cases if case.kind == "ablate"], record.floor
        ),
        insertions=cases_chart(
            label, "insert", [case for case in cases if case.kind == "insert"], record.floor
        ),
        specificity=effects_chart(
            label=f"What else changes with {units_words(search.tried)} of {layer} off, by concept.",
            caption=(
                "Mean change of each concept’s share of the picture, with 95 % interval; filled where "
                f"{EVIDENCE}. The bars hold 95 % of {others} of as many other units."
            ),
            effects=changed,
            others=others,
        ),
        erased=_below(finding, layer, "off", cases),
        spared=_below(finding, layer, "rest off", cases),
        inserted=_below(finding, layer, "on", cases),
        strongest=sorted(alone, key=lambda row: (row.left, row.unit))[:STRONGEST],
    )


def _below(finding: Finding, layer: str, row: str, cases: list[CaseRow]) -> list[str]:
    """What stands below the pictures of a row; nothing below a sample that was not measured."""
    picture = finding.picture_of(layer, row)
    kind = "insert" if row == "on" else "ablate"
    known = {case.sample: case for case in cases if case.kind == kind}
    return [
        _change(known[sample], spared=row == "rest off") if sample in known else ""
        for sample in (picture.samples if picture else [])
    ]


def _change(case: CaseRow, *, spared: bool) -> str:
    """The concept's share before and after, and what that means; with the others off, or the units edited."""
    after, hit = (case.all_but, case.all_but_hit) if spared else (case.after, case.hit)
    if after is None:
        return ""
    said = ("does not come", "comes") if case.kind == "insert" else ("stays", "gone")
    return f"{case.before * 100:.1f} → {after * 100:.1f}\u202f%, {said[bool(hit)]}"
