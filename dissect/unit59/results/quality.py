"""What `quality.json` and `quality.parquet` hold: samples beside real pictures."""

from __future__ import annotations

from typing import Any

import polars as pl

from unit59.results.record import SCHEMA_VERSION, Record

#: One row a concept. Low and high are bounds of 95 % intervals; shares are of the compared grid.
QUALITY: dict[str, Any] = {
    "concept": pl.Int32,
    "label": pl.String,
    "plane": pl.String,
    "presence_real": pl.Float64,  # share of the pictures that show it (share of the grid >= floor)
    "presence_real_low": pl.Float64,
    "presence_real_high": pl.Float64,
    "presence_generated": pl.Float64,
    "presence_generated_low": pl.Float64,
    "presence_generated_high": pl.Float64,
    "presence_difference": pl.Float64,  # generated less real
    "presence_difference_low": pl.Float64,
    "presence_difference_high": pl.Float64,
    "area_real": pl.Float64,  # mean share of the grid
    "area_real_low": pl.Float64,
    "area_real_high": pl.Float64,
    "area_generated": pl.Float64,
    "area_generated_low": pl.Float64,
    "area_generated_high": pl.Float64,
    "agreement": pl.Float64,  # IoU with what the input asked for; null where that is not known
    "agreement_low": pl.Float64,
    "agreement_high": pl.Float64,
}


class QualityRecord(Record):
    """`quality.json`."""

    schema_version: int = SCHEMA_VERSION
    source: str  # the recipe's `real`, as JSON
    real: int  # pictures
    generated: int
    floor: float  # a picture shows a concept from this share of the grid on
    distance: float  # Fréchet segmentation distance, of shares in percent
    distance_of_halves: float  # between two halves of the real pictures
    half: int  # pictures on each side of both distances
    agreement: float | None  # mean IoU with what the inputs asked for
    agreement_low: float | None
    agreement_high: float | None
    sheet: tuple[int, int]  # rows, columns of pictures/real.webp
