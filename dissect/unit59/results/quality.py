"""What `quality.json` and `quality.parquet` hold: samples beside real pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import polars as pl

from unit59.results.columns import PICTURE, Column, ConceptName, ConceptNumber, PlaneName, Schema
from unit59.results.record import SCHEMA_VERSION, Count, Record

_PICTURES = "share of pictures"


@dataclass(slots=True)
class QualityRow:
    """A concept in generated and in real pictures."""

    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    presence_real: Annotated[
        float | None,
        Column(
            pl.Float64, "real pictures that show it: its area is at least the floor", _PICTURES, "shown, real"
        ),
    ]
    presence_real_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of presence_real", _PICTURES)
    ]
    presence_real_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of presence_real", _PICTURES)
    ]
    presence_generated: Annotated[
        float | None, Column(pl.Float64, "generated pictures that show it", _PICTURES, "shown, generated")
    ]
    presence_generated_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of presence_generated", _PICTURES)
    ]
    presence_generated_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of presence_generated", _PICTURES)
    ]
    presence_difference: Annotated[
        float | None, Column(pl.Float64, "presence_generated less presence_real", _PICTURES, "difference")
    ]
    presence_difference_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of the difference", _PICTURES)
    ]
    presence_difference_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of the difference", _PICTURES)
    ]
    area_real: Annotated[
        float | None, Column(pl.Float64, "its mean area in real pictures", PICTURE, "area, real")
    ]
    area_real_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of area_real", PICTURE)
    ]
    area_real_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of area_real", PICTURE)
    ]
    area_generated: Annotated[
        float | None, Column(pl.Float64, "its mean area in generated pictures", PICTURE, "area, generated")
    ]
    area_generated_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of area_generated", PICTURE)
    ]
    area_generated_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of area_generated", PICTURE)
    ]
    agreement: Annotated[
        float | None,
        Column(
            pl.Float64,
            "overlap with what the input asked for; nothing where that is not known",
            "IoU",
            "agreement",
        ),
    ]
    agreement_low: Annotated[
        float | None, Column(pl.Float64, "lower end of the 95 % interval of the agreement", "IoU")
    ]
    agreement_high: Annotated[
        float | None, Column(pl.Float64, "upper end of the 95 % interval of the agreement", "IoU")
    ]


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
