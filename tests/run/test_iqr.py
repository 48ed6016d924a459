"""A run in which every (unit, concept) has the threshold of the largest IQR, to the pages that say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests import tiny
from tests.site.conftest import build_site  # noqa: F401  # a fixture
from unit59.measure.levels import SHARES
from unit59.results import find_faults, read_model
from unit59.samples import cache as samples

VALUES: dict[str, Any] = {"samples": 40, "layers": "[layer1, layer2]", "more": "threshold: iqr"}


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.run(tmp_path_factory.mktemp("chosen"), **VALUES)


def test_every_pair_has_its_level_and_a_unit_s_mask_is_that_of_its_label(chosen: Path) -> None:
    assert list(find_faults(chosen)) == []
    results = read_model(chosen)
    assert results.record.quantile is None
    for layer in results.layers:
        assert layer.levels is not None
        assert set(layer.levels["share"]) <= set(SHARES)
        assert (layer.levels["on_share"] <= layer.levels["share"]).all()
        pairs = layer.levels.join(layer.agreement, on=["unit", "concept"], suffix="_there", validate="1:1")
        assert len(pairs) == len(layer.agreement)
        assert (pairs["iqr"] == pairs["iqr_there"]).all()
        of_label = layer.units.join(layer.levels, on=["unit", "concept"], suffix="_there")
        assert len(of_label) == layer.units["concept"].count()
        for name in ("threshold", "on_share", "iqr"):
            assert (of_label[name] == of_label[f"{name}_there"]).all()
        best = layer.agreement.group_by("unit").agg(pl.col("iou").max()).sort("unit")
        assert best["iou"].to_list() == layer.units["iou"].to_list()


def test_batches_and_shards_change_nothing(
    chosen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SHARD", 16)
    assert tiny.contents(tiny.run(tmp_path, batch=7, **VALUES)) == tiny.contents(chosen)


def test_pages_say_which_rule_was_used(chosen: Path, build_site: Callable[..., Path]) -> None:  # noqa: F811
    site = build_site(chosen.parent)
    words = "of 100 shares the one with the largest IQR for its best concept"
    page = (site / "models/tiny/layer2/3/index.html").read_text()
    assert words in page
    assert "null of the IQR, 99 %" in page
    assert "share that has the largest IQR, of 100" in (site / "models/tiny/index.html").read_text()
    assert (site / "models/tiny/layer2/levels.parquet").is_file()
    rows = json.loads((site / "models/tiny/layer2/3/data.json").read_text())["agreement.parquet"]
    assert all(row["on_share"] <= row["share"] for row in rows)
