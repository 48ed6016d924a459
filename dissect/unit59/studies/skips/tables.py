"""The tables of the study of skips: what their columns hold. Never imports torch."""

from __future__ import annotations

from typing import Annotated

from unit59.results.columns import Column, High, LayerName, Low, Schema, column, table_row
from unit59.studies.outlines.tables import KeptAgreement, KeptLines, PictureChange

DecoderLayer = Annotated[str, Column("name of the decoder layer", heading="decoder layer")]
OtherLayer = Annotated[str, Column("name of the layer that it is compared with", heading="other layer")]
Relation = Annotated[
    str,
    Column(
        "how the two are related: mirrored, other encoder layer, decoder layer before", heading="which is"
    ),
]


@table_row
class MatchRow:
    """A decoder layer and another layer: means over its units of their best match among the other's."""

    layer: DecoderLayer
    other: OtherLayer
    kind: Relation
    iou: float = column("overlap of the masks of a unit and its best match", "IoU", "best match's IoU")
    chance: float = column("the same with other samples' masks", "IoU", "by chance")
    excess: float = column("best match's IoU less that by chance", "IoU", "IoU above chance")
    excess_low: Low
    excess_high: High


@table_row
class SharedConceptsRow:
    """A decoder layer and an encoder layer: whether they stand for the same concepts."""

    layer: DecoderLayer
    other: OtherLayer
    kind: Relation
    correlation: float | None = column(
        "Spearman's, over shown concepts, of the best IoU that a unit of either layer has with the concept",
        heading="rank correlation",
    )
    low: Low
    high: High
    both: int = column(
        "concepts with which a unit agrees better than chance in both layers",
        heading="concepts with a unit in both",
    )
    one: int = column("concepts with such a unit in one of them", heading="in one of them")


@table_row
class WayRow:
    """A layer that is silent on one way or on both."""

    layer: LayerName
    mirror: str = column("name of the layer that reads it through the skip", heading="mirrored by")
    silent: str = column("where: skip, deeper, both", heading="silent in")
    kept_lines: KeptLines
    kept_lines_low: Low
    kept_lines_high: High
    kept_agreement: KeptAgreement
    kept_agreement_low: Low
    kept_agreement_high: High
    change: PictureChange


PAIRS, CONCEPTS, SILENT = Schema(MatchRow), Schema(SharedConceptsRow), Schema(WayRow)
SCHEMAS = {"pairs.parquet": PAIRS, "concepts.parquet": CONCEPTS, "ways.parquet": SILENT}
