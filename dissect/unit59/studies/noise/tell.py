"""What the study of noise says."""

from __future__ import annotations

import numpy as np

from unit59.results.report import Measured
from unit59.stats.intervals import Mean
from unit59.studies.base import Whole
from unit59.studies.effects.strips import picture_rows
from unit59.studies.noise.draws import Removed
from unit59.studies.noise.found import HALF, Found, layers_of
from unit59.studies.noise.sections import (
    WHITE,
    Maps,
    by_layer_section,
    change_section,
    growing_section,
    mechanism_section,
    pictures_section,
    which_section,
)


def write_report(found: Found, maps: Maps, family: str) -> Whole:
    """The report."""
    tables = {name: table for name, table in found.tables().items() if not table.is_empty()}
    mechanism = [mechanism_section()]
    if "mechanism.parquet" in tables:
        mechanism.append(by_layer_section(found))
    grey = [2 * (each / WHITE).clamp(0, 1) - 1 for each in maps.deviations]
    return Whole(
        question="Does the picture grow noisier as units go silent, and why?",
        answer=_answer(found),
        number=_number(found.growth(HALF)),
        method=_method(found),
        sections=[
            growing_section(found),
            which_section(),
            *mechanism,
            change_section(),
            pictures_section(maps),
        ],
        limits=_limits(found, family),
        tables=tables,
        pictures={
            "pictures.webp": picture_rows(maps.pictures),
            "maps.webp": picture_rows([each[:, None].expand(-1, 3, -1, -1) for each in grey]),
        },
    )


# ---- in a sentence


def _answer(found: Found) -> str:
    half, before = found.growth(HALF), float(found.variation(0.0).mean())
    after = float(found.variation(HALF).mean())
    parts = [
        f"With half of one layer's units off at random the picture varies by {after:.1f} levels of 255 over "
        f"noise draws, with none off by {before:.1f}: {_growth(half)} levels, mean over "
        f"{layers_of(found)}. {_verdict(half)}"
    ]
    at = found.grows_from
    if at is None:
        parts.append("Nor does it grow, on average over layers, when more units are off.")
    else:
        if at > HALF:
            parts.append(f"With {_off(at)} off it does: {_growth(found.growth(at))} levels.")
        parts.append(_reason(found, at))
    return " ".join(parts)


def _verdict(half: Mean) -> str:
    if half.low > 0:
        return "It grows noisier."
    return "It grows quieter." if half.high < 0 else "That is no evidence of growing noise."


def _reason(found: Found, at: float) -> str:
    """Which part of the network the extra variance goes with."""
    part: Removed = "rescaling" if "rescaling" in found.removed else "noise behind"
    said = {
        "rescaling": "the rescaling of normalisation behind the layer",
        "noise behind": "the noise inputs behind the layer",
    }[part]
    share, without = found.explained(at, part, found.layers), _growth(found.growth(at, removed=part))
    if share.low > 0.5:
        verdict = {
            "rescaling": "normalisation amplifies the noise",
            "noise behind": "it is their noise that grows",
        }[part]
    else:
        verdict = (
            "most of it has another cause" if share.high < 0.5 else "whether that makes most of it stays open"
        )
    return f"Without {said} it is {without} instead: {verdict}."


def _growth(mean: Mean) -> str:
    value, low, high = (f"{number:+.1f}".replace("-", "−") for number in (mean.value, mean.low, mean.high))
    return f"{value} (95 % interval {low} to {high})"


def _off(share: float) -> str:
    return (
        "all units"
        if share == 1
        else "half of the units"
        if share == HALF
        else f"{100 * share:.3g} % of the units"
    )


def _number(half: Mean) -> Measured:
    known = bool(np.isfinite(half.low))
    return Measured(
        words="levels of 255 more variation over noise draws with half of a layer's units off",
        value=float(half.value),
        low=float(half.low) if known else None,
        high=float(half.high) if known else None,
    )


def _method(found: Found) -> list[str]:
    said = [
        f"Each of {found.samples} samples (the first ones) was drawn {found.draws} times with noise drawn "
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
    if "rescaling" in found.removed:
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


def _limits(found: Found, family: str) -> list[str]:
    said = [
        "Pictures are cut off at black and white, as a screen shows them: noise beyond is not seen.",
        "A layer's units are switched off for the whole picture. Units silent in one region only were not "
        "tried.",
        "Noise that is already in the units in front of the edited layer goes silent with them: fewer "
        "units can also mean less noise.",
    ]
    if "rescaling" not in found.removed:
        said.append(
            f"This {family} has no instance normalisation: what it divides by does not depend on the maps, "
            "so there is no rescaling to take away."
        )
    else:
        said.append(
            "Without the rescaling everything behind the layer is weaker, picture and noise alike. "
            "Normalisation still subtracts each map's own mean."
        )
    return said
