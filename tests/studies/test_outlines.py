"""Outlines: kept where a skip carries them, gone where nothing does; boundaries against slow counting."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny
from tests.studies import planted_unet, telling
from unit59.measure.boundaries import count_boundaries
from unit59.recipe.sections import RecipeError
from unit59.results.reader import read_model
from unit59.results.report import ReportRecord
from unit59.stats.scores import Scorer, f_score
from unit59.studies.outlines.measure import Outlines
from unit59.studies.tables import Tables


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, Path]:
    run = partial(planted_unet.run, tmp_path_factory.mktemp("outlines"), "  - outlines: {samples: 12}")
    return telling.tables_of(Outlines, run)


@pytest.fixture(scope="module")
def found(measured: tuple[Tables, Path]) -> Path:
    return measured[1]


def whole(folder: Path) -> dict[str, dict[str, Any]]:
    table = pl.read_parquet(folder / "studies/outlines/layers.parquet")
    return {row["layer"]: row for row in table.iter_rows(named=True)}


def test_the_skip_keeps_the_outlines_when_the_bottleneck_goes(found: Path) -> None:
    layers = whole(found)
    assert layers["layer1"]["outcome"] == "gone"
    for layer in ("layer5", "layer9"):
        assert layers[layer]["outcome"] == "stay"
        assert layers[layer]["kept_lines"] == layers[layer]["kept_agreement"] == 1
        assert layers[layer]["change"] == 0
    assert [layers[name]["half"] for name in layers] == ["encoder", "encoder", "decoder"]


def test_with_nothing_off_everything_asked_for_is_there(found: Path) -> None:
    curves = pl.read_parquet(found / "studies/outlines/curves.parquet")
    plain = curves.filter(pl.col("off") == 0)
    assert (plain["lines"] == 1).all()
    assert (plain["agreement"] == 1).all()
    concepts = pl.read_parquet(found / "studies/outlines/concepts.parquet")
    assert (concepts.filter(off="nothing off")["iou"] == 1).all()


def test_more_units_off_leave_less(found: Path) -> None:
    curves = pl.read_parquet(found / "studies/outlines/curves.parquet")
    for order in ("random", "agreement"):
        line = curves.filter(layer="layer1", order=order)
        assert line["off"].to_list() == sorted(line["off"].to_list())
        assert line["off"].to_list()[-1] == planted_unet.ARTIFACT
        assert line["lines"][0] > line["lines"][-1]
    assert curves["share"].max() == 1


def test_the_report_says_so_and_reads_back(found: Path) -> None:
    (study,) = read_model(found).studies
    assert isinstance(study.record, ReportRecord)
    assert "They stay when all units of layer5 or layer9 are off." in study.record.answer
    assert "gone without layer1" in study.record.answer
    for picture in study.record.pictures:
        assert study.picture(picture.file).is_file()


def test_it_is_told_without_torch(measured: tuple[Tables, Path], tmp_path: Path) -> None:
    tables, folder = measured
    told = telling.told_without_torch("unit59.studies.outlines.tell", tables, tmp_path)
    assert told == telling.written_report(folder / "studies/outlines")


def test_it_refuses_what_it_cannot_judge(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="outlines is a study of U-Nets; this dcgan is none"):
        tiny.run(tmp_path, more="studies: [outlines]")
    with pytest.raises(RecipeError, match="'layer3' is none of the dissected layers"):
        planted_unet.run(tmp_path, "  - outlines: {layers: [layer3]}")


labels = st.integers(1, 7).flatmap(
    lambda side: st.lists(
        st.lists(st.integers(0, 2), min_size=side, max_size=side), min_size=side, max_size=side
    )
)


@given(asked=labels, seed=st.integers(0, 100))
def test_boundaries_equal_slow_counting(asked: list[list[int]], seed: int) -> None:
    side = len(asked)
    shown = np.random.default_rng(seed).integers(0, 3, (side, side)).tolist()

    def lines(of: list[list[int]]) -> set[tuple[int, int]]:
        return {
            (r, c)
            for r in range(side)
            for c in range(side)
            if (c + 1 < side and of[r][c] != of[r][c + 1]) or (r + 1 < side and of[r][c] != of[r + 1][c])
        }

    def near(one: tuple[int, int], others: set[tuple[int, int]]) -> bool:
        return any(max(abs(one[0] - r), abs(one[1] - c)) <= 1 for r, c in others)

    first, second = lines(asked), lines(shown)
    hits = sum(near(each, second) for each in first), sum(near(each, first) for each in second)
    found = count_boundaries(torch.tensor([asked]), torch.tensor([shown]))
    assert found.tolist() == [[len(first), hits[0], len(second), hits[1]]]
    recall, precision = hits[0] / max(len(first), 1), hits[1] / max(len(second), 1)
    expected = 2 * recall * precision / (recall + precision) if recall + precision else 0
    assert f_score(found)[0] == pytest.approx(expected)


def test_agreement_averages_over_what_is_asked_for() -> None:
    both, either = np.array([[[4, 0, 0], [2, 0, 0]]]), np.array([[[8, 5, 0], [4, 1, 0]]])
    scorer = Scorer(np.ones((30, 2), np.int64), np.array([10, 3, 0]))
    counts = {"both": both, "either": either}
    assert scorer.agreement(counts).value.tolist() == [pytest.approx((0.5 + 0) / 2)]
    assert np.isnan(scorer.concepts(counts).value[0, 2])
