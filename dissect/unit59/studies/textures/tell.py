"""What the study of textures says."""

from __future__ import annotations

import polars as pl

from unit59.results.report import Measured
from unit59.results.rows import rows
from unit59.studies.facts import Estimate
from unit59.studies.tables import Report, Tables
from unit59.studies.textures.facts import TextureFacts
from unit59.studies.textures.sections import layers_section, standing_out, strength_section, trend_section
from unit59.studies.textures.tables import TextureLayerRow
from unit59.studies.words import number, percent


def tell(tables: Tables) -> Report:
    """The report."""
    facts = TextureFacts.model_validate(tables.facts)
    return Report(
        question="Do units change objects, or textures?",
        answer=f"{_medians(tables.frames['layers.parquet'])} {_verdict(facts)}",
        number=_number(facts.trend),
        method=_method(facts),
        sections=[
            trend_section(facts.window),
            strength_section(facts),
            standing_out("objects", facts.shown),
            standing_out("textures", facts.shown),
            layers_section(),
        ],
        limits=[
            "What is where is what the segmenter sees: where an object changes its colour, it may take it "
            "for another.",
            "Units are switched off alone and everywhere: what they do together, or switched on, was not "
            "tried.",
            "The texture effect is taken where the concept stays, so a unit that changes every object leaves "
            "little of the picture to take it from.",
        ],
    )


# ---- in sentences


def _medians(layers: pl.DataFrame) -> str:
    """What the median unit of the first and of the last layer does."""
    units = list(rows(layers, TextureLayerRow))
    said = [
        f"in {unit.layer} changes the concept of {percent(unit.objects, 1)} of the pixels, and the others by "
        f"{unit.texture:.1f} levels of 255"
        for unit in [units[0], *units[1:][-1:]]
    ]
    return f"Switched off, the median unit {'; '.join(said)}."


def _verdict(facts: TextureFacts) -> str:
    if facts.direction == "unknown":
        return "A trend along the network cannot be told from so few layers and units."
    if facts.direction == "open":
        return (
            "No trend along the network is sure: the rank correlation of depth with objects per texture is "
            f"{_said(facts.trend)}."
        )
    falls = facts.direction == "falls"
    said = (
        f"The deeper the layer, the {'less' if falls else 'more'} its units change objects relative to "
        f"textures: rank correlation {_said(facts.trend)}. Among units of equal texture effect"
    )
    if facts.holds_at_equal_texture:
        more = "fewer" if falls else "more"
        return f"{said} too, deeper ones change {more} concepts: {_said(facts.equal_texture)}."
    if facts.equal_texture.value is None:
        return f"{said} that cannot be told."
    return f"{said} that is not sure: {_said(facts.equal_texture)}."


def _said(estimate: Estimate) -> str:
    value, low, high = (number(each, 2) for each in estimate.numbers)
    return f"{value} (95 % interval {low} to {high})"


def _number(trend: Estimate) -> Measured | None:
    if trend.value is None:
        return None
    known = trend.low is not None and trend.high is not None
    return Measured(
        words="rank correlation of a unit's depth with its object effect per texture effect",
        value=trend.value,
        low=trend.low if known else None,
        high=trend.high if known else None,
    )


def _method(facts: TextureFacts) -> list[str]:
    return [
        f"{facts.units} units of {facts.layers} layers were switched off one by one (set to zero everywhere) "
        f"on the first {facts.samples} samples, with the same noise before and after. Where a layer "
        "has more units, those measured were drawn at random.",
        "The object effect is the share of the pixels whose concept changes (the segmenter's plane "
        f"“{facts.plane}”). The texture effect is the mean absolute change of the other pixels, in levels "
        f"of 0 to 255. It is taken apart: the mean change over the {facts.window} x {facts.window} pixels "
        "around each is a change of colour, what is left is a change of detail; only pixels that keep "
        "their concept count in either. The two do not add up to the whole.",
        "The ratio of the two effects says what a unit changes more of. A segmenter's answer also flips "
        "when a picture changes enough without meaning anything: noise of growing strength, in each pixel "
        "or in patches of colour, was added to the same samples for comparison. A unit is beyond noise "
        "when the interval of its object effect lies above that of noise with the same texture effect.",
        "Stronger changes flip more pixels, and layers differ in strength. So a trend is also given among "
        "units of equal texture effect: the partial rank correlation of depth with the object effect, the "
        "texture effect held. Intervals of units are over samples, those of medians and correlations from "
        "a bootstrap over units.",
    ]
