"""Tables of the store: Parquet with exactly the columns of a schema."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import polars as pl

from unit59.results.record import ResultsError

#: No table of results has more rows (512 units, 5 kinds of edit and 1 200 concepts make 3 million).
MOST_ROWS = 10_000_000


def picture_name(unit: int, kind: str) -> str:
    """`0059-exemplars.webp`; kind is exemplars, ablated, inserted, or effect."""
    return f"{unit:04d}-{kind}.webp"


def table_bytes(table: pl.DataFrame, schema: Mapping[str, Any]) -> bytes:
    """The table as Parquet with exactly the columns and types of `schema`."""
    buffer = io.BytesIO()
    table.select([pl.col(name).cast(kind) for name, kind in schema.items()]).write_parquet(
        buffer, compression="zstd"
    )
    return buffer.getvalue()


def parse_table(place: str, data: bytes, schema: Mapping[str, Any]) -> pl.DataFrame:
    """A table from a Parquet file's content, with the columns of `schema`; all that it has without one.

    Raises:
        ResultsError: not Parquet, too many rows, or a column is missing or of another type.
    """
    try:
        # Of the file's metadata alone: a small file may claim rows that fill the memory.
        rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
        if rows > MOST_ROWS:
            raise ResultsError(f"{place}: {rows:,} rows, more than the {MOST_ROWS:,} that a table may have.")
        table = pl.read_parquet(io.BytesIO(data))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResultsError(f"{place}: not readable as Parquet ({error}).") from None
    wrong = [name for name, kind in schema.items() if table.schema.get(name) != kind]
    if wrong:
        raise ResultsError(
            f"{place}: column {wrong[0]!r} is missing or has another type than {schema[wrong[0]]}."
        )
    return table.select(list(schema)) if schema else table
