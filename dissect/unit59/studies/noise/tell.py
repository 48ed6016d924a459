"""What the study of noise says."""

from __future__ import annotations

from unit59.results.report import Measured
from unit59.studies.facts import Estimate
from unit59.studies.noise.cases import HALF, NoiseFacts, Reason
from unit59.studies.noise.sections import (
    by_layer_section,
    change_section,
    growing_section,
    layers_of,
    mechanism_section,
    pictures_section,
    which_section,
)
from unit59.studies.tables import Report, Tables
from unit59.studies.words import signed


def tell(tables: Tables) -> Report:
    """The report."""
    facts = NoiseFacts.model_validate(tables.facts)
    mechanism = [mechanism_section()]
    if facts.shown_share is not None:
        mechanism.append(by_layer_section(facts.shown_share))
    return Report(
        question="Does the picture grow noisier as units go silent, and why?",
        answer=_answer(facts),
        number=_number(facts.growth),
        method=_method(facts),
        sections=[
            growing_section(facts),
            which_section(),
            *mechanism,
            change_section(),
            pictures_section(facts.maps),
        ],
        limits=_limits(facts),
    )


# ---- in a sentence


def _answer(facts: NoiseFacts) -> str:
    parts = [
        f"With half of one layer's units off at random the picture varies by {facts.after:.1f} levels of 255 "
        f"over noise draws, with none off by {facts.before:.1f}: {_growth(facts.growth)} levels, mean over "
        f"{layers_of(facts)}. {_VERDICTS[facts.growth.side]}"
    ]
    if facts.reason is None:
        parts.append("Nor does it grow, on average over layers, when more units are off.")
    else:
        if facts.reason.share > HALF:
            parts.append(
                f"With {_off(facts.reason.share)} off it does: {_growth(facts.reason.growth)} levels."
            )
        parts.append(_reason(facts.reason))
    return " ".join(parts)


_VERDICTS = {1: "It grows noisier.", -1: "It grows quieter.", 0: "That is no evidence of growing noise."}


def _reason(found: Reason) -> str:
    """Which part of the network the extra variance goes with."""
    said, most = {
        "rescaling": (
            "the rescaling of normalisation behind the layer",
            "normalisation amplifies the noise",
        ),
        "noise behind": ("the noise inputs behind the layer", "it is their noise that grows"),
    }[found.part]
    verdict = {
        "most": most,
        "little": "most of it has another cause",
        "open": "whether that makes most of it stays open",
    }[found.explains]
    return f"Without {said} it is {_growth(found.without)} instead: {verdict}."


def _growth(found: Estimate) -> str:
    value, low, high = (signed(number, 1) for number in found.numbers)
    return f"{value} (95 % interval {low} to {high})"


def _off(share: float) -> str:
    return (
        "all units"
        if share == 1
        else "half of the units"
        if share == HALF
        else f"{100 * share:.3g} % of the units"
    )


def _number(half: Estimate) -> Measured | None:
    if half.value is None:
        return None
    return Measured(
        words="levels of 255 more variation over noise draws with half of a layer's units off",
        value=half.value,
        low=half.low,
        high=half.high,
    )


def _method(facts: NoiseFacts) -> list[str]:
    said = [
        f"Each of {facts.samples} samples (the first ones) was drawn {facts.draws} times with noise drawn "
        "anew in all layers and everything else fixed, with more and more units of one layer set to zero. "
        "The variation is the standard deviation over the draws, root mean square over pixels and colours, "
        "in levels of 0 to 255. The squares make it free of the number of draws. Intervals are 95 % over "
        "samples.",
        "Units went off in three orders: at random, in an order of its own for each sample; those first "
        "whose mask agrees best with some concept; those first whose mean activation is highest. Draws are "
        "the same before and after, so that the differences are paired. A layer counts as noisier at a "
        "false discovery rate of 5 % over all layers and shares.",
        "Then parts of the network were taken away, before and after alike: the noise inputs of all layers "
        "behind the layer whose units go off; the noise input of that layer itself.",
    ]
    if "rescaling" in facts.removed:
        said[-1] += (
            " Or the rescaling: behind the layer, instance normalisation divided by the standard "
            "deviations of the pass with no unit off, of the same sample and draw, so that it cannot "
            "answer to the units that are off. With none off, that changes nothing."
        )
    return [
        *said,
        "The extra variance is the variance over draws with the units off less that with none off. What is "
        "explained by a part is the share of the extra variance that is gone without it. Above 100 %, the "
        "picture would have grown quieter. Shares of several parts need not add up: the noise is the "
        "source, and what amplifies it acts on the same noise. Their intervals are from a bootstrap over "
        "samples.",
    ]


def _limits(facts: NoiseFacts) -> list[str]:
    said = [
        "Pictures are cut off at black and white, as a screen shows them: noise beyond is not seen.",
        "A layer's units are switched off for the whole picture. Units silent in one region only were not "
        "tried.",
        "Noise that is already in the units in front of the edited layer goes silent with them: fewer "
        "units can also mean less noise.",
    ]
    if "rescaling" not in facts.removed:
        said.append(
            f"This {facts.family} has no instance normalisation: what it divides by does not depend on the "
            "maps, so there is no rescaling to take away."
        )
    else:
        said.append(
            "Without the rescaling everything behind the layer is weaker, picture and noise alike. "
            "Normalisation still subtracts each map's own mean."
        )
    return said
