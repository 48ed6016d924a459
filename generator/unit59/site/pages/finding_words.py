"""A finding in words: its question, its answer, what was done, what a claim's unit does."""

from __future__ import annotations

from collections.abc import Sequence

from unit59.results.schema import LayerSearch, Rate
from unit59.site.pages.claim import ClaimView
from unit59.site.render import number, signed
from unit59.site.studies import Finding

#: Units of a set that are named one by one.
MOST_NAMED = 8


def question(finding: Finding) -> str:
    """The claim, as the question that the page answers."""
    layers = finding.record.layers
    where = f" of {layers[0].layer}" if len(layers) == 1 else ""
    return f"Is one unit{where} the only cause of {finding.record.label}?"


def done(finding: Finding) -> str:
    """What was done, in two sentences."""
    record, layers = finding.record, finding.record.layers
    tried = f"the {record.probe} likeliest units" if record.probe else "every unit"
    where = layers[0].layer if len(layers) == 1 else f"{len(layers)} layers"
    return (
        f"In {len(record.search)} samples that show {record.label}, {tried} of {where} went off alone, and "
        "all one after the other. What erased most was then switched off in "
        f"{len(record.confirm)} other samples, beside {record.random_sets} random sets of as many units."
    )


def named_unit(finding: Finding, claim: ClaimView) -> str:
    """What the unit that a claim names does in this model, in plain sentences; empty where there is none."""
    named, label = claim.named, finding.record.label
    if named is None:
        return ""
    layer = named.unit.layer
    place = f"the {ordinal(named.agreement)} highest of the layer’s {layer.record.units} units"
    words = [
        f"Its agreement with {label} is IoU {number(named.iou)} (other samples’ masks: "
        f"{number(named.null)}), {place}."
    ]
    if named.confirmed:
        words.append(f"With only it off, {label} disappears in {rate_words(named.confirmed)}.")
    if named.alone:
        less = f"{named.place - 1 or 'none'} of the {named.tried} units that were off alone"
        words.append(
            f"In the samples that were searched it leaves {named.alone.left:.0%} of {label}’s area; "
            f"{less} {'leaves' if named.place == 2 else 'leave'} less."
        )
    else:
        words.append(f"{layer.name} was not searched.")
    for effect, edit in ((named.off, "off"), (named.on, "on")):
        if effect:
            words.append(
                f"In samples of all kinds, {edit}{'' if effect.found else ', no evidence of an effect'}: "
                f"{label} changes by {signed(effect.value)} of the picture (95\u202f% interval "
                f"{signed(effect.row.low)} to {signed(effect.row.high)})."
            )
    return " ".join(words)


def ordinal(place: int) -> str:
    """`1st`, `2nd`, `11th`, `23rd`."""
    ending = "th" if 10 < place % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


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
    units, gone = f"{units_words(search.tried)} of {search.layer}", rate_words(search.erasure)
    off = f"with {'it' if len(search.tried) == 1 else 'all of them'} off, {label} disappears in {gone}"
    if search.verdict == "sole cause":
        spared = f"; with it on and {len(search.rest)} others off, in {rate_words(search.all_but)}"
        return f"Yes: {units} is the only cause that was found: {off}{spared if search.all_but else ''}."
    if search.verdict == "one of few":
        few = f"a few do: {units}" if len(search.tried) > 1 else f"{units} is one of few"
        return f"No single one, but {few}; {off}."
    if search.verdict == "distributed":
        some = f"with {len(search.tried)} of them off, {label} disappears in {gone}"
        return f"No: it is spread over many units; {some}."
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


def named(units: Sequence[int]) -> str:
    """`63, 111 and 140`; of many the first, and how many more."""
    shown = [str(unit) for unit in units[:MOST_NAMED]]
    if len(units) > MOST_NAMED:
        return f"{', '.join(shown)} and {len(units) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def units_words(units: Sequence[int]) -> str:
    """`unit 63`, `units 63 and 111`."""
    return f"unit{'s' if len(units) != 1 else ''} {named(units)}"
