"""Searches for single causes: what is measured of every layer, and which layer has the strongest verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.attribution import attribute, has_scores
from unit59.edit.edits import Edit
from unit59.edit.workbench import Workbench
from unit59.foundation.files import file_name
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import SearchSection
from unit59.results.schema import StudyPicture
from unit59.studies.cause.concept import ConceptAtLayer, SearchedConcept
from unit59.studies.cause.search import PROBE, LayerFinding, LayerPlan, in_order, search_layer
from unit59.studies.cause.verdict import strongest
from unit59.studies.effects.pictures import picture_rows
from unit59.studies.tables import Tables
from unit59.studies.unit_sets import RANDOM_SETS

#: Pictures in a row.
SHOWN = 8


def measure_search(
    bench: Workbench,
    name: str,
    section: SearchSection,
    layers: Sequence[str],
    seed: int,
    report: Reporter,
    swept: Mapping[str, Sequence[int]] | None = None,
) -> Tables:
    """Search the layers for the cause of a concept; `unit59.studies.cause.tell.tell` says what was found.

    Args:
        bench: of the model.
        name: of the study.
        section: what is asked.
        layers: to search.
        seed: of the random sets.
        report: is told the progress.
        swept: by layer, the samples on which the effects have every unit off alone.
    """
    concept = SearchedConcept(bench, section)
    found: list[LayerFinding] = []
    pictures: dict[str, bytes] = {}
    shown: list[StudyPicture] = []
    searched = [] if concept.too_rare else layers
    by, plans = _plans(bench, concept, section, searched, swept or {})
    for layer, plan in plans.items():
        subject = concept.at(bench, layer)
        total = len(plan.probe) * len(plan.swept or concept.cases.search[:PROBE])
        with report.step(f"{name}: {layer}", total, "edits") as advance:
            found.append(search_layer(subject, plan, seed, advance))
        for picture, data in _pictures(subject, found[-1], plan.claimed):
            pictures[picture.file] = data
            shown.append(picture)
    best = strongest([each.facts for each in found])
    facts = {
        "kind": "search",
        "name": name,
        "verdict": best["verdict"] if best else "too rare",
        "layer": best["layer"] if best else None,
        "causes": best["causes"] if best else [],
        "layers": [each.facts for each in found],
        "random_sets": RANDOM_SETS,
        "probe": None if section.probe == "all" else section.probe,
        "ranked_by": by,
        "pictures": [picture.model_dump(mode="json") for picture in shown],
        **concept.facts,
    }
    return Tables(_joined([each.tables for each in found]), facts, pictures)


def _plans(
    bench: Workbench,
    concept: SearchedConcept,
    section: SearchSection,
    layers: Sequence[str],
    swept: Mapping[str, Sequence[int]],
) -> tuple[str, dict[str, LayerPlan]]:
    """By what units are ranked, and how each layer is searched.

    Where the effects have every unit off on samples enough, these are taken over: all units, at no cost.
    """
    searching, claim = set(concept.cases.search), section.claim
    free = {layer: swept[layer] for layer in layers if layer in swept}
    free = {layer: each for layer, each in free.items() if len(searching & set(each)) >= PROBE // 2}
    paid = [layer for layer in layers if section.probe != "all" and layer not in free]
    estimates = _estimates(bench, concept, paid)
    plans = {}
    for layer in layers:
        iou = bench.agreement(layer)[:, concept.number - 1].tolist()
        ranked = in_order((-estimates[layer]).tolist() if layer in estimates else iou)
        probe = range(len(iou)) if layer not in paid else sorted(ranked[: int(section.probe)])
        named = claim.unit if claim and claim.layer == layer and claim.unit < len(iou) else None
        plans[layer] = LayerPlan(iou, probe, ranked, free.get(layer, ()), named)
    return "attribution" if estimates else "iou", plans


def _estimates(
    bench: Workbench, concept: SearchedConcept, layers: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """By layer, what switching each unit off does to the concept to first order; nothing without scores.

    One pass with gradients through the whole network for each of the searching samples.
    """
    if not layers or not has_scores(bench.cache.segmenter, concept.number):
        return {}
    levels = {layer: bench.levels(layer) for layer in layers}
    found = attribute(bench.cache, levels, concept.cases.search[:PROBE], {concept.number})
    return {layer: each.ablate[:, concept.number - 1] for layer, each in found.items()}


def _pictures(
    subject: ConceptAtLayer, found: LayerFinding, claimed: int | None
) -> list[tuple[StudyPicture, bytes]]:
    """The first samples of each kind: units off, only the rest of the erasing set off, all of it off, on.

    The claim's unit gets a strip of its own, off alone, unless it is the one that is off anyway.
    """
    units, rest = found.facts["tried"], found.facts["rest"]
    off, on = subject.cases.confirm[:SHOWN], subject.cases.absent[:SHOWN]
    edits = {"off": Edit.ablate(units)}
    if rest:
        edits |= {"rest off": Edit.ablate(rest), "all off": Edit.ablate([*units, *rest])}
    strips = [_strip(subject, "off", units, off, edits)]
    if claimed is not None and units != [claimed]:
        strips.append(_strip(subject, "claimed", [claimed], off, {"claimed off": Edit.ablate([claimed])}))
    if on:
        strips.append(_strip(subject, "on", units, on, {"on": Edit.insert(units)}))
    return strips


def _strip(
    subject: ConceptAtLayer, name: str, units: list[int], samples: list[int], edits: Mapping[str, Edit]
) -> tuple[StudyPicture, bytes]:
    """The samples as they are, and below with each of the edits."""
    sweep = subject.sweep
    pairs = [sweep.pictures(edit, samples) for edit in edits.values()]
    picture = StudyPicture(
        file=f"{file_name(sweep.layer)}-{name}.webp",
        layer=sweep.layer,
        rows=["before", *edits],
        units=units,
        samples=samples,
    )
    return picture, picture_rows([pairs[0][0], *(after for _, after in pairs)])


def _joined(tables: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    names = dict.fromkeys(name for each in tables for name in each)
    return {
        name: pl.concat([each[name] for each in tables if name in each], how="diagonal_relaxed")
        for name in names
    }
