"""The report of agreement against effect: what is related, what agrees in vain, what acts unseen."""

from __future__ import annotations

from unit59.results import INTERPRETABLE_IOU
from unit59.results.report import Measured
from unit59.results.rows import rows
from unit59.stats.first import EVIDENCE
from unit59.studies.agreement.numbers import AgreementFacts, LossRate
from unit59.studies.agreement.sections import parts_section, units_section, unseen_section, vain_section
from unit59.studies.agreement.tables import CorrelationRow
from unit59.studies.tables import Report, Tables
from unit59.studies.words import number

QUESTION = "Does agreement with a concept predict control over it?"
_STRENGTHS = {"weak": "weakly", "moderate": "moderately", "strong": "strongly"}


def tell(tables: Tables) -> Report:
    """Say what the numbers say; see `unit59.studies.agreement.measure.compared`."""
    if not tables.frames:
        return Report(QUESTION, "Nothing was measured: no unit's effects are in the results.", [], [], [])
    facts = AgreementFacts.model_validate(tables.facts)
    related = list(rows(tables.frames["correlations.parquet"], CorrelationRow))
    whole = related[0]
    carries = None
    if whole.rho is not None:
        words = "rank correlation of IoU and loss"
        carries = Measured(words=words, value=whole.rho, low=whole.low, high=whole.high)
    return Report(
        question=QUESTION,
        answer=f"{_answer(whole, facts)} {_found_words(facts)}",
        number=carries,
        method=_method(facts),
        sections=[
            units_section(whole, next((each for each in related if _inserts_all(each)), None)),
            parts_section(len(related)),
            vain_section(tables.frames["agrees-without-effect.parquet"], facts.agreeing.units),
            unseen_section(tables.frames["effect-without-agreement.parquet"]),
        ],
        limits=[
            "Units were edited one at a time. A unit without an effect may share its work with others.",
            "A unit's label is the concept with its best IoU; it may act on another one (the last table).",
            "“No effect”: none was found on the measured samples. Rare concepts show in few of them.",
        ],
    )


def _inserts_all(related: CorrelationRow) -> bool:
    return related.of == "all" and related.kind == "insert"


# ---- in words


def _answer(whole: CorrelationRow, facts: AgreementFacts) -> str:
    if whole.rho is None or whole.low is None or whole.high is None or facts.strength is None:
        return f"It cannot be said: {whole.units} measured units are too few, or all alike."
    interval = f"95 % interval {number(whole.low, 2)} to {number(whole.high, 2)}"
    said = f"Spearman's rank correlation of IoU and loss is {number(whole.rho, 2)}, {interval}"
    if facts.verdict == "with":
        how = _STRENGTHS[facts.strength]
        lead = f"Yes, {how}: units that agree better with their label take more of it away when off"
        return f"{lead}; {said} over {whole.units} units."
    if facts.verdict == "against":
        lead = "No: units that agree better with their label take less of it away when off"
        return f"{lead}; {said} over {whole.units} units."
    return f"No evidence that it does: {said} over {whole.units} units."


def _found_words(facts: AgreementFacts) -> str:
    """How many of those that agree with their label take it away when off, and how many of the others."""
    some, others = facts.agreeing, facts.others
    if not some.units:
        return (
            "No measured unit agrees with its label better than chance; switched off, "
            f"{_hits(others, 'units')} measurably take it away."
        )
    rest = f", and {_hits(others, 'others')}" if others.units else ""
    return (
        f"Switched off, {_hits(some, 'units that agree better than chance')}{rest} measurably take their "
        "label away."
    )


def _hits(found: LossRate, who: str) -> str:
    """`9 of 15 others (60 %, 95 % interval 36 to 80)`."""
    rate, low, high = (f"{100 * each:.0f}" for each in found.rate.numbers)
    return f"{found.hits} of {found.units} {who} ({rate} %, 95 % interval {low} to {high})"


def _method(facts: AgreementFacts) -> list[str]:
    some = (
        ""
        if facts.measured == facts.units
        else (
            f" Effects were measured of {facts.measured} of the {facts.units} units: what a ranking puts "
            "first, and some drawn at random from the rest. So this is a correlation over units that were "
            "expected to matter."
        )
    )
    return [
        "Every unit has a label, the concept with its largest IoU. Switched off, it loses that concept some "
        "share of the picture, on average over the measured samples (paired, same noise); switched on, it "
        "brings some. Both are set against the IoU: Spearman's rank correlation, with a 95 % interval from "
        f"1,000 bootstrap draws of units.{some}",
        "The strongest tenth by IoU and the strongest tenth by effect have some units in common; by "
        "chance a tenth of a tenth, up to what 97.5 % of random pairs of sets have (hypergeometric).",
        "Labels tend to be large concepts, and large concepts have more to lose. So each concept is asked "
        "about by itself, too: over all measured units, IoU with it against effect on it.",
        f"An effect is found when {EVIDENCE} (Benjamini–Hochberg over all tests of a layer and edit). A unit "
        f"agrees with its label when the IoU is {INTERPRETABLE_IOU} or more and above 99 % of what other "
        "samples' segmentations give.",
    ]
