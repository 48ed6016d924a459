"""Columns that explain themselves: a table is declared once, as the record that one of its rows is.

The record's fields are the columns, in order: their names, what a reader gets (with `None` where there may be
nothing), and with `column` the meaning, the unit and a heading. From it come the table's schema, the
descriptions inside the Parquet files, headings and tool tips of the site, and the guide's page "Results".
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

import polars as pl

_R = TypeVar("_R")
#: How cells are said: percent is a share, shown times 100; p a p-value.
Form = Literal["text", "number", "percent", "integer", "p"]
#: In the file, where a column does not say something else.
_DTYPES: dict[Any, Any] = {
    str: pl.String,
    bool: pl.Boolean,
    int: pl.Int32,
    float: pl.Float64,
    list[int]: pl.List(pl.Int32),
    list[float]: pl.List(pl.Float64),
}


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes:
        meaning: in a phrase.
        unit: that its numbers are in; empty for names, numbers of things, and what has none.
        heading: a short one; empty: the column's name, in words.
        dtype: in the file; None: what the field's type says.
        said_as: how its cells are said; None: what type and unit say.
        nullable: whether a row may have nothing there.
        low: name of the column of the lower end of its 95 % interval.
        high: of the upper end.
    """

    meaning: str
    unit: str = ""
    heading: str = ""
    dtype: Any = None
    said_as: Form | None = None
    nullable: bool = False
    low: str | None = None
    high: str | None = None

    @property
    def said(self) -> str:
        """Meaning and unit as one phrase, for a tool tip."""
        return f"{self.meaning} ({self.unit})" if self.unit else self.meaning

    @property
    def form(self) -> Form:
        """How its cells are said."""
        if self.said_as or self.dtype not in (pl.Float32, pl.Float64):
            return self.said_as or ("integer" if self.dtype in (pl.Int32, pl.Int64) else "text")
        return "percent" if self.unit.startswith("share") else "number"

    @property
    def title(self) -> str:
        """The heading, for numbers with what they are shown in."""
        unit = self.unit if self.form in ("number", "percent") else ""
        if self.form == "percent":
            unit = unit.replace("share", "%", 1) if unit.startswith("share") else "%"
        return self.heading if not unit or unit in self.heading else f"{self.heading} ({unit})"


def column(
    meaning: str, unit: str = "", heading: str = "", *, dtype: Any = None, form: Form | None = None
) -> Any:
    """A field of a table's row; see `Column`."""
    return field(metadata={"column": Column(meaning, unit, heading, dtype, form)})


@dataclass_transform(field_specifiers=(column,))
def table_row(kind: type[_R]) -> type[_R]:
    """The class as the record that a table's row is."""
    return dataclass(slots=True)(kind)


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

    def frame(self, rows: Iterable[Any]) -> pl.DataFrame:
        """The table of these records; NaN is nothing."""
        table = pl.DataFrame([as_dict(row) for row in rows], schema=self)
        return table.with_columns(pl.selectors.float().fill_nan(None))


@cache
def columns_of(row: type) -> dict[str, Column]:
    """The columns that a record declares, by name, in order."""
    hints = get_type_hints(row, include_extras=True)
    given = {each.name: each for each in fields(row)}
    found = {name: _column(name, hints[name], given[name].metadata.get("column")) for name in given}
    names = list(found)
    for name, low, high in zip(names, names[1:], names[2:], strict=False):
        if (hints[low], hints[high]) == (Low, High):
            found[name] = replace(found[name], low=low, high=high)
            for end in (low, high):
                meaning = f"{found[end].meaning} of {name}"
                found[end] = replace(found[end], meaning=meaning, unit=found[name].unit)
    return found


def _column(name: str, hint: Any, given: Column | None) -> Column:
    """A column as its field declares it, with what its type says."""
    if given is None:
        hint, given = get_args(hint)
    kinds = get_args(hint) if get_origin(hint) is types.UnionType else (hint,)
    (kind,) = (each for each in kinds if each is not types.NoneType)
    dtype = _DTYPES[kind] if given.dtype is None else given.dtype
    return replace(
        given, dtype=dtype, nullable=len(kinds) > 1, heading=given.heading or name.replace("_", " ")
    )


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

#: What an edit may do to a unit, in the order in which tables and pages have it.
EDIT_KINDS: tuple[Literal["ablate"], Literal["insert"]] = ("ablate", "insert")

#: Columns that many tables have.
UnitNumber = Annotated[int, Column("number of the unit, from 0 on", heading="unit")]
LayerName = Annotated[str, Column("name of the layer", heading="layer")]
ConceptNumber = Annotated[int, Column("number of the concept, as in concepts.parquet")]
ConceptName = Annotated[str, Column("name of the concept", heading="concept")]
PlaneName = Annotated[str, Column("plane of the concept: object, part, material …")]
EditKind = Annotated[str, Column("the edit: ablate, insert", heading="edit")]
EffectLow = Annotated[float | None, Column("lower end of the effect's 95 % interval", PICTURE)]
EffectHigh = Annotated[float | None, Column("upper end of the effect's 95 % interval", PICTURE)]
#: The two columns behind one of numbers: the ends of its interval, in its unit.
Low = Annotated[float | None, Column("lower end of the 95 % interval")]
High = Annotated[float | None, Column("upper end of the 95 % interval")]
