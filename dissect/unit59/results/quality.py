"""What `quality.json` and `quality.parquet` hold: samples beside real pictures."""

from __future__ import annotations

from unit59.results.columns import (
    PICTURE,
    ConceptName,
    ConceptNumber,
    High,
    Low,
    PlaneName,
    Schema,
    column,
    table_row,
)
from unit59.results.record import SCHEMA_VERSION, Count, Record

_PICTURES = "share of pictures"


@table_row
class QualityRow:
    """A concept in generated and in real pictures."""

    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    presence_real: float | None = column(
        "real pictures that show it: its area is at least the floor", _PICTURES, "shown, real"
    )
    presence_real_low: Low
    presence_real_high: High
    presence_generated: float | None = column(
        "generated pictures that show it", _PICTURES, "shown, generated"
    )
    presence_generated_low: Low
    presence_generated_high: High
    presence_difference: float | None = column(
        "presence_generated less presence_real", _PICTURES, "difference"
    )
    presence_difference_low: Low
    presence_difference_high: High
    area_real: float | None = column("its mean area in real pictures", PICTURE, "area, real")
    area_real_low: Low
    area_real_high: High
    area_generated: float | None = column("its mean area in generated pictures", PICTURE, "area, generated")
    area_generated_low: Low
    area_generated_high: High
    agreement: float | None = column(
        "overlap with what the input asked for; nothing where that is not known", "IoU", "agreement"
    )
    agreement_low: Low
    agreement_high: High


QUALITY = Schema(QualityRow)


class QualityRecord(Record):
    """Samples beside real pictures."""

    schema_version: int = SCHEMA_VERSION
    """Of the results; a reader refuses others."""
    source: str
    """The recipe's `real`, as JSON."""
    real: Count
    """Real pictures."""
    generated: Count
    """Generated pictures."""
    floor: float
    """A picture shows a concept from this share of the grid on."""
    distance: float
    """Fréchet segmentation distance, of shares in percent."""
    distance_of_halves: float
    """The same between two halves of the real pictures."""
    half: Count
    """Pictures on each side of both distances."""
    agreement: float | None
    """Mean IoU with what the inputs asked for."""
    agreement_low: float | None
    """Lower end of its 95 % interval."""
    agreement_high: float | None
    """Upper end."""
    sheet: tuple[Count, Count]
    """Rows and columns of pictures/real.webp."""
