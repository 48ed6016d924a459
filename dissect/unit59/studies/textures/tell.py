"""What the study of textures says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unit59.results import file_name
from unit59.results.report import (
    Column,
    Measured,
    ReportChart,
    ReportPicture,
    ReportSection,
    ReportTable,
    UnitRef,
)
from unit59.studies.base import Whole
from unit59.studies.textures.effects import OBJECTS, TEXTURE
from unit59.studies.textures.found import Estimate, Found, Strip

_ENDS = {
    "objects": (
        "Units that change what is there",
        "Of the quarter of the units with the largest object effect, those with the highest ratio of "
        "object to texture effect that also change more concepts than noise of their strength.",
    ),
    "textures": (
        "Units that change how it looks",
        "Of the quarter of the units with the largest texture effect, those with the lowest ratio of "
        "object to texture effect.",
    ),
}


def write_report(found: Found, strips: Sequence[Strip]) -> Whole:
    """The report."""
    return Whole(
        question="Do units change objects, or textures?",
        answer=_answer(found),
        number=_number(found.trend),
        method=_method(found),
        sections=[_trend(found), _strength(found), *(_end(end, strips) for end in _ENDS), _table()],
        limits=[
            "What is where is what the segmenter sees: where an object changes its colour, it may take it "
            "for another.",
            "Units are switched off alone and everywhere: what they do together, or switched on, was not "
            "tried.",
            "The texture effect is taken where the concept stays, so a unit that changes every object leaves "
            "little of the picture to take it from.",
        ],
        tables=found.tables(),
        pictures={_file(strip): strip.data for strip in strips},
    )


# ---- in sentences


def _answer(found: Found) -> str:
    said = []
    for layer in dict.fromkeys([found.layers[0].name, found.layers[-1].name]):
        objects, texture = (found.median(layer, part)[0] for part in ("objects", "texture"))
        said.append(
            f"in {layer} changes the concept of {100 * objects:.1f} % of the pixels, and the others by "
            f"{texture:.1f} levels of 255"
        )
    return f"Switched off, the median unit {'; '.join(said)}. {_verdict(found)}"


def _verdict(found: Found) -> str:
    trend, equal = found.trend, found.trend_at_equal_texture
    if not np.isfinite(trend).all():
        return "A trend along the network cannot be told from so few layers and units."
    if trend[1] <= 0 <= trend[2]:
        return (
            "No trend along the network is sure: the rank correlation of depth with objects per texture is "
            f"{_said(trend)}."
        )
    falls = trend[0] < 0
    said = (
        f"The deeper the layer, the {'less' if falls else 'more'} its units change objects relative to "
        f"textures: rank correlation {_said(trend)}. Among units of equal texture effect"
    )
    if np.isfinite(equal).all() and (equal[2] < 0 if falls else equal[1] > 0):
        return f"{said} too, deeper ones change {'fewer' if falls else 'more'} concepts: {_said(equal)}."
    return f"{said} that is not sure: {_said(equal)}."


def _said(estimate: Estimate) -> str:
    value, low, high = (f"{each:.2f}".replace("-", "−") for each in estimate)
    return f"{value} (95 % interval {low} to {high})"


def _number(trend: Estimate) -> Measured | None:
    value, low, high = trend
    if not np.isfinite(value):
        return None
    known = bool(np.isfinite(low) and np.isfinite(high))
    return Measured(
        words="rank correlation of a unit's depth with its object effect per texture effect",
        value=value,
        low=low if known else None,
        high=high if known else None,
    )


def _method(found: Found) -> list[str]:
    count = len(found.units)
    return [
        f"{count} units of {len(found.layers)} layers were switched off one by one (set to zero everywhere) "
        f"on the first {len(found.samples)} samples, with the same noise before and after. Where a layer "
        "has more units, those measured were drawn at random.",
        "The object effect is the share of the pixels whose concept changes (the segmenter's plane "
        f"“{found.plane}”). The texture effect is the mean absolute change of the other pixels, in levels "
        f"of 0 to 255. It is taken apart: the mean change over the {found.window} x {found.window} pixels "
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


# ---- in charts


def _trend(found: Found) -> ReportSection:
    layers = "layers.parquet"
    return ReportSection(
        title="Along the network",
        charts=[
            ReportChart(
                kind="lines",
                table=layers,
                x="layer",
                y="ratio",
                low="ratio_low",
                high="ratio_high",
                x_title="layer, in forward order",
                y_title="objects per texture (% of pixels a level)",
                y_percent=True,
                label="Ratio of object to texture effect by layer, median over units",
                caption="The median unit of each layer, with 95 % intervals: high where units change what is "
                "there, low where they change how it looks.",
            ),
            ReportChart(
                kind="bars",
                table=layers,
                x="layer",
                y="objects",
                low="objects_low",
                high="objects_high",
                x_title="layer, in forward order",
                y_title="pixels whose concept changes (%)",
                y_percent=True,
                label="Object effect by layer, median over units",
                caption="The object effect alone: the median unit of each layer.",
            ),
            ReportChart(
                kind="bars",
                table="looks.parquet",
                x="layer",
                y="change",
                low="low",
                high="high",
                group="part",
                x_title="layer, in forward order",
                y_title="change (levels of 255)",
                label="Change of colour and of detail by layer, median over units",
                caption="The texture effect, taken apart: the median unit of each layer. Colour is what "
                f"changes over {found.window} x {found.window} pixels alike, detail what is left.",
            ),
        ],
    )


def _strength(found: Found) -> ReportSection:
    return ReportSection(
        title="Every unit, and noise of the same strength",
        text=[
            f"{found.units['beyond'].sum()} of {len(found.units)} units change more concepts than noise with "
            "the same texture effect does. What the others do to concepts may come of the strength of the "
            "change alone."
        ],
        charts=[
            ReportChart(
                kind="points",
                table="points.parquet",
                x="texture",
                y="objects",
                low="objects_low",
                high="objects_high",
                group="what",
                hover=["unit"],
                x_title="texture effect (levels of 255)",
                x_log=True,
                y_title="pixels whose concept changes (%)",
                y_percent=True,
                label="Object effect against texture effect of every unit, and of noise",
                caption="Each point is a unit, with its 95 % interval over samples. The two kinds of "
                "noise, of growing strength, change nothing on purpose: units above them change objects, "
                "units among or below them change how it looks.",
            )
        ],
    )


def _end(end: str, strips: Sequence[Strip]) -> ReportSection:
    title, text = _ENDS[end]
    mine = [strip for strip in strips if strip.end == end]
    return ReportSection(
        title=title,
        text=[text if mine else f"{text} There is none."],
        pictures=[
            ReportPicture(
                file=_file(strip),
                rows=["no unit off", f"{strip.layer} unit {strip.unit} off"],
                samples=strip.samples,
                below=[[f"{100 * each[OBJECTS]:.1f} % · {each[TEXTURE]:.1f}" for each in strip.values]],
                caption=f"{strip.layer} unit {strip.unit}, in the samples in which its "
                f"{'object' if end == 'objects' else 'texture'} effect is largest. Below: pixels whose "
                "concept changes, and the change of the others in levels of 255.",
            )
            for strip in mine
        ],
        units=[UnitRef(layer=strip.layer, unit=strip.unit, note=end) for strip in mine],
    )


def _table() -> ReportSection:
    def percent(name: str, heading: str) -> Column:
        return Column(name=name, heading=heading, form="percent", low=f"{name}_low", high=f"{name}_high")

    return ReportSection(
        title="Layer by layer",
        tables=[
            ReportTable(
                table="layers.parquet",
                columns=[
                    Column(name="layer", heading="layer"),
                    Column(name="units", heading="units measured", form="integer"),
                    percent("objects", "pixels whose concept changes (%)"),
                    Column(
                        name="texture",
                        heading="change of the others (levels)",
                        form="number",
                        low="texture_low",
                        high="texture_high",
                    ),
                    percent("ratio", "ratio (% a level)"),
                    Column(name="beyond", heading="units beyond noise", form="integer"),
                ],
                most=64,
                caption="Medians over units with 95 % intervals.",
            )
        ],
    )


def _file(strip: Strip) -> str:
    return f"{strip.end}-{file_name(strip.layer)}-{strip.unit:04d}.webp"
