"""A finding: the search for the one unit that causes a concept, from the question to the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dissect.results.schema import LayerSearch, Rate
from generator.charts import (
    Chart,
    ConceptEffect,
    alone_chart,
    cases_chart,
    effects_chart,
    staircase_chart,
)
from generator.site import Page, Site
from generator.studies import Finding

#: Units in the table of those that leave least when off alone.
STRONGEST = 10


@dataclass(frozen=True)
class InLayer:
    """One layer's search, with its charts and the units that did most alone."""

    search: LayerSearch
    sentence: str
    staircase: Chart | None
    alone: Chart | None
    erasures: Chart | None
    insertions: Chart | None
    specificity: Chart | None
    strongest: list[dict[str, Any]]
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
        context={"answers": {finding.path: answer(finding) for finding in site.findings}},
    )


def finding_page(finding: Finding) -> Page:
    """`findings/<model>-<name>/`: is the claim true, and how do we know?"""
    record = finding.record
    return Page(
        path=finding.path,
        title=question(finding),
        description=f"{finding.model.title}: {answer(finding)}",
        template="finding.html",
        context={
            "finding": finding,
            "record": record,
            "model": finding.model,
            "concept": finding.concept,
            "answer": answer(finding),
            "layers": [_in_layer(finding, each) for each in finding.ordered],
        },
        keywords=f"{record.label} {record.verdict} {finding.model.title} unit {named(record.causes)}",
    )


def question(finding: Finding) -> str:
    """The claim, as the question that the page answers."""
    layers = finding.record.layers
    where = f" of {layers[0].layer}" if len(layers) == 1 else ""
    return f"Is one unit{where} the only cause of {finding.record.label}?"


def answer(finding: Finding) -> str:
    """The verdict in a sentence, with the number that carries it."""
    record, best = finding.record, finding.best
    if best is None:
        return (
            f"Too rare to say: {record.shown_by} of {record.samples} samples show {record.label}, "
            "too few to search on one half and confirm on the other."
        )
    return sentence(best, record.label)


def sentence(search: LayerSearch, label: str) -> str:
    """One layer's verdict in a sentence, with the numbers that carry it."""
    units, gone = f"{_units(search.tried)} of {search.layer}", rate_words(search.erasure)
    off = f"with {'it' if len(search.tried) == 1 else 'all of them'} off, {label} goes in {gone}"
    if search.verdict == "sole cause":
        spared = f"; with it on and {len(search.rest)} others off, in {rate_words(search.all_but)}"
        return f"Yes: {units} is the only cause that was found: {off}{spared if search.all_but else ''}."
    if search.verdict == "one of few":
        few = f"a few do: {units}" if len(search.tried) > 1 else f"{units} is one of few"
        return f"No single one, but {few}; {off}."
    if search.verdict == "distributed":
        return (
            f"No: it is spread over many units; with {len(search.tried)} of them off, {label} goes in {gone}."
        )
    return f"None was found by the rules below. What came nearest, {units}: {off}{_why_none(search)}."


def _why_none(search: LayerSearch) -> str:
    failed = {rule.name: rule for rule in search.rules if not rule.met}
    if "erases" in failed:
        return f", and a cause has to erase in {failed['erases'].bound:.0%} or more"
    if "beyond chance" in failed:
        return f", but {failed['beyond chance'].value:.0%} of random sets of as many units do half as well"
    return ""


def rate_words(rate: Rate | None) -> str:
    """`14 of 16 samples (88 %, 95 % interval 64 to 97)`."""
    if rate is None or not rate.cases:
        return "no sample, as there is none to try"
    share = f"{rate.rate * 100:.0f}\u202f%, 95\u202f% interval {rate.low * 100:.0f} to {rate.high * 100:.0f}"
    return f"{rate.hits} of {rate.cases} samples ({share})"


def named(units: Sequence[int], most: int = 8) -> str:
    """`63, 111 and 140`; of many the first, and how many more."""
    shown = [str(unit) for unit in units[:most]]
    if len(units) > most:
        return f"{', '.join(shown)} and {len(units) - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _units(units: Sequence[int]) -> str:
    return f"unit{'s' if len(units) != 1 else ''} {named(units)}"


def _in_layer(finding: Finding, search: LayerSearch) -> InLayer:
    record, label, layer = finding.record, finding.record.label, search.layer
    alone = finding.rows("alone.parquet", layer=layer)
    cases = finding.rows("cases.parquet", layer=layer)
    chance = finding.rows("random.parquet", layer=layer, kind="ablate")
    others = f"{record.random_sets} random sets"
    changed = [
        ConceptEffect.of(finding.model.concepts[row["concept"]], row, "random")
        for row in finding.rows("specificity.parquet", layer=layer)
        if row["concept"] in finding.model.concepts
    ]
    return InLayer(
        search=search,
        sentence=sentence(search, label),
        staircase=staircase_chart(
            label,
            finding.rows("staircase.parquet", layer=layer, kind="ablate"),
            [row["left"] for row in chance],
            len(search.tried),
            (len(search.tried), search.left),
        ),
        alone=alone_chart(label, alone, search.tried),
        erasures=cases_chart(
            label, "ablate", [case for case in cases if case["kind"] == "ablate"], record.floor
        ),
        insertions=cases_chart(
            label, "insert", [case for case in cases if case["kind"] == "insert"], record.floor
        ),
        specificity=effects_chart(
            label=f"What else changes with {_units(search.tried)} of {layer} off, by concept.",
            caption=(
                "Mean change of each concept’s share of the picture, with 95 % interval; filled where "
                f"q ≤ 0.05. The bars hold 95 % of {others} of as many other units."
            ),
            effects=changed,
            others=others,
        ),
        erased=_below(finding, layer, "off", cases, "after"),
        spared=_below(finding, layer, "rest off", cases, "all_but"),
        inserted=_below(finding, layer, "on", cases, "after"),
        strongest=sorted(alone, key=lambda row: (row["left"], row["unit"]))[:STRONGEST],
    )


def _below(finding: Finding, layer: str, row: str, cases: list[dict[str, Any]], column: str) -> list[str]:
    """What stands below the pictures of a row: the concept's share before and after, and what that means."""
    picture = finding.picture_of(layer, row)
    kind, floor = "insert" if row == "on" else "ablate", finding.record.floor
    known = {case["sample"]: case for case in cases if case["kind"] == kind}
    words = []
    for sample in picture.samples if picture else []:
        case = known.get(sample)
        if case is None or case[column] is None:
            words.append("")
            continue
        before, after = case["before"], case[column]
        gone = after < finding.record.absent or not after
        said = "comes" if after >= floor else "does not come"
        words.append(
            f"{before * 100:.1f} → {after * 100:.1f}\u202f%, "
            f"{said if kind == 'insert' else 'gone' if gone else 'stays'}"
        )
    return words
