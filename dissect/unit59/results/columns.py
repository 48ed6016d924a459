"""Columns that explain themselves: a table is declared once, as the record that one of its rows is.

The record's fields are the columns, in order: their names, what a reader gets (with `None` where there may be
nothing), and a `Column` with the type in the file, the meaning and the unit. From it come the table's schema,
the descriptions inside the Parquet files, headings and tool tips of the site, and the guide's page "Results".
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import polars as pl

_R = TypeVar("_R")


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes:
        dtype: in the file.
        meaning: in a phrase.
        unit: that its numbers are in; empty for names, numbers of things, and what has none.
        heading: a short one; empty: the column's name.
        nullable: whether a row may have nothing there.
    """

    dtype: Any
    meaning: str
    unit: str = ""
    heading: str = ""
    nullable: bool = False

    @property
    def said(self) -> str:
        """Meaning and unit as one phrase, for a tool tip."""
        return f"{self.meaning} ({self.unit})" if self.unit else self.meaning


class Schema(dict[str, Any]):
    """The columns of a table with their types, as polars takes them.

    Args:
        row: the record that a row is; see this module.
    """

    def __init__(self, row: type) -> None:
        self.row = row
        super().__init__({name: column.dtype for name, column in columns_of(row).items()})

    @property
    def columns(self) -> dict[str, Column]:
        """What each column holds, by name."""
        return columns_of(self.row)


@cache
def columns_of(row: type) -> dict[str, Column]:
    """The columns that a record declares, by name, in order."""
    found = {}
    for name, hint in get_type_hints(row, include_extras=True).items():
        kind, column = get_args(hint)
        nullable = get_origin(kind) is types.UnionType and types.NoneType in get_args(kind)
        found[name] = replace(column, nullable=nullable)
    return found


def rows(table: pl.DataFrame, kind: type[_R]) -> Iterator[_R]:
    """The table's rows as records, in order.

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


#: Units that numbers are in.
LEVELS, PICTURE = "levels of 0 … 255", "share of the picture"

#: Columns that many tables have.
UnitNumber = Annotated[int, Column(pl.Int32, "number of the unit, from 0 on", heading="unit")]
HandleNumber = Annotated[
    int, Column(pl.Int32, "number of the unit, or of the style channel for the kinds style_*", heading="unit")
]
LayerName = Annotated[str, Column(pl.String, "name of the layer", heading="layer")]
ConceptNumber = Annotated[int, Column(pl.Int32, "number of the concept, as in concepts.parquet")]
ConceptName = Annotated[str, Column(pl.String, "name of the concept", heading="concept")]
PlaneName = Annotated[str, Column(pl.String, "plane of the concept: object, part, material …")]
EditKind = Annotated[str, Column(pl.String, "the edit: ablate, insert", heading="edit")]
EffectLow = Annotated[float | None, Column(pl.Float64, "lower end of the effect's 95 % interval", PICTURE)]
EffectHigh = Annotated[float | None, Column(pl.Float64, "upper end of the effect's 95 % interval", PICTURE)]
