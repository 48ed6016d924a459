"""Studies that a recipe asks for: searches for single causes, and unit sets. Record, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.attribution import attribute, has_scores
from unit59.edit.edits import Edit, concept_number
from unit59.edit.tail import Tail
from unit59.edit.workbench import Workbench
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import SearchSection, SetsSection
from unit59.results import file_name
from unit59.results.schema import (
    STRENGTH,
    AceRecord,
    Claim,
    SearchRecord,
    SetsRecord,
    StudyPicture,
    StudyRecord,
)
from unit59.stats.rates import ABSENT, Floor
from unit59.studies.cause.search import PROBE, RANDOM_SETS, Found, Plan, in_order, search_layer
from unit59.studies.cause.subject import Cases, Subject, find_cases
from unit59.studies.cause.verdict import ERASES
from unit59.studies.effects.strips import picture_rows
from unit59.studies.sets.ace import PENALTY, Optimised, optimise_set
from unit59.studies.sets.measure import RANDOM_ORDERS, FoundSets, cost, measure_sets

#: Pictures in a row.
SHOWN = 8
#: A search needs so many samples that show the concept, half of them to confirm.
ENOUGH = 16


@dataclass(frozen=True)
class Study:
    """One study, ready to be stored.

    Attributes:
        record: what was found.
        tables: by file name; see `unit59.results.schema.STUDY_TABLES`.
        pictures: by file name.
    """

    record: StudyRecord
    tables: dict[str, pl.DataFrame]
    pictures: dict[str, bytes]


class _Concept:
    """A section's concept, and the samples that serve it."""

    def __init__(self, material: Workbench, section: SearchSection | SetsSection) -> None:
        height, width = material.cache.grid
        segmenter = material.cache.segmenter
        self.number = concept_number(segmenter, section.concept)
        self.limit = Floor(section.floor, height * width)
        self.cases: Cases = find_cases(material.counts, self.number, self.limit, section.samples)
        self.record: dict[str, Any] = {
            "concept": self.number,
            "label": section.concept,
            "plane": segmenter.concepts[self.number - 1].plane,
            "floor": section.floor,
            "absent": section.floor * ABSENT,
            "search": self.cases.search,
            "confirm": self.cases.confirm,
            "lacking": self.cases.absent,
            "shown_by": int(self.limit.shows(material.counts[:, self.number - 1]).sum()),
            "samples": material.cache.samples,
            "erases": ERASES,
        }

    @property
    def too_rare(self) -> bool:
        """Whether too few samples show it to say anything."""
        return len(self.cases.shown) < ENOUGH

    def subject(self, material: Workbench, layer: str) -> Subject:
        """The concept at a layer."""
        return Subject(material.sweep(layer), self.number, self.limit.share, self.cases)


def run_search(
    material: Workbench,
    name: str,
    section: SearchSection,
    layers: Sequence[str],
    seed: int,
    report: Reporter,
    swept: Mapping[str, Sequence[int]] | None = None,
) -> Study:
    """Search the layers for the cause of a concept.

    Args:
        material: of the model.
        name: of the study.
        section: what is asked.
        layers: to search.
        seed: of the random sets.
        report: is told the progress.
        swept: by layer, the samples on which the effects have every unit off alone.
    """
    concept = _Concept(material, section)
    found, tables = [], []
    pictures: dict[str, bytes] = {}
    shown: list[StudyPicture] = []
    searched = [] if concept.too_rare else layers
    by, plans = _plans(material, concept, section, searched, swept or {})
    for layer, plan in plans.items():
        subject = concept.subject(material, layer)
        total = len(plan.probe) * len(plan.swept or concept.cases.search[:PROBE])
        with report.step(f"{name}: {layer}", total, "edits") as advance:
            result = search_layer(subject, plan, seed, advance)
        found.append(result.record)
        tables.append(result.tables)
        for picture, data in _search_pictures(subject, result, plan.claimed):
            pictures[picture.file] = data
            shown.append(picture)
    best = min(found, key=lambda each: STRENGTH.index(each.verdict), default=None)
    record = SearchRecord(
        name=name,
        title=section.title,
        claim=Claim(**section.claim.model_dump()) if section.claim else None,
        verdict=best.verdict if best else "too rare",
        layer=best.layer if best and best.causes else None,
        causes=best.causes if best else [],
        layers=found,
        random_sets=RANDOM_SETS,
        probe=None if section.probe == "all" else section.probe,
        ranked_by=by,
        pictures=shown,
        **concept.record,
    )
    return Study(record, _joined(tables), pictures)


