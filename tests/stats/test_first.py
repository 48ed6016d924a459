"""What is told first, against a slow reading of the same rules."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from unit59.stats.first import FALSE_DISCOVERIES, LEAST_WIDTH, is_found, judged, told_first

NUMBERS = st.sampled_from([-0.02, -0.01, 0.0, 0.01, 0.02])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["ablate", "insert"]),
            "unit": st.integers(0, 2),
            "concept": st.integers(1, 4),
            "effect": NUMBERS,
            "q": st.sampled_from([None, 0.001, 0.05, 0.06]),
            "others": st.sampled_from([(None, None), (-0.01, 0.0), (0.0, 0.0), (-0.01, 0.01), (-0.02, 0.0)]),
        }
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: (row["kind"], row["unit"], row["concept"]),
)
SCHEMA = {
    "kind": pl.String, "unit": pl.Int32, "concept": pl.Int32, "effect": pl.Float64,
    "q": pl.Float64, "others_low": pl.Float64, "others_high": pl.Float64,
}  # fmt: skip


def _unusual(row: dict[str, Any]) -> float:
    (low, high), effect = row["others"], row["effect"]
    if low is None or low <= effect <= high:
        return 0.0
    return float(abs(effect) / (high - low + LEAST_WIDTH))


@given(ROWS)
def test_the_found_effect_that_stands_out_most_is_told_first(rows: list[dict[str, Any]]) -> None:
    bands = [{"others_low": row["others"][0], "others_high": row["others"][1]} for row in rows]
    table = pl.DataFrame([row | band for row, band in zip(rows, bands, strict=True)], schema=SCHEMA)
    first = told_first(judged(table))
    expected = {}
    for kind, unit in {(row["kind"], row["unit"]) for row in rows}:
        found = [
            row
            for row in rows
            if (row["kind"], row["unit"]) == (kind, unit) and row["q"] is not None and row["q"] <= 0.05
        ]
        if found:
            best = min(found, key=lambda row: (-_unusual(row), -abs(row["effect"]), row["concept"]))
            expected[kind, unit] = best["concept"]
    assert {(row["kind"], row["unit"]): row["concept"] for row in first.to_dicts()} == expected


def test_without_other_units_nothing_is_beyond_them() -> None:
    row = {"effect": 0.5, "q": 0.01, "others_low": None, "others_high": None}
    found = judged(pl.DataFrame([row], schema_overrides=SCHEMA)).row(0, named=True)
    assert (found["found"], found["beyond_others"], found["unusual"]) == (True, None, 0.0)


def test_a_test_without_a_q_is_no_evidence() -> None:
    assert is_found(FALSE_DISCOVERIES)
    assert not is_found(0.051)
    assert not is_found(None)
