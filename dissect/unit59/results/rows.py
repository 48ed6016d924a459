"""Rows of the tables as typed records: a column that is renamed is a type error where it is read.

One record a table, with the columns of its schema in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import polars as pl

_R = TypeVar("_R")


def rows(table: pl.DataFrame, kind: type[_R]) -> Iterator[_R]:
    """The table's rows as records of one of the kinds below, in order.

    Args:
        table: with the columns of the kind's schema, in any order.
        kind: of record.
    """
    columns = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # all kinds are dataclasses
    for row in table.select(columns).iter_rows():
        yield kind(*row)


def as_dict(row: Any) -> dict[str, Any]:
    """A record's values by column, in order."""
    return {name: getattr(row, name) for name in row.__slots__}


@dataclass(slots=True)
class UnitRow:
    """A unit: a row of units.parquet."""

    unit: int
    threshold: float
    on_share: float
    concept: int | None
    label: str | None
    plane: str | None
    iou: float | None
    iou_low: float | None
    iou_high: float | None
    null_iou: float | None
    null_99: float | None
    iqr: float | None
    interpretable: bool
    above_null: bool
    mean: float
    maximum: float
    insert_level: float
    exemplars: list[int] | None
    exemplar_peaks: list[float] | None
    ablated_change: list[float] | None
    inserted: list[int] | None
    inserted_change: list[float] | None


@dataclass(slots=True)
class AgreementRow:
    """A unit with a concept: a row of agreement.parquet."""

    unit: int
    concept: int
    label: str
    plane: str
    intersection: int | None
    union: int | None
    iou: float | None
    iou_low: float | None
    iou_high: float | None
    null_iou: float | None
    null_99: float | None
    iqr: float | None


@dataclass(slots=True)
class ActivationRow:
    """A unit's values: a row of activations.parquet."""

    unit: int
    low: float
    high: float
    counts: list[int]


@dataclass(slots=True)
class SimilarRow:
    """A unit and another one whose mask overlaps its own: a row of similar.parquet."""

    unit: int
    rank: int
    other_layer: str
    other_unit: int
    overlap: float


@dataclass(slots=True)
class ConceptRow:
    """A concept of the segmenter: a row of concepts.parquet."""

    concept: int
    label: str
    plane: str
    colour: str | None
    share: float | None
    presence: float | None


@dataclass(slots=True)
class EffectRow:
    """What one edit of one unit does to one concept: a row of effects.parquet."""

    unit: int
    kind: str
    concept: int
    label: str
    plane: str
    before: float | None
    effect: float | None
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    q: float | None
    others_low: float | None
    others_high: float | None
    found: bool
    beyond_others: bool | None
    unusual: float | None
    shown: int | None
    erased: int | None
    erasure_rate: float | None
    erasure_low: float | None
    erasure_high: float | None
    absent: int | None
    inserted: int | None
    insertion_rate: float | None
    insertion_low: float | None
    insertion_high: float | None
    side: float | None


@dataclass(slots=True)
class UnitEffectRow:
    """What one edit of one unit does most: a row of unit_effects.parquet."""

    unit: int
    kind: str
    change: float | None
    concepts: int
    concept: int | None
    label: str | None
    plane: str | None
    effect: float | None
    low: float | None
    high: float | None
    q: float | None
    beyond_others: bool | None
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    side: float | None
    samples: list[int] | None
    sample_effects: list[float] | None


@dataclass(slots=True)
class RelationRow:
    """How agreement and effect go together: a row of relations.parquet."""

    of: str
    concept: int | None
    label: str | None
    plane: str | None
    kind: str
    units: int
    rho: float | None
    low: float | None
    high: float | None


@dataclass(slots=True)
class QualityRow:
    """A concept in generated and in real pictures: a row of quality.parquet."""

    concept: int
    label: str
    plane: str
    presence_real: float | None
    presence_real_low: float | None
    presence_real_high: float | None
    presence_generated: float | None
    presence_generated_low: float | None
    presence_generated_high: float | None
    presence_difference: float | None
    presence_difference_low: float | None
    presence_difference_high: float | None
    area_real: float | None
    area_real_low: float | None
    area_real_high: float | None
    area_generated: float | None
    area_generated_low: float | None
    area_generated_high: float | None
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None


@dataclass(slots=True)
class StaircaseRow:
    """A number of units of one order: a row of staircase.parquet."""

    layer: str
    order: str
    draw: int | None
    kind: str
    count: int
    unit: int
    left: float | None
    effect: float | None
    low: float | None
    high: float | None
    hits: int
    cases: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    side: float


@dataclass(slots=True)
class AloneRow:
    """A unit off alone: a row of alone.parquet."""

    layer: str
    unit: int
    iou: float
    left: float
    erased: int
    shown: int
    confirmed: bool
    rate: float | None
    rate_low: float | None
    rate_high: float | None


@dataclass(slots=True)
class CaseRow:
    """A sample, before and after: a row of cases.parquet."""

    layer: str
    sample: int
    kind: str
    before: float
    after: float
    all_but: float | None
    side: float


@dataclass(slots=True)
class SpecificityRow:
    """A concept under the edit of the units found: a row of specificity.parquet."""

    layer: str
    concept: int
    label: str
    plane: str
    before: float | None
    effect: float | None
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    q: float | None
    random_low: float | None
    random_high: float | None


@dataclass(slots=True)
class RandomSetRow:
    """A random set of as many units: a row of random.parquet."""

    layer: str
    kind: str
    draw: int
    units: list[int]
    left: float | None
    hits: int
    cases: int
    rate: float | None
    side: float
