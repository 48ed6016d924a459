"""The sections of the study of textures: charts, strips, tables."""

from __future__ import annotations

from collections.abc import Sequence

from unit59.results.report import ReportChart, ReportPicture, ReportSection, ReportTable, UnitRef
from unit59.studies.textures.facts import End, StandingOut, TextureFacts

_ENDS: dict[End, tuple[str, str]] = {
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


def trend_section(window: int) -> ReportSection:
    """Effects of the median unit of each layer."""
    return ReportSection(
        title="Along the network",
        charts=[
            ReportChart(
                kind="lines",
                table="layers.parquet",
                x="layer",
                y="ratio",
                x_title="layer, in forward order",
                label="Ratio of object to texture effect by layer, median over units",
                caption="The median unit of each layer, with 95 % intervals: high where units change what is "
                "there, low where they change how it looks.",
            ),
            ReportChart(
                kind="bars",
                table="layers.parquet",
                x="layer",
                y="objects",
                x_title="layer, in forward order",
                label="Object effect by layer, median over units",
                caption="The object effect alone: the median unit of each layer.",
            ),
            ReportChart(
                kind="bars",
                table="looks.parquet",
                x="layer",
                y="change",
                group="part",
                x_title="layer, in forward order",
                label="Change of colour and of detail by layer, median over units",
                caption="The texture effect, taken apart: the median unit of each layer. Colour is what "
                f"changes over {window} x {window} pixels alike, detail what is left.",
            ),
        ],
    )


def strength_section(facts: TextureFacts) -> ReportSection:
    """Every unit beside noise."""
    return ReportSection(
        title="Every unit, and noise of the same strength",
        text=[
            f"{facts.beyond} of {facts.units} units change more concepts than noise with "
            "the same texture effect does. What the others do to concepts may come of the strength of the "
            "change alone."
        ],
        charts=[
            ReportChart(
                kind="points",
                table="points.parquet",
                x="texture",
                y="objects",
                group="what",
                hover=["unit"],
                x_log=True,
                label="Object effect against texture effect of every unit, and of noise",
                caption="Each point is a unit, with its 95 % interval over samples. The two kinds of "
                "noise, of growing strength, change nothing on purpose: units above them change objects, "
                "units among or below them change how it looks.",
            )
        ],
    )


def standing_out(end: End, shown: Sequence[StandingOut]) -> ReportSection:
    """The units that stand out at one end."""
    title, text = _ENDS[end]
    mine = [each for each in shown if each.end == end]
    return ReportSection(
        title=title,
        text=[text if mine else f"{text} There is none."],
        pictures=[_strip(each) for each in mine],
        units=[UnitRef(layer=each.layer, unit=each.unit, note=end) for each in mine],
    )


def _strip(shown: StandingOut) -> ReportPicture:
    effects = zip(shown.objects, shown.texture, strict=True)
    return ReportPicture(
        file=shown.picture,
        rows=["no unit off", f"{shown.layer} unit {shown.unit} off"],
        samples=shown.samples,
        below=[[f"{100 * objects:.1f} % · {texture:.1f}" for objects, texture in effects]],
        caption=f"{shown.layer} unit {shown.unit}, in the samples in which its "
        f"{'object' if shown.end == 'objects' else 'texture'} effect is largest. Below: pixels whose "
        "concept changes, and the change of the others in levels of 255.",
    )


def layers_section() -> ReportSection:
    """The layers as a table."""
    return ReportSection(
        title="Layer by layer",
        tables=[
            ReportTable(
                table="layers.parquet",
                columns=["layer", "units", "objects", "texture", "ratio", "beyond"],
                most=64,
                caption="Medians over units with 95 % intervals.",
            )
        ],
    )
