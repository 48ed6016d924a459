"""The search for the one unit that causes a concept, and the verdict: it must be able to say none.

A layer's units are switched off each alone, and one after the other in two orders: by agreement (as the
claim that is tested came about) and by what each did alone. Where the concept goes, bisection finds the unit
at the jump; delta debugging then takes away all units that are not needed. All this runs on one half of the
samples that show the concept; what was found is measured on the other half, beside random sets of other
units, and on samples that lack the concept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from unit59.edit.edits import Edit
from unit59.studies.cause.answers import Answer
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.cause.staircase import Staircase
from unit59.studies.cause.tables import search_tables
from unit59.studies.cause.verdict import ERASES, Evidence, few_of, judge, numbers
from unit59.studies.unit_sets import RANDOM_SETS, random_sets

#: Samples on which every unit is switched off alone.
PROBE = 16
#: Units that did most alone and are measured on the confirming samples.
RIVALS = 4


@dataclass(frozen=True)
class LayerPlan:
    """How a layer is searched.

    Attributes:
        iou: of every unit with the concept.
        probe: units that are switched off alone.
        ranked: all units, the likeliest cause first: the others go off in this order, after the probed ones.
        swept: samples on which the layer's effects had the probed units off alone: what they gave is taken
            over, as far as the samples are among the searching ones.
        claimed: a unit that someone named: it is measured alone on all samples, and decides nothing.
    """

    iou: Sequence[float]
    probe: Sequence[int]
    ranked: Sequence[int]
    swept: Sequence[int] = ()
    claimed: int | None = None

    @classmethod
    def by_iou(cls, iou: Sequence[float]) -> LayerPlan:
        """All units are probed; agreement says which is the likeliest."""
        return cls(iou, range(len(iou)), in_order(iou))


@dataclass(frozen=True)
class LayerFinding:
    """A layer's search.

    Attributes:
        facts: what was found: a `unit59.results.schema.LayerSearch` without the words of its rules.
        tables: by file name.
    """

    facts: dict[str, Any]
    tables: dict[str, pl.DataFrame]


def in_order(scores: Sequence[float]) -> list[int]:
    """Units by their score, the largest first; of equals the smaller number."""
    return sorted(range(len(scores)), key=lambda unit: (-scores[unit], unit))


def search_layer(
    subject: ConceptAtLayer, plan: LayerPlan, seed: int, advance: Callable[[int], None] | None = None
) -> LayerFinding:
    """Search one layer for the cause of the subject's concept.

    Args:
        subject: the concept at the layer, with samples in both halves.
        plan: which units are tried in which order.
        seed: of the random sets.
        advance: is told how many (unit, sample) pairs of the probe are done.
    """
    iou, probe = plan.iou, list(plan.probe)
    alone = _alone(subject, plan, advance)
    by_iou = in_order(iou)
    strongest = sorted(probe, key=lambda unit: (alone[unit].left, -iou[unit], unit))
    by_effect = strongest + [unit for unit in plan.ranked if unit not in alone]
    stairs = [Staircase(subject, "iou", by_iou), Staircase(subject, "effect", by_effect)]
    best = min(stairs, key=lambda stair: stair.shortest or len(iou) + 1)
    minimal, minimised = best.minimal()
    few = few_of(subject.sweep.units)
    erasing = [unit for unit in strongest if alone[unit].rate >= ERASES][: 2 * few]
    evidence = _confirm(
        subject, best, [*strongest[:RIVALS], *erasing, *minimal[:few]], minimal or strongest[:1], seed
    )
    verdict, rules = judge(evidence, subject.sweep.units)
    facts = {
        "layer": subject.sweep.layer,
        "units": subject.sweep.units,
        "verdict": verdict,
        "causes": [] if verdict == "none" else list(evidence.tried),
        "tried": list(evidence.tried),
        "rules": [vars(rule) for rule in rules],
        "minimal": minimal,
        "minimised": minimised,
        "rest": best.rest(evidence.tried) if best.shortest else [],
        **best.jump(),
        **numbers(evidence),
    }
    singles = dict(evidence.singles)
    if plan.claimed is not None and plan.claimed not in singles:
        singles[plan.claimed] = subject.off([plan.claimed], subject.cases.confirm)
    return LayerFinding(facts, search_tables(subject, evidence, stairs, alone, singles, iou))


def _alone(
    subject: ConceptAtLayer, plan: LayerPlan, advance: Callable[[int], None] | None
) -> dict[int, Answer]:
    """Probed units, each off alone on searching samples; the claim's too."""
    searching = set(subject.cases.search)
    singly = [Edit.ablate([unit]) for unit in plan.probe]
    samples = plan.swept or subject.cases.search[:PROBE]
    taken = [number in searching for number in samples]
    alone = dict(zip(plan.probe, subject.ask_many(singly, samples, advance, taken), strict=True))
    if plan.claimed is not None and plan.claimed not in alone:
        alone[plan.claimed] = subject.ask_many([Edit.ablate([plan.claimed])], samples, None, taken)[0]
    return alone


def _confirm(
    subject: ConceptAtLayer, best: Staircase, candidates: Sequence[int], otherwise: Sequence[int], seed: int
) -> Evidence:
    """Measure on the samples that were not searched on: units alone, what is tried, and chance.

    What is tried are the units that erase alone, or `otherwise`, the smallest set or the strongest unit.
    """
    cases, candidates = subject.cases, list(dict.fromkeys(candidates))
    answers = subject.ask_many([Edit.ablate([unit]) for unit in candidates], cases.confirm)
    singles = dict(zip(candidates, answers, strict=True))
    tried = sorted([unit for unit in candidates if singles[unit].rate >= ERASES] or otherwise)
    everything = range(subject.sweep.units)
    others = [unit for unit in everything if unit not in tried]
    # Other units, where there are so many; beside more than half of a layer, any units of it.
    pool = others if len(others) >= len(tried) else everything
    chance = random_sets(pool, len(tried), RANDOM_SETS, seed)
    absent = cases.absent
    return Evidence(
        tried=tried,
        off=subject.off(tried, cases.confirm),
        all_but=subject.off(best.rest(tried), cases.confirm) if best.shortest else None,
        on=subject.on(tried, absent) if absent else None,
        singles=singles,
        chance=chance,
        chance_off=subject.ask_many([Edit.ablate(units) for units in chance], cases.confirm),
        chance_on=subject.ask_many([Edit.insert(units) for units in chance], absent) if absent else [],
    )
