"""The tables of the study of outlines: what their columns hold. Never imports torch."""

from __future__ import annotations

from typing import Annotated

from unit59.results.columns import (
    LEVELS,
    Column,
    ConceptName,
    High,
    LayerName,
    Low,
    Schema,
    column,
    table_row,
)

HalfName = Annotated[str, Column("half of the network that the layer is in: encoder, decoder")]
KeptLines = Annotated[
    float | None,
    Column("what is left of the outlines, from chance (0) to nothing off (1)", "share", "outlines left"),
]
KeptAgreement = Annotated[
    float | None,
    Column("what is left of the mean IoU, from chance (0) to nothing off (1)", "share", "agreement left"),
]
PictureChange = Annotated[
    float, Column("mean absolute change of the picture", LEVELS, "change of the picture")
]


@table_row
class CurveRow:
    """A layer, an order of its units, and how many of them are off."""

    layer: LayerName
    half: HalfName
    order: str = column("in which units go off: random, agreement (best IoU first)")
    off: int = column("units that are off", heading="units off")
    share: float = column("of the layer's units, those that are off", "share", "units off")
    lines: float | None = column("F-score of the outlines", form="percent")
    lines_low: Low
    lines_high: High
    agreement: float | None = column(
        "mean IoU with what was asked for", "IoU", "agreement with the input", form="percent"
    )
    agreement_low: Low
    agreement_high: High
    kept_lines: KeptLines
    kept_lines_low: Low
    kept_lines_high: High
    change: PictureChange


@table_row
class OutlineLayerRow:
    """A layer of which all units are off."""

    layer: LayerName
    half: HalfName
    units: int = column("how many it has")
    kept_lines: KeptLines
    kept_lines_low: Low
    kept_lines_high: High
    kept_agreement: KeptAgreement
    kept_agreement_low: Low
    kept_agreement_high: High
    outcome: str = column("what becomes of the outlines: stay, gone, in part", heading="outlines")
    change: PictureChange


@table_row
class OutlineConceptRow:
    """What is off, and a concept that was asked for."""

    off: str = column("the layer of which all units are off, or: nothing off")
    half: HalfName
    concept: ConceptName
    iou: float | None = column(
        "of the concept and where it was asked for", "IoU", "IoU with what was asked for", form="percent"
    )
    iou_low: Low
    iou_high: High


CURVES, LAYERS, CONCEPTS = Schema(CurveRow), Schema(OutlineLayerRow), Schema(OutlineConceptRow)
SCHEMAS = {"curves.parquet": CURVES, "layers.parquet": LAYERS, "concepts.parquet": CONCEPTS}
