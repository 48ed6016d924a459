"""Unit sets of one layer: what is measured of them."""

from __future__ import annotations

from typing import Any

from unit59.edit.edits import Edit
from unit59.edit.tail import Tail
from unit59.edit.workbench import Workbench
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import SetsSection
from unit59.results.schema import AceRecord, StudyPicture
from unit59.studies.cause.concept import ConceptAtLayer, SearchedConcept
from unit59.studies.cause.measure import SHOWN
from unit59.studies.effects.pictures import picture_rows
from unit59.studies.sets.ace import PENALTY, Optimised, optimise_set
from unit59.studies.sets.curves import SetCurves, cost, measure_curves
from unit59.studies.tables import Tables
from unit59.studies.unit_sets import RANDOM_SETS


def measure_sets(bench: Workbench, name: str, section: SetsSection, seed: int, report: Reporter) -> Tables:
    """Measure a layer's unit sets; with too few samples that show the concept nothing is measured.

    `unit59.studies.sets.tell.tell` says what was found.
    """
    concept = SearchedConcept(bench, section)
    subject = concept.at(bench, section.layer)
    facts: dict[str, Any] = {
        "kind": "sets",
        "name": name,
        "layer": section.layer,
        "units": subject.sweep.units,
        "orders": {},
        "random_orders": RANDOM_SETS,
        "ace": None,
        "smallest": [],
        "pictures": [],
        **concept.facts,
    }
    if concept.too_rare:
        return Tables(facts=facts)
    levels = bench.levels(section.layer)
    with report.step(f"{name}: ACE", section.steps, "steps") as advance:
        tail = Tail(bench.cache, section.layer)
        optimised = optimise_set(
            tail, levels, concept.number, concept.cases.search, seed, section.steps, advance=advance
        )
    largest = min(section.largest, subject.sweep.units)
    iou = bench.agreement(section.layer)[:, concept.number - 1].tolist()
    total = cost(subject, largest, 2 + (optimised is not None))
    with report.step(f"{name}: {section.layer}", total, "edits") as advance:
        found = measure_curves(subject, iou, optimised, largest, seed, advance)
    pictures, shown = _pictures(subject, found)
    facts |= {
        "orders": found.orders,
        "ace": _ace(optimised).model_dump(mode="json") if optimised else None,
        "smallest": [each.model_dump(mode="json") for each in found.smallest],
        "pictures": [picture.model_dump(mode="json") for picture in shown],
    }
    return Tables({"staircase.parquet": found.steps, "alone.parquet": found.alone}, facts, pictures)


def _ace(optimised: Optimised) -> AceRecord:
    return AceRecord(
        alpha=optimised.alpha.tolist(),
        ace=float(optimised.ace.value),
        low=float(optimised.ace.low),
        high=float(optimised.ace.high),
        steps=optimised.steps,
        penalty=PENALTY,
    )


def _pictures(subject: ConceptAtLayer, found: SetCurves) -> tuple[dict[str, bytes], list[StudyPicture]]:
    """The first confirming samples with the smallest erasing set off, if there is one."""
    sets = [each.units for each in found.smallest if each.units]
    if not sets:
        return {}, []
    units, samples = min(sets, key=len), subject.cases.confirm[:SHOWN]
    picture = StudyPicture(
        file="smallest.webp", layer=subject.sweep.layer, rows=["before", "off"], units=units, samples=samples
    )
    strip = picture_rows(subject.sweep.pictures(Edit.ablate(units), samples))
    return {picture.file: strip}, [picture]
