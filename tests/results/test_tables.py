"""Tables that cannot be are refused in one line: file, column, row; bombs before they are unpacked."""

from __future__ import annotations

import io
import json
import math
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from tests.synthetic import write_results
from unit59.results import (
    CONCEPTS,
    LAYER_TABLES,
    UNITS,
    ResultsError,
    ResultsWriter,
    read_model,
    table_bytes,
    tables,
)
from unit59.results.parquet_pages import unpacked
from unit59.results.schema import SIMILAR, TABLES, UNIT_EFFECTS
from unit59.results.tables import DESCRIBED, MOST_ROWS, parse_table


def _first(value: object, column: str) -> pl.Expr:
    first = pl.int_range(pl.len()) == 0
    dtype = UNITS.get(column) or CONCEPTS.get(column)
    return pl.when(first).then(pl.lit(value, dtype=dtype)).otherwise(column)


@pytest.mark.parametrize(
    ("part", "table", "column", "value"),
    [
        ("layers/layer1", "units.parquet", "unit", -1),
        ("layers/layer1", "units.parquet", "unit", 12),
        ("layers/layer1", "units.parquet", "unit", 3),
        ("layers/layer1", "agreement.parquet", "unit", None),
        ("model", "concepts.parquet", "label", None),
        ("model", "concepts.parquet", "label", "window"),
        ("model", "concepts.parquet", "label", "a\x00b"),
        ("model", "concepts.parquet", "concept", 2),
        ("model", "concepts.parquet", "share", math.inf),
        ("layers/layer1", "units.parquet", "threshold", math.nan),
        ("layers/layer1", "units.parquet", "iou", -math.inf),
        ("layers/layer1", "units.parquet", "interpretable", None),
        ("layers/layer1", "units.parquet", "exemplar_peaks", [1.0, math.inf]),
        ("layers/layer1", "units.parquet", "exemplars", [1, None]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path, part: str, table: str, column: str, value: object
) -> None:
    results = write_results(tmp_path)
    model = results / "bedrooms"
    writer = ResultsWriter(results, "bedrooms")
    known = writer.parts[part]
    files = {file: (model / file).read_bytes() for file in known.files}
    told = {file: (model / file).read_bytes() for file in known.told}
    file = table if part == "model" else f"{part}/{table}"
    schema = CONCEPTS if part == "model" else LAYER_TABLES[table]
    spoilt = pl.read_parquet(model / file).with_columns(_first(value, column).alias(column))
    writer.write_part(part, "key", files | {file: table_bytes(spoilt, schema)}, told)
    with pytest.raises(ResultsError, match=rf"{table}: column '{column}', row \d+: ") as refused:
        read_model(model)
    assert "\n" not in str(refused.value)
    assert "\x00" not in str(refused.value)


def test_a_table_of_too_many_rows_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    pl.select(pl.repeat(0, MOST_ROWS + 1, dtype=pl.Int8).alias("unit")).write_parquet(buffer)
    assert len(buffer.getvalue()) < 1_000_000
    with pytest.raises(ResultsError, match="10,000,001 rows, more than"):
        parse_table("units.parquet", buffer.getvalue(), {})


@pytest.mark.parametrize(
    ("bomb", "message"),
    [
        (pl.select(pl.zeros(1_000_001, pl.Int8).implode().alias("unit")), "1,000,001 values, more"),
        (pl.select(pl.zeros(100_000, pl.Int8).alias(f"c{n}") for n in range(11)), "1,100,000 values, more"),
        (pl.DataFrame({"text": ["a" * 6_000_000, "b" * 6_000_000]}), "bytes when it is unpacked, more"),
    ],
    ids=["one list", "wide", "text"],
)
def test_a_bomb_is_refused_before_it_is_unpacked(
    bomb: pl.DataFrame, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    bomb.write_parquet(buffer, compression="zstd")
    assert len(buffer.getvalue()) < 10_000
    monkeypatch.setattr(tables, "MOST_VALUES", 1_000_000)
    monkeypatch.setattr(tables, "MOST_BYTES", 10_000_000)
    monkeypatch.setattr(pl, "read_parquet", None)
    with pytest.raises(ResultsError, match=message):
        parse_table("units.parquet", buffer.getvalue(), {})


def test_a_column_of_its_own_is_refused() -> None:
    table = pl.DataFrame({"a": [1], "more": [2]})
    with pytest.raises(ResultsError, match="column 'more' is none of this table's"):
        parse_table("t.parquet", table_bytes(table, table.schema), {"a": pl.Int64})


def test_headers_are_counted_as_the_table_holds_values() -> None:
    table = pl.DataFrame(
        {"a": range(300_000), "b": ["x", None, "y"] * 100_000, "c": [[1, 2], [], [3]] * 100_000}
    )
    values, size = unpacked(table_bytes(table, table.schema))
    assert values == 300_000 * 2 + 400_000  # an empty list is a value in the file
    assert size > 300_000


def test_damaged_headers_are_refused_or_read() -> None:
    table = pl.DataFrame({"a": [1, 2], "b": ["x", None], "c": [[1.0], []]})
    whole = table_bytes(table, table.schema)
    for place in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            with suppress(ValueError):
                unpacked(bytes(flipped))
        with pytest.raises(ResultsError, match="not readable as Parquet"):
            parse_table("t.parquet", whole[:place], {})


@pytest.mark.parametrize("file", TABLES)
def test_a_table_s_file_says_what_its_columns_mean(file: str) -> None:
    schema = TABLES[file]
    data = table_bytes(pl.DataFrame(schema=schema), schema)
    said = json.loads(pl.read_parquet_metadata(io.BytesIO(data))[DESCRIBED])
    assert list(said) == list(schema)
    for name, column in schema.columns.items():
        assert said[name] == {"meaning": column.meaning, "unit": column.unit}


def test_a_table_is_read_as_it_was_written_and_written_alike() -> None:
    table = pl.DataFrame(
        [(0, 1, "layer2", 5, 0.25), (0, 2, "layer2", 7, 0.125)], schema=SIMILAR, orient="row"
    )
    data = table_bytes(table, SIMILAR)
    assert parse_table("similar.parquet", data, SIMILAR).equals(table)
    assert table_bytes(table, SIMILAR) == data


def test_no_number_is_written_as_nothing_where_there_may_be_nothing() -> None:
    given = {"unit": 0, "kind": "ablate", "concepts": 0, "q": math.nan}
    data = table_bytes(pl.DataFrame([given], schema=UNIT_EFFECTS), UNIT_EFFECTS)
    assert parse_table("unit_effects.parquet", data, UNIT_EFFECTS)["q"].to_list() == [None]
