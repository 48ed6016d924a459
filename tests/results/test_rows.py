"""Typed rows have exactly the columns of their tables, and their values."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import polars as pl
import pytest

from unit59.results import schema
from unit59.results.quality import QUALITY
from unit59.results.rows import (
    ActivationRow,
    AgreementRow,
    AloneRow,
    CaseRow,
    ConceptRow,
    EffectRow,
    QualityRow,
    RandomSetRow,
    RelationRow,
    SimilarRow,
    SpecificityRow,
    StaircaseRow,
    UnitEffectRow,
    UnitRow,
    as_dict,
    rows,
)

KINDS: list[tuple[type[Any], dict[str, Any]]] = [
    (UnitRow, schema.UNITS),
    (AgreementRow, schema.AGREEMENT),
    (ActivationRow, schema.ACTIVATIONS),
    (SimilarRow, schema.SIMILAR),
    (ConceptRow, schema.CONCEPTS),
    (EffectRow, schema.EFFECTS),
    (UnitEffectRow, schema.UNIT_EFFECTS),
    (RelationRow, schema.RELATIONS),
    (QualityRow, QUALITY),
    (StaircaseRow, schema.STAIRCASE),
    (AloneRow, schema.ALONE),
    (CaseRow, schema.CASES),
    (SpecificityRow, schema.SPECIFICITY),
    (RandomSetRow, schema.RANDOM_SETS),
]
PLAIN: dict[Any, str] = {pl.Int32: "int", pl.Int64: "int", pl.Float32: "float", pl.Float64: "float", pl.String: "str",
         pl.Boolean: "bool"}  # fmt: skip


@pytest.mark.parametrize(("kind", "columns"), KINDS, ids=[kind.__name__ for kind, _ in KINDS])
def test_a_record_has_the_columns_and_types_of_its_table(kind: type[Any], columns: dict[str, Any]) -> None:
    assert [field.name for field in fields(kind)] == list(columns)
    for field in fields(kind):
        column = columns[field.name]
        plain = f"list[{PLAIN[column.inner]}]" if isinstance(column, pl.List) else PLAIN[column]
        assert str(field.type).removesuffix(" | None") == plain, field.name


def test_rows_are_read_by_name_not_by_place() -> None:
    table = pl.DataFrame({"presence": [0.5], "concept": [1], "label": ["bed"], "share": [None],
                          "plane": ["object"], "colour": ["#112233"], "more": [1]})  # fmt: skip
    (row,) = rows(table, ConceptRow)
    assert (row.concept, row.label, row.share, row.presence) == (1, "bed", None, 0.5)
    assert list(as_dict(row)) == list(schema.CONCEPTS)
