"""Effects in words, for the pages of units, layers and concepts."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.results.schema import EffectsRecord, Rate
from unit59.site.render import signed
from unit59.site.views.effects import Effect, EffectsView


def change_words(effect: Effect) -> str:
    """`loses 0.41 % of the picture (95 % interval 0.30 to 0.52; q < 0.001)`."""
    does = "gains" if effect.value > 0 else "loses"
    ends = [bound for bound in (effect.row.low, effect.row.high) if bound is not None]
    if effect.value < 0:
        ends = [-bound for bound in reversed(ends)]
    bounds = " to ".join(_percent(bound) for bound in ends)
    interval = f"95\u202f% interval {bounds}; " if len(ends) == 2 else ""
    return f"{does} {_percent(abs(effect.value))}\u202f% of the picture ({interval}{q_words(effect.row.q)})"


def effect_words(effect: Effect) -> str:
    """An effect from its size to what other units do, as the end of a sentence that names the concept."""
    parts = [change_words(effect), rate_words(effect)]
    return f"{'; '.join(filter(None, parts))}. {others_words(effect)}".rstrip()


def rate_words(effect: Effect) -> str:
    """How often the concept goes or comes: `of the 30 samples that show it, it is gone in 12 (40 %, …)`.

    Empty where no sample shows (or lacks) it.
    """
    goes = effect.value < 0
    rate = effect.erasure if goes else effect.insertion
    if rate is None:
        return ""
    which = f"{rate.cases} samples that {'show' if goes else 'lack'}"
    if rate.cases == 1:
        which = f"one sample that {'shows' if goes else 'lacks'}"
    return (
        f"of the {which} it, it {'is gone' if goes else 'comes'} in {rate.hits or 'none'} {_interval(rate)}"
    )


def rate_cell(rate: Rate | None) -> str:
    """A rate for a table: `12 of 30 (40 %, 95 % interval 25 to 58)`."""
    return "–" if rate is None else f"{rate.hits} of {rate.cases} {_interval(rate)}"


def others_words(effect: Effect) -> str:
    """Where the layer's other units lie, and whether that is anything special."""
    low, high = effect.row.others_low, effect.row.others_high
    if low is None or high is None:
        return ""
    band = f"95\u202f% of the layer’s other measured units change it by {signed(low)} to {signed(high)}"
    return f"{band}." if effect.beyond else f"That is no more than others do: {band}."


def q_words(q: float | None) -> str:
    """`q < 0.001` or `q = 0.012`."""
    if q is None:
        return "q unknown"
    return "q < 0.001" if q < 0.001 else f"q = {q:.2g}"


def not_measured(view: EffectsView | None) -> str:
    """Why a unit's page has no effects."""
    if view is None:
        return "The run that wrote these results measured no effects in this layer."
    ranking = view.record.ranking
    drawn = f" and {len(ranking.low_ranked)} drawn at random from the rest" if ranking.low_ranked else ""
    return (
        f"This unit was beyond the budget: {ranking.measured} of the layer’s {ranking.units} units were "
        f"measured, those that {_by(view.record)} puts first{drawn}."
    )


def how_measured(record: EffectsRecord, kind: str) -> str:
    """What the numbers of one kind of edit are over."""
    extra = len(record.numbers) - record.samples
    rates = f", rates over {len(record.numbers)}" if extra else ""
    return (
        f"Means over {record.samples} samples{rates}; q is Benjamini-Hochberg’s over the layer’s "
        f"{record.tests.get(kind, 0):,} tests of this edit"
    )


@dataclass(frozen=True)
class Ranked:
    """How well the cheap ranking predicted one kind of edit, in plain words."""

    edit: str
    says: str
    missed: list[int]


def ranking_words(record: EffectsRecord) -> list[Ranked]:
    """How well the ranking predicted what was then measured."""
    found = []
    for check in record.ranking.checks:
        edit = "switching off" if check.kind == "ablate" else "switching on"
        if check.spearman is None or check.low is None or check.high is None:
            says = "Too few units were measured to say how well it orders them."
        else:
            says = (
                f"Spearman’s rank correlation with what was measured is {check.spearman:.2f} "
                f"[{check.low:.2f}, {check.high:.2f}] over {record.ranking.measured} units: "
                f"{_how_well(check.low, check.high)}."
            )
        strongest = "unit" if check.top == 1 else f"{check.top} units"
        missed, low = len(check.missed), set(record.ranking.low_ranked)
        says += (
            f" Of the {strongest} with the strongest measured effects it puts {missed} further down."
            if missed
            else f" It also puts first the {strongest} with the strongest measured effects."
        )
        if low:
            under = len(low.intersection(check.missed))
            says += (
                f" Of the {len(low)} units drawn from the rest, {under or 'none'} "
                f"belong{'s' if under < 2 else ''} to these."
            )
        found.append(Ranked(edit, says, check.missed))
    return found


def _how_well(low: float, high: float) -> str:
    if low <= 0 <= high:
        return "no evidence that it predicts anything"
    if high < 0:
        return "it orders them the wrong way round"
    if low > 0.7:
        return "it orders them much as measuring does"
    return "it orders them roughly" if high > 0.4 else "it says little"


def _by(record: EffectsRecord) -> str:
    return "first-order attribution" if record.ranking.by == "attribution" else "agreement (IoU)"


def _interval(rate: Rate) -> str:
    low, high = f"{rate.low * 100:.0f}", f"{rate.high * 100:.0f}"
    return f"({rate.rate * 100:.0f}\u202f%, 95\u202f% interval {low} to {high})"


def _percent(value: float) -> str:
    """A share as a percentage without its sign; two digits where two decimals would say nothing."""
    percent = value * 100
    return f"{percent:.2f}" if abs(percent) >= 0.095 or not percent else f"{percent:.2g}"