def _plans(
    material: Workbench,
    concept: _Concept,
    section: SearchSection,
    layers: Sequence[str],
    swept: Mapping[str, Sequence[int]],
) -> tuple[str, dict[str, Plan]]:
    """By what units are ranked, and how each layer is searched.

    Where the effects have every unit off on samples enough, these are taken over: all units, at no cost.
    """
    searching, claim = set(concept.cases.search), section.claim
    free = {layer: swept[layer] for layer in layers if layer in swept}
    free = {layer: each for layer, each in free.items() if len(searching & set(each)) >= PROBE // 2}
    paid = [layer for layer in layers if section.probe != "all" and layer not in free]
    estimates = _estimates(material, concept, paid)
    plans = {}
    for layer in layers:
        iou = material.agreement(layer)[:, concept.number - 1].tolist()
        ranked = in_order((-estimates[layer]).tolist() if layer in estimates else iou)
        probe = range(len(iou)) if layer not in paid else sorted(ranked[: int(section.probe)])
        named = claim.unit if claim and claim.layer == layer and claim.unit < len(iou) else None
        plans[layer] = Plan(iou, probe, ranked, free.get(layer, ()), named)
    return "attribution" if estimates else "iou", plans


def _estimates(
    material: Workbench, concept: _Concept, layers: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """By layer, what switching each unit off does to the concept to first order; nothing without scores.

    One pass with gradients through the whole network for each of the searching samples.
    """
    if not layers or not has_scores(material.cache.segmenter, concept.number):
        return {}
    levels = {layer: material.levels(layer) for layer in layers}
    found = attribute(material.cache, levels, concept.cases.search[:PROBE], {concept.number})
    return {layer: each.ablate[:, concept.number - 1] for layer, each in found.items()}


def _search_pictures(subject: Subject, found: Found, claimed: int | None) -> list[tuple[StudyPicture, bytes]]:
    """The first samples of each kind: units off, only the rest of the erasing set off, all of it off, on.

    The claim's unit gets a strip of its own, off alone, unless it is the one that is off anyway.
    """
    record = found.record
    units, rest = record.tried, record.rest
    off, on = subject.cases.confirm[:SHOWN], subject.cases.absent[:SHOWN]
    edits = {"off": Edit.ablate(units)}
    if rest:
        edits |= {"rest off": Edit.ablate(rest), "all off": Edit.ablate([*units, *rest])}
    drawn = [_drawn(subject, "off", units, off, edits)]
    if claimed is not None and units != [claimed]:
        drawn.append(_drawn(subject, "claimed", [claimed], off, {"claimed off": Edit.ablate([claimed])}))
    if on:
        drawn.append(_drawn(subject, "on", units, on, {"on": Edit.insert(units)}))
    return drawn


def _drawn(
    subject: Subject, name: str, units: list[int], samples: list[int], edits: Mapping[str, Edit]
) -> tuple[StudyPicture, bytes]:
    """The samples as they are, and below with each of the edits."""
    bench = subject.bench
    pairs = [bench.pictures(edit, samples) for edit in edits.values()]
    picture = StudyPicture(
        file=f"{file_name(bench.layer)}-{name}.webp",
        layer=bench.layer,
        rows=["before", *edits],
        units=units,
        samples=samples,
    )
    return picture, picture_rows([pairs[0][0], *(after for _, after in pairs)])


def run_sets(material: Workbench, name: str, section: SetsSection, seed: int, report: Reporter) -> Study:
    """Measure a layer's unit sets; with too few samples that show the concept nothing is measured."""
    concept = _Concept(material, section)
    subject = concept.subject(material, section.layer)
    if concept.too_rare:
        return Study(_sets_record(name, subject, concept, None, None, []), {}, {})
    levels = material.levels(section.layer)
    with report.step(f"{name}: ACE", section.steps, "steps") as advance:
        tail = Tail(material.cache, section.layer)
        optimised = optimise_set(
            tail, levels, concept.number, concept.cases.search, seed, section.steps, advance=advance
        )
    largest = min(section.largest, subject.bench.units)
    iou = material.agreement(section.layer)[:, concept.number - 1].tolist()
    total = cost(subject, largest, 2 + (optimised is not None))
    with report.step(f"{name}: {section.layer}", total, "edits") as advance:
        found = measure_sets(subject, iou, optimised, largest, seed, advance)
    pictures, shown = _sets_pictures(subject, found)
    record = _sets_record(name, subject, concept, found, optimised, shown)
    return Study(record, {"staircase.parquet": found.steps, "alone.parquet": found.alone}, pictures)


def _sets_pictures(subject: Subject, found: FoundSets) -> tuple[dict[str, bytes], list[StudyPicture]]:
    """The first confirming samples with the smallest erasing set off, if there is one."""
    sets = [each.units for each in found.smallest if each.units]
    if not sets:
        return {}, []
    units, samples = min(sets, key=len), subject.cases.confirm[:SHOWN]
    picture = StudyPicture(
        file="smallest.webp", layer=subject.bench.layer, rows=["before", "off"], units=units, samples=samples
    )
    drawn = picture_rows(subject.bench.pictures(Edit.ablate(units), samples))
    return {picture.file: drawn}, [picture]


def _sets_record(
    name: str,
    subject: Subject,
    concept: _Concept,
    found: FoundSets | None,
    optimised: Optimised | None,
    pictures: list[StudyPicture],
) -> SetsRecord:
    ace = optimised and AceRecord(
        alpha=optimised.alpha.tolist(),
        ace=float(optimised.ace.value),
        low=float(optimised.ace.low),
        high=float(optimised.ace.high),
        steps=optimised.steps,
        penalty=PENALTY,
    )
    return SetsRecord(
        name=name,
        layer=subject.bench.layer,
        units=subject.bench.units,
        orders=found.orders if found else {},
        random_orders=RANDOM_ORDERS,
        ace=ace or None,
        smallest=found.smallest if found else [],
        pictures=pictures,
        **concept.record,
    )


def _joined(tables: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    names = dict.fromkeys(name for each in tables for name in each)
    return {
        name: pl.concat([each[name] for each in tables if name in each], how="diagonal_relaxed")
        for name in names
    }
