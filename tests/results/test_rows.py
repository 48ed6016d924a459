"""Typed rows are the columns of their tables: the types agree, and values are read by name."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

from unit59.results import schema
from unit59.results.rows import ConceptRow, as_dict, rows

PLAIN: dict[Any, type] = {
    pl.Int32: int,
    pl.Int64: int,
    pl.Float32: float,
    pl.Float64: float,
    pl.String: str,
    pl.Boolean: bool,
}


@pytest.mark.parametrize("file", schema.TABLES)
def test_what_a_reader_gets_is_what_the_file_holds(file: str) -> None:
    table = schema.TABLES[file]
    hints = get_type_hints(table.row)
    assert list(table.row.__slots__) == list(table) == list(hints)  # type: ignore[attr-defined]
    for name, hint in hints.items():
        dtype, column = table[name], table.columns[name]
        plain: Any = GenericAlias(list, PLAIN[dtype.inner]) if isinstance(dtype, pl.List) else PLAIN[dtype]
        assert hint == (plain | None if column.nullable else plain), name
        assert column.nullable == (type(None) in get_args(hint))


@pytest.mark.parametrize("file", schema.TABLES)
def test_every_column_says_what_it_means(file: str) -> None:
    for name, column in schema.TABLES[file].columns.items():
        assert column.meaning, name
        assert not column.meaning.endswith("."), name
        numbers = column.dtype in {pl.Float32, pl.Float64, pl.List(pl.Float64), pl.List(pl.Float32)}
        assert column.unit or not numbers or name in {"p", "q", "unusual", "score"}, name


def test_rows_are_read_by_name_not_by_place() -> None:
    table = pl.DataFrame(
        {
            "presence": [0.5],
            "concept": [1],
            "label": ["bed"],
            "share": [None],
            "plane": ["object"],
            "colour": ["#112233"],
            "more": [1],
        }
    )
    (row,) = rows(table, ConceptRow)
    assert (row.concept, row.label, row.share, row.presence) == (1, "bed", None, 0.5)
    assert list(as_dict(row)) == list(schema.CONCEPTS)
