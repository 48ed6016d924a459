"""Tables of the store: Parquet with exactly the columns of a schema, which say what they hold."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from unit59.results.columns import Schema
from unit59.results.parquet_pages import unpacked
from unit59.results.record import ResultsError

#: No table of results has more rows (512 units, 5 kinds of edit and 1 200 concepts make 3 million).
MOST_ROWS = 10_000_000
#: Nor does one hold more values (rows times columns, and what is in lists), or take more bytes when unpacked.
MOST_VALUES, MOST_BYTES = 150_000_000, 1_500_000_000
#: Where in a Parquet file's metadata its columns are described: JSON, `{column: {meaning, unit}}`. Of single
#: fields, polars writes metadata only as an Arrow schema of another library has it (pyarrow), which nothing
#: here needs, and shows none when it reads.
DESCRIBED = "unit59:columns"
#: Strips of pictures that every unit has, and with the one that measured effects add.
UNIT_STRIPS = ("exemplars", "ablated", "inserted")
STRIPS = (*UNIT_STRIPS, "effect")


def picture_name(unit: int, kind: str) -> str:
    """`0059-exemplars.webp`; for the kinds see `STRIPS`."""
    return f"{unit:04d}-{kind}.webp"


def table_bytes(table: pl.DataFrame, schema: Mapping[str, Any]) -> bytes:
    """The table as Parquet, as `fitted` makes it.

    The file's metadata says what the columns of a schema of the results mean.
    """
    described = {DESCRIBED: _described(schema)} if isinstance(schema, Schema) else {}
    buffer = io.BytesIO()
    fitted(table, schema).write_parquet(buffer, compression="zstd", metadata=described)
    return buffer.getvalue()


def fitted(table: pl.DataFrame, schema: Mapping[str, Any]) -> pl.DataFrame:
    """The table with exactly the columns and types of `schema`; NaN is nothing, where that may be.

    Raises:
        polars.exceptions.PolarsError: a column is missing, or cannot be of its type.
    """
    exact = table.select([pl.col(name).cast(kind) for name, kind in schema.items()])
    if not isinstance(schema, Schema):
        return exact
    optional = [name for name, column in schema.columns.items() if column.nullable]
    return exact.with_columns((pl.selectors.float() & pl.selectors.by_name(optional)).fill_nan(None))


def _described(schema: Schema) -> str:
    said = {name: {"meaning": each.meaning, "unit": each.unit} for name, each in schema.columns.items()}
    return json.dumps(said, ensure_ascii=False)


def parse_table(place: str, data: bytes, schema: Mapping[str, Any]) -> pl.DataFrame:
    """A table from a Parquet file's content, with the columns of `schema`; all that it has without one.

    Raises:
        ResultsError: not Parquet, too many rows or values, a column is missing, of another type or one too
            many, a number is not finite, or nothing stands where something must.
    """
    try:
        # Of the file's headers alone: a small file may claim values that fill the memory.
        _check_size(place, data)
        _check_columns(place, pl.read_parquet_schema(io.BytesIO(data)), schema)
        table = pl.read_parquet(io.BytesIO(data))
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ResultsError(f"{place}: not readable as Parquet ({error}).") from None
    if isinstance(schema, Schema):
        _check_values(place, table, schema)
    return table.select(list(schema)) if schema else table


def _check_size(place: str, data: bytes) -> None:
    values, size = unpacked(data)
    rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
    for number, most, what in (
        (rows, MOST_ROWS, "rows"),
        (values, MOST_VALUES, "values"),
        (size, MOST_BYTES, "bytes when it is unpacked"),
    ):
        if number > most:
            raise ResultsError(f"{place}: {number:,} {what}, more than the {most:,} that a table may have.")


def _check_columns(place: str, found: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    wrong = [name for name, kind in schema.items() if found.get(name) != kind]
    if wrong:
        raise ResultsError(
            f"{place}: column {wrong[0]!r} is missing or has another type than {schema[wrong[0]]}."
        )
    if schema and (more := [name for name in found if name not in schema]):
        raise ResultsError(f"{place}: column {more[0]!r} is none of this table's.")


def _check_values(place: str, table: pl.DataFrame, schema: Schema) -> None:
    for name, column in schema.columns.items():
        values = table[name]
        bad = _without_value(values)
        if not column.nullable:
            bad = bad | values.is_null()
        if (found := bad.arg_true()).len():
            value = values[found[0]]
            said = value.to_list() if isinstance(value, pl.Series) else value
            raise ResultsError(
                f"{place}: column {name!r}, row {found[0]}: {said} stands there, which is no value. "
                "Dissect this model again."
            )


def _without_value(values: pl.Series) -> pl.Series:
    """Where a number is NaN or infinite, or a list holds such a number or nothing; null is left alone."""
    if isinstance(values.dtype, pl.List):
        lacking = ~pl.element().is_finite().fill_null(value=False)
        found = values.list.eval(lacking).list.any()
    elif values.dtype.is_float():
        found = ~values.is_finite()
    else:
        found = pl.repeat(value=False, n=len(values), eager=True)
    return found.fill_null(value=False)
