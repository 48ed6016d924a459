"""Reports of made-up studies: one with everything that a report may hold, one of hostile words."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unit59.results import ResultsWriter, table_bytes, to_json
from unit59.results.columns import High, LayerName, Low, Schema, UnitNumber, column, table_row
from unit59.results.report import (
    Columns,
    Described,
    Measured,
    Reference,
    ReportChart,
    ReportPicture,
    ReportRecord,
    ReportSection,
    ReportTable,
    UnitRef,
)

EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'

SCORES = pl.DataFrame(
    {
        "layer": ["layer1"] * 3 + ["layer2"] * 3 + ["layer9"],
        "unit": [0, 1, 2, 3, 4, 999, 0],
        "concept": ["bed", "cushion", "no concept", "lamp", "red", "bed", None],
        "count": [1, 2, 4, 1, 2, 4, 8],
        "share": [0.1, 0.2, 0.4, 0.05, 0.3, 0.35, float("nan")],
        "low": [0.05, 0.1, 0.35, 0.0, 0.2, 0.3, None],
        "high": [0.15, 0.3, 0.45, 0.1, 0.4, 0.4, None],
        "p": [1e-9, 0.04, 0.5, 0.2, 0.01, 0.9, None],
        "found": [True, True, False, False, True, False, None],
    }
)


@table_row
class Score:
    """A row of the scores."""

    layer: LayerName
    unit: UnitNumber
    concept: str | None = column("what it is about")
    count: int = column("how many units are off", heading="units off")
    share: float | None = column("what is left of the area", "share of the area", "area left")
    low: Low
    high: High
    p: float | None = column("of the difference", form="p")
    found: bool | None = column("whether it holds")


def chart(kind: str, x: str = "count", **more: object) -> ReportChart:
    """A chart of the scores."""
    given: dict[str, object] = {
        "kind": kind,
        "table": "scores.parquet",
        "x": x,
        "y": "share",
        "x_title": "units off",
        "y_title": "area left, %",
        "y_percent": True,
        "label": f"Area left, as {kind} by {x}.",
        "caption": "What is left as more units go off.",
    }
    return ReportChart.model_validate(given | more)


def everything() -> ReportRecord:
    """A report that uses all that there is."""
    interval = {"low": "low", "high": "high"}
    nothing = Reference(axis="y", value=0.25, name="chance")
    columns = ["layer", "unit", "concept", "share", "count", "p", "found"]
    return ReportRecord(
        study="scores",
        name="scores",
        question="Does it hold?",
        answer="It holds in 3 of 7 rows.",
        number=Measured(words="of the area is left", value=0.35, low=0.3, high=0.4, form="percent"),
        method=["Units were switched off, see `scores.parquet`."],
        sections=[
            ReportSection(
                title="By number",
                text=["More units take more away."],
                charts=[
                    chart("lines", group="layer", x_log=True, references=[nothing], **interval),
                    chart("points", group="concept", hover=["layer", "unit"], **interval),
                ],
                tables=[ReportTable(table="scores.parquet", columns=columns, most=5, caption="All rows.")],
            ),
            ReportSection(
                title="By layer",
                charts=[
                    chart("bars", x="layer", x_title="layer", where={"found": "yes"}, **interval),
                    chart("bars", x="concept", x_title="concept", group="layer", references=[nothing]),
                    chart("points", where={"layer": "layer9"}),
                ],
                tables=[
                    ReportTable(
                        table="scores.parquet", columns=columns, where={"layer": "none"}, caption="No row."
                    )
                ],
            ),
            ReportSection(
                title="Seen",
                pictures=[
                    ReportPicture(
                        file="rooms.webp",
                        rows=["before", "cushion off", "lamp on"],
                        samples=[0, 1, 2, 3],
                        below=[["gone", "gone", "stays", ""], ["comes"]],
                        caption="The first samples.",
                    ),
                    ReportPicture(file="rooms.webp", rows=["before"], samples=[0, 1, 2, 3], caption="As is."),
                ],
                units=[
                    UnitRef(layer="layer2", unit=3, note="takes most away"),
                    UnitRef(layer="layer9", unit=3, note="is not on this site"),
                ],
            ),
        ],
        limits=["Made up."],
        settings={"samples": "7"},
        tables=["scores.parquet"],
        columns={"scores.parquet": Columns.of(Schema(Score))},
    )


def hostile() -> ReportRecord:
    """A report whose every word tries to be markup."""
    return ReportRecord(
        study=f"../{EVIL}",
        name="evil",
        question=EVIL,
        answer=EVIL,
        number=Measured(words=EVIL, value=-0.004),
        method=[EVIL],
        sections=[
            ReportSection(
                title=EVIL,
                text=[EVIL],
                charts=[
                    chart("bars", x="name", label=f"{EVIL}.", caption=f"{EVIL}.", x_title=EVIL, y_title=EVIL),
                    chart("points", group="name", hover=["name"]),
                ],
                tables=[ReportTable(table="scores.parquet", columns=["name"], caption=EVIL)],
                units=[UnitRef(layer="b8.conv0", unit=0, note=EVIL)],
            )
        ],
        limits=[EVIL],
        settings={EVIL: EVIL},
        tables=["scores.parquet"],
        columns={"scores.parquet": {"name": Described(heading=EVIL, meaning=EVIL)}},
    )


def write_reports(root: Path, strip: bytes) -> None:
    """Write both; `strip` has three rows of four pictures."""
    names = [EVIL, "%{x}", "<b>", "a\nb", "=1+1", "é", None]
    evil = SCORES.with_columns(pl.Series("name", names))
    write_report(root / "bedrooms", everything(), SCORES, {"rooms.webp": strip})
    write_report(root / "hostile", hostile(), evil, {})


def write_report(model: Path, record: ReportRecord, scores: pl.DataFrame, pictures: dict[str, bytes]) -> None:
    """Add a report to a model's results."""
    home = f"studies/{record.name}"
    files = {
        f"{home}/scores.parquet": table_bytes(scores, scores.schema),
        **{f"{home}/pictures/{name}": data for name, data in pictures.items()},
    }
    ResultsWriter(model.parent, model.name).write_part(
        home, "key", files, {f"{home}/study.json": to_json(record)}
    )
