"""Tables that cannot be are refused in one line: file, column, row; bombs before they are unpacked."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from tests.synthetic import write_results
from unit59.results import CONCEPTS, LAYER_TABLES, ResultsError, ResultsWriter, read_model, table_bytes
from unit59.results.tables import MOST_ROWS, parse_table


def _first(value: object, column: str) -> pl.Expr:
    first = pl.int_range(pl.len()) == 0
    return pl.when(first).then(pl.lit(value, dtype=CONCEPTS.get(column, pl.Int32))).otherwise(column)


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
    with pytest.raises(ResultsError, match=rf"{table}: column '(unit|label|concept)', row \d+: ") as refused:
        read_model(model)
    assert "\n" not in str(refused.value)
    assert "\x00" not in str(refused.value)


def test_a_table_of_too_many_rows_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    pl.select(pl.repeat(0, MOST_ROWS + 1, dtype=pl.Int8).alias("unit")).write_parquet(buffer)
    assert len(buffer.getvalue()) < 1_000_000
    with pytest.raises(ResultsError, match="10,000,001 rows, more than"):
        parse_table("units.parquet", buffer.getvalue(), {})
