"""The verdict of a search, by stated rules, each with the number that decided it. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unit59.results.schema import STRENGTH, Verdict
from unit59.studies.cause.answers import Answer

#: A set erases the concept when it does so in at least this share of the samples that show it.
ERASES = 0.8
#: The sole cause's nearest rival erases it, alone, in fewer than this share.
RIVAL = 0.5
#: With the sole cause on and the others that come first in the order off, it goes in at most this share.
SPARED = 0.2
#: At most so many units are few, or this share of a large layer.
FEW, FEW_SHARE = 4, 0.02
#: At most this share of the random sets may erase half as often.
CHANCE = 0.05


@dataclass(frozen=True)
class Ruling:
    """A rule that a verdict stands on; `unit59.studies.cause.tell.RULES` says it in words.

    Attributes:
        name: of the rule.
        value: the number that decided it.
        bound: what it had to reach, or to stay below.
        met: whether it did.
    """

    name: str
    value: float
    bound: float
    met: bool


@dataclass(frozen=True)
class Evidence:
    """What was measured on the confirming samples.

    Attributes:
        tried: the units put to the test.
        off: they are off.
        all_but: they are on, the others that come first in the order off; None: no prefix erases.
        on: they are on, in samples that lack the concept; None: no such sample.
        singles: single units off, the strongest of the layer among them.
        chance: random sets of as many other units (of any, where the layer has not so many others).
        chance_off: these are off.
        chance_on: these are on, in samples that lack the concept.
    """

    tried: Sequence[int]
    off: Answer
    all_but: Answer | None
    on: Answer | None
    singles: Mapping[int, Answer]
    chance: Sequence[Sequence[int]]
    chance_off: Sequence[Answer]
    chance_on: Sequence[Answer]


def few_of(units: int) -> int:
    """How many of a layer's units are few."""
    return max(FEW, int(FEW_SHARE * units))


def judge(evidence: Evidence, units: int) -> tuple[Verdict, list[Ruling]]:
    """The verdict in a layer of so many units, and the rules it stands on.

    Sole cause: one unit erases, beyond chance, no other unit rivals it, and without it the rest of the set
    that erases does not. One of few, distributed: a set erases, beyond chance, of at most `few_of` units or
    of more. None: no set that was found erases, or sets drawn at random do it too.
    """
    size, rate = len(evidence.tried), evidence.off.rate
    rivals = [answer.rate for unit, answer in evidence.singles.items() if unit not in evidence.tried]
    lucky = [answer.rate >= rate / 2 for answer in evidence.chance_off]
    spared = evidence.all_but.rate if evidence.all_but else 1.0
    rules = [
        _least("erases", rate, ERASES),
        _most("beyond chance", float(np.mean(lucky)), CHANCE),
        _most("one", size, 1),
        _most("no rival", max(rivals, default=0.0), RIVAL),
        _most("all but it", spared, SPARED),
        _most("few", size, few_of(units)),
    ]
    met = {rule.name for rule in rules if rule.met}
    if not {"erases", "beyond chance"} <= met:
        return "none", rules
    if {"one", "no rival", "all but it"} <= met:
        return "sole cause", rules
    return ("one of few" if "few" in met else "distributed"), rules


def strongest(layers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The layer that a search names: the strongest verdict, of several the one that erases most often.

    Args:
        layers: what was found in each, in forward order: among equals the first is named.
    """
    order = {verdict: place for place, verdict in enumerate(STRENGTH)}
    return min(layers, key=lambda each: (order[each["verdict"]], -each["erasure"]["rate"]), default=None)


def numbers(evidence: Evidence) -> dict[str, Any]:
    """What the edits did, as numbers; see `unit59.results.schema.LayerSearch`."""
    effect = evidence.off.effect
    return {
        "left": evidence.off.left,
        "effect": float(effect.value),
        "low": float(effect.low),
        "high": float(effect.high),
        "erasure": rate_of(evidence.off),
        "all_but": rate_of(evidence.all_but) if evidence.all_but else None,
        "insertion": rate_of(evidence.on),
        "side": float(evidence.off.side.mean()),
        **_spread("random_erasure", [answer.rate for answer in evidence.chance_off]),
        **_spread("random_insertion", [answer.rate for answer in evidence.chance_on]),
        "random_left": float(np.mean([answer.left for answer in evidence.chance_off])),
        "random_side": float(np.mean([answer.side.mean() for answer in evidence.chance_off])),
    }


def rate_of(answer: Answer | None) -> dict[str, Any]:
    """An answer's rate, see `unit59.results.schema.Rate`; without an answer, of no case."""
    if answer is None:
        return {"hits": 0, "cases": 0, "rate": 0.0, "low": 0.0, "high": 1.0}
    low, high = answer.rate_interval
    return {"hits": answer.hits, "cases": answer.cases, "rate": answer.rate, "low": low, "high": high}


def _least(name: str, value: float, bound: float) -> Ruling:
    return Ruling(name, float(value), bound, value >= bound)


def _most(name: str, value: float, bound: float) -> Ruling:
    return Ruling(name, float(value), bound, value <= bound)


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    return {name: float(np.mean(values or [0.0])), f"{name}_max": max(values, default=0.0)}
