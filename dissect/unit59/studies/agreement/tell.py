"""The report of agreement against effect: what is related, what agrees in vain, what acts unseen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from unit59.results import INTERPRETABLE_IOU
from unit59.results.report import (
    Column,
    Measured,
    Reference,
    ReportChart,
    ReportSection,
    ReportTable,
    UnitRef,
)
from unit59.stats.intervals import wilson
from unit59.studies.agreement.numbers import all_related, strongest, unit_columns
from unit59.studies.base import Whole

QUESTION = "Does agreement with a concept predict control over it?"
#: Unit cards in a section.
CARDS = 4


def write_report(pairs: pl.DataFrame, units: pl.DataFrame, seed: int) -> Whole:
    """Say what the numbers say.

    Args:
        pairs: see `unit59.studies.agreement.measure.all_pairs`.
        units: see `unit59.studies.agreement.measure.all_units`.
        seed: of the bootstrap.
    """
    if pairs.is_empty():
        return Whole(QUESTION, "Nothing was measured: no unit's effects are in the results.", [], [], [])
    known = pairs.join(units, on=["layer", "unit"], how="left", maintain_order="left")
    labelled = known.filter(pl.col("concept") == pl.col("label_concept"))
    related = pl.DataFrame([asdict(each) for each in all_related(pairs, labelled, seed)])
    vain = labelled.filter((pl.col("kind") == "ablate") & pl.col("agrees") & ~pl.col("found"))
    unseen = strongest(known).filter(pl.col("iou") < INTERPRETABLE_IOU)
    whole = related.row(0, named=True)
    tables = {
        "units.parquet": unit_columns(labelled),
        "correlations.parquet": related,
        "agrees-without-effect.parquet": unit_columns(vain.sort("iou", descending=True, maintain_order=True)),
        "effect-without-agreement.parquet": unit_columns(unseen),
    }
    number = None
    if whole["rho"] is not None:
        words = "rank correlation of IoU and loss"
        number = Measured(words=words, value=whole["rho"], low=whole["low"], high=whole["high"])
    return Whole(
        question=QUESTION,
        answer=f"{_answer(whole)} {_found_words(labelled)}",
        number=number,
        method=_method(pairs, units),
        sections=[
            _units_section(whole, related),
            _parts_section(related),
            _vain_section(tables["agrees-without-effect.parquet"], labelled),
            _unseen_section(tables["effect-without-agreement.parquet"]),
        ],
        limits=[
            "Units were edited one at a time. A unit without an effect may share its work with others.",
            "A unit's label is the concept with its best IoU; it may act on another one (the last table).",
            "“No effect”: none was found on the measured samples. Rare concepts show in few of them.",
        ],
        tables=tables,
    )


# ---- in words


def _answer(whole: dict[str, Any]) -> str:
    rho, low, high = whole["rho"], whole["low"], whole["high"]
    if rho is None or low is None or high is None:
        return f"It cannot be said: {whole['units']} measured units are too few, or all alike."
    number = f"{_signed(rho)}, 95 % interval {_signed(low)} to {_signed(high)}"
    said = f"Spearman's rank correlation of IoU and loss is {number}"
    if low > 0:
        how = "weakly" if rho < 0.3 else "moderately" if rho < 0.6 else "strongly"
        lead = f"Yes, {how}: units that agree better with their label take more of it away when off"
        return f"{lead}; {said} over {whole['units']} units."
    if high < 0:
        lead = "No: units that agree better with their label take less of it away when off"
        return f"{lead}; {said} over {whole['units']} units."
    return f"No evidence that it does: {said} over {whole['units']} units."


def _found_words(labelled: pl.DataFrame) -> str:
    """How many of those that agree with their label take it away when off, and how many of the others."""
    rows = labelled.filter(kind="ablate")
    some, others = rows.filter(pl.col("agrees")), rows.filter(~pl.col("agrees"))
    if some.is_empty():
        return (
            "No measured unit agrees with its label better than chance; switched off, "
            f"{_hits(others, 'units')} measurably take it away."
        )
    rest = f", and {_hits(others, 'others')}" if len(others) else ""
    return (
        f"Switched off, {_hits(some, 'units that agree better than chance')}{rest} measurably take their "
        "label away."
    )


def _hits(rows: pl.DataFrame, who: str) -> str:
    """`9 of 15 others (60 %, 95 % interval 36 to 80)`."""
    hits = len(rows.filter(pl.col("found") & (pl.col("control") > 0)))
    rate, low, high = (100 * float(each) for each in wilson(np.array(hits), np.array(len(rows))))
    return f"{hits} of {len(rows)} {who} ({rate:.0f} %, 95 % interval {low:.0f} to {high:.0f})"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _method(pairs: pl.DataFrame, units: pl.DataFrame) -> list[str]:
    measured = pairs.select("layer", "unit").n_unique()
    some = (
        ""
        if measured == len(units)
        else (
            f" Effects were measured of {measured} of the {len(units)} units: what a ranking puts "
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
        "An effect is found when q ≤ 0.05 (Benjamini–Hochberg over all tests of a layer and edit). A unit "
        f"agrees with its label when the IoU is {INTERPRETABLE_IOU} or more and above 99 % of what other "
        "samples' segmentations give.",
    ]


# ---- sections


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
        x_title="IoU with its label",
        y_title=f"{'loss' if kind == 'ablate' else 'gain'} of its label, % of the picture",
        y_percent=True,
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


def _units_section(whole: dict[str, Any], related: pl.DataFrame) -> ReportSection:
    on = related.filter(of="all", kind="insert").to_dicts()
    text = [
        f"Of the {whole['top']} units with the largest IoU, {whole['both']} are among the {whole['top']} "
        f"that take most away; by chance {whole['chance']:.1f} would be, and in 97.5 % of cases no more than "
        f"{whole['chance_high']}."
    ]
    if on and on[0]["rho"] is not None:
        row = on[0]
        text.append(
            f"Switched on, the correlation of IoU with what comes is {_signed(row['rho'])} "
            f"({_signed(row['low'])} to {_signed(row['high'])}), and {row['both']} of {row['top']} are in "
            "both tenths."
        )
    return ReportSection(
        title="All units", text=text, charts=[_points("ablate"), *([_points("insert")] if on else [])]
    )


def _parts_section(related: pl.DataFrame) -> ReportSection:
    def chart(of: str, caption: str) -> ReportChart:
        return ReportChart(
            kind="bars",
            table="correlations.parquet",
            x="name",
            y="rho",
            low="low",
            high="high",
            hover=["units"],
            where={"of": of, "kind": "ablate"},
            x_title=of,
            y_title="rank correlation of IoU and loss",
            references=[Reference(axis="y", value=0, name="")],
            label=f"Rank correlation of IoU and loss, by {of}.",
            caption=caption,
        )

    columns = [
        Column(name="of", heading="of"),
        Column(name="name", heading="which"),
        Column(name="kind", heading="edit"),
        Column(name="units", heading="units", form="integer"),
        Column(name="rho", heading="rank correlation [95 % interval]", low="low", high="high", form="number"),
        Column(name="both", heading="in both tenths", form="integer"),
        Column(name="top", heading="of", form="integer"),
        Column(name="chance", heading="by chance", form="number"),
    ]
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
                columns=columns,
                most=len(related),
                caption="Ablate: switched off, against loss. Insert: switched on, against gain.",
            )
        ],
    )


_UNIT_COLUMNS = [
    Column(name="layer", heading="layer"),
    Column(name="unit", heading="unit"),
    Column(name="concept", heading="concept"),
    Column(name="iou", heading="IoU with it", form="number"),
    Column(
        name="effect", heading="change when off, % of the picture", form="percent", low="low", high="high"
    ),
    Column(name="q", heading="q", form="p"),
    Column(name="shown", heading="samples that show it", form="integer"),
]


def _vain_section(vain: pl.DataFrame, labelled: pl.DataFrame) -> ReportSection:
    agree = labelled.filter(kind="ablate", agrees=True)
    return ReportSection(
        title="Agreement without effect",
        text=[
            f"{len(vain)} of the {len(agree)} measured units that agree with their label do not measurably "
            "change it when off. These are the ones with the largest IoU."
        ],
        units=[_card(row) for row in vain.head(CARDS).to_dicts()],
        tables=[
            ReportTable(
                table="agrees-without-effect.parquet",
                columns=_UNIT_COLUMNS,
                caption="Units whose masks match their label, and whose absence it does not notice.",
            )
        ],
    )


def _unseen_section(unseen: pl.DataFrame) -> ReportSection:
    return ReportSection(
        title="Effect without agreement",
        text=[
            f"{len(unseen)} measured units change some concept measurably when off, and by more than 95 % "
            "of their layer's other units do, while their IoU with it is below "
            f"{INTERPRETABLE_IOU}. These change most."
        ],
        units=[_card(row) for row in unseen.head(CARDS).to_dicts()],
        tables=[
            ReportTable(
                table="effect-without-agreement.parquet",
                columns=[*_UNIT_COLUMNS, Column(name="own_label", heading="its label")],
                caption="What a search by IoU passes over: units with the concept that each changes most.",
            )
        ],
    )


def _card(row: dict[str, Any]) -> UnitRef:
    change = f"{100 * row['effect']:+.2g}".replace("-", "−")
    return UnitRef(
        layer=row["layer"], unit=row["unit"], note=f"off: {row['concept']} {change} % of the picture"
    )
