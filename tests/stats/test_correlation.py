"""Agreement beside effect, against scipy and against planted orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from unit59.results.schema import RELATIONS
from unit59.stats.correlation import FEWEST, effect_relations
from unit59.stats.intervals import bootstrapped, spearman

UNITS, CONCEPTS = 24, 3


def measured(
    draw: np.random.Generator, units: int = UNITS
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], pl.DataFrame]:
    """A layer's IoU and effects; concept 1 is lost in the order of its IoU, 3 never overlaps."""
    iou = draw.random((units, CONCEPTS))
    iou[:, 2] = 0
    effect = draw.normal(0, 0.01, (units, CONCEPTS))
    effect[:, 0] = -np.exp(iou[:, 0])
    numbers, concepts = np.repeat(np.arange(units), CONCEPTS), np.tile(np.arange(1, CONCEPTS + 1), units)
    names = {"label": [f"c{each}" for each in concepts], "plane": "object"}
    does = pl.DataFrame(
        {"unit": numbers, "kind": "ablate", "concept": concepts, **names, "effect": effect.reshape(-1)}
    )
    other = does.with_columns(kind=pl.lit("insert"), effect=-pl.col("effect"))
    return iou, pl.concat([does, other]).sample(fraction=1, shuffle=True, seed=1)


def test_relations_are_spearmans_of_the_tables() -> None:
    iou, effects = measured(np.random.default_rng(1))
    found = effect_relations(iou, effects, seed=59)
    assert found.schema == pl.Schema(RELATIONS)
    assert found["of"].to_list() == ["label", "any", "concept", "concept", "concept"]
    assert found["label"].to_list() == [None, None, "c1", "c2", "c3"]
    rho = found["rho"].to_list()
    off = effects.filter(kind="ablate").sort("unit", "concept")["effect"].to_numpy().reshape(UNITS, CONCEPTS)
    best, own = iou.max(axis=1), -off[np.arange(UNITS), iou.argmax(axis=1)]
    assert rho[0] == pytest.approx(stats.spearmanr(best, own).statistic)
    assert rho[1] == pytest.approx(stats.spearmanr(best, np.abs(off).max(axis=1)).statistic)
    assert rho[2] == pytest.approx(1)
    assert rho[3] == pytest.approx(stats.spearmanr(iou[:, 1], -off[:, 1]).statistic)
    assert rho[4] is None  # no unit overlaps with it
    assert (found["sign"][2], found["sign"][4]) == (1, 0)
    for row in found.filter(pl.col("rho").is_not_null()).to_dicts():
        assert row["sign"] == int(row["low"] > 0) - int(row["high"] < 0)
        assert row["low"] - 1e-9 <= row["rho"] <= row["high"] + 1e-9


def test_too_few_units_have_no_correlation() -> None:
    found = effect_relations(*measured(np.random.default_rng(2), FEWEST - 1), seed=59)
    assert found["units"].to_list() == [FEWEST - 1] * 5
    assert found["rho"].null_count() == 5
    assert effect_relations(*measured(np.random.default_rng(2), FEWEST), seed=59)["rho"].null_count() == 1


def test_layers_without_effects_have_rows_without_numbers() -> None:
    iou, effects = measured(np.random.default_rng(3))
    found = effect_relations(iou, effects.clear(), seed=59)
    assert found["of"].to_list() == ["label", "any"]
    assert found["units"].to_list() == [0, 0]


def test_all_draws_at_once_are_the_draws_one_by_one() -> None:
    draw = np.random.default_rng(4)
    a, b = draw.integers(0, 5, 30).astype(float), draw.random(30)
    slow = bootstrapped(lambda x, y: float(stats.spearmanr(x, y).statistic), a, b, seed=59)
    assert spearman(a, b, seed=59) == pytest.approx(slow)
