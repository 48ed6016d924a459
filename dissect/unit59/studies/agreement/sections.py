"""The sections of agreement against effect: charts, tables, unit cards."""

from __future__ import annotations

import polars as pl

from unit59.results import INTERPRETABLE_IOU
from unit59.results.report import Reference, ReportChart, ReportSection, ReportTable, UnitRef
from unit59.results.rows import rows
from unit59.studies.agreement.tables import CorrelationRow, PairRow
from unit59.studies.words import number

#: Unit cards in a section.
CARDS = 4


def _points(kind: str) -> ReportChart:
    does = "lost with the unit off" if kind == "ablate" else "gained with the unit on"
    return ReportChart(
        kind="points",
        table="units.parquet",
        x="iou",
        y="control",
        group="layer",
        hover=["layer", "unit", "concept"],
        where={"kind": kind},
        y_title=f"{'loss' if kind == 'ablate' else 'gain'} of its label (% of the picture)",
        references=[
            Reference(axis="y", value=0, name=""),
            Reference(axis="x", value=INTERPRETABLE_IOU, name="cut"),
        ],
        label=f"IoU of each measured unit with its label, against what of it is {does}.",
        caption=(
            f"Each point is a unit: its IoU with its label, and how much of that concept is {does}. If "
            "agreement meant control, the points would rise to the right."
        ),
    )


def units_section(off: CorrelationRow, on: CorrelationRow | None) -> ReportSection:
    """IoU against control of every unit, and what the strongest have in common."""
    text = [
        f"Of the {off.top} units with the largest IoU, {off.both} are among the {off.top} "
        f"that take most away; by chance {off.chance:.1f} would be, and in 97.5 % of cases no more than "
        f"{off.chance_high}."
    ]
    if on and on.rho is not None and on.low is not None and on.high is not None:
        text.append(
            f"Switched on, the correlation of IoU with what comes is {number(on.rho, 2)} "
            f"({number(on.low, 2)} to {number(on.high, 2)}), and {on.both} of {on.top} are in "
            "both tenths."
        )
    return ReportSection(
        title="All units", text=text, charts=[_points("ablate"), *([_points("insert")] if on else [])]
    )


def parts_section(most: int) -> ReportSection:
    """The correlation by layer and by concept."""

    def chart(of: str, caption: str) -> ReportChart:
        return ReportChart(
            kind="bars",
            table="correlations.parquet",
            x="name",
            y="rho",
            hover=["units"],
            where={"of": of, "kind": "ablate"},
            x_title=of,
            references=[Reference(axis="y", value=0, name="")],
            label=f"Rank correlation of IoU and loss, by {of}.",
            caption=caption,
        )

    return ReportSection(
        title="By layer and by concept",
        charts=[
            chart("layer", "Units of one layer with their labels. Whiskers are 95 % intervals."),
            chart(
                "concept",
                "All measured units with one concept, whatever their label: size plays no part here.",
            ),
        ],
        tables=[
            ReportTable(
                table="correlations.parquet",
                columns=["of", "name", "kind", "units", "rho", "top", "both", "chance"],
                most=most,
                caption="Rank correlations have their 95 % interval. Ablate: switched off, against loss. "
                "Insert: switched on, against gain.",
            )
        ],
    )


_UNIT_COLUMNS = ["layer", "unit", "concept", "iou", "effect", "q", "shown"]


def vain_section(vain: pl.DataFrame, agreeing: int) -> ReportSection:
    """Units that agree and do nothing; `agreeing` units agree."""
    return ReportSection(
        title="Agreement without effect",
        text=[
            f"{len(vain)} of the {agreeing} measured units that agree with their label do not measurably "
            "change it when off. These are the ones with the largest IoU."
        ],
        units=_cards(vain),
        tables=[
            ReportTable(
                table="agrees-without-effect.parquet",
                columns=_UNIT_COLUMNS,
                caption="Units whose masks match their label, and whose absence it does not notice.",
            )
        ],
    )


def unseen_section(unseen: pl.DataFrame) -> ReportSection:
    """Units that act on what they do not agree with."""
    return ReportSection(
        title="Effect without agreement",
        text=[
            f"{len(unseen)} measured units change some concept measurably when off, and by more than 95 % "
            "of their layer's other units do, while their IoU with it is below "
            f"{INTERPRETABLE_IOU}. These change most."
        ],
        units=_cards(unseen),
        tables=[
            ReportTable(
                table="effect-without-agreement.parquet",
                columns=[*_UNIT_COLUMNS, "own_label"],
                caption="What a search by IoU passes over: units with the concept that each changes most.",
            )
        ],
    )


def _cards(table: pl.DataFrame) -> list[UnitRef]:
    return [_card(row) for row in rows(table.head(CARDS), PairRow)]


def _card(found: PairRow) -> UnitRef:
    change = "–" if found.effect is None else f"{100 * found.effect:+.2g}".replace("-", "−")
    return UnitRef(layer=found.layer, unit=found.unit, note=f"off: {found.concept} {change} % of the picture")
