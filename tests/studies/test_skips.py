"""Skips: what a skip carries is lost with it; matches of units against slow counting."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from tests import tiny
from tests.edit.test_families import make_bench
from tests.studies import planted_unet, telling
from unit59.edit.edits import Edit
from unit59.edit.questions import batches
from unit59.measure.grid import Grid
from unit59.networks import load
from unit59.recipe.sections import RecipeError
from unit59.results.reader import read_model
from unit59.results.report import ReportRecord
from unit59.studies.skips.measure import Silent, Skips, all_pairs, mirrored
from unit59.studies.skips.mirrors import Matches, Pair, best_matches
from unit59.studies.tables import Tables


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, Path]:
    layers, study = "[layer1, layer2, layer9, layer10]", "  - skips: {samples: 9, compared: 16}"
    run = partial(planted_unet.run, tmp_path_factory.mktemp("skips"), study, layers=layers, samples=16)
    return telling.tables_of(Skips, run)


@pytest.fixture(scope="module")
def found(measured: tuple[Tables, Path]) -> Path:
    return measured[1]


def test_what_only_the_skip_carries_is_lost_with_the_skip(found: Path) -> None:
    ways = pl.read_parquet(found / "studies/skips/ways.parquet")
    left = {(row["layer"], row["silent"]): row["kept_lines"] for row in ways.iter_rows(named=True)}
    assert left["layer1", "deeper"] == 1
    assert left["layer1", "skip"] == left["layer1", "both"] < 0.1
    assert left["layer2", "skip"] == left["layer2", "deeper"] == 1


def test_the_planted_mirror_shares_its_units(found: Path) -> None:
    pairs = pl.read_parquet(found / "studies/skips/pairs.parquet").filter(layer="layer10")
    excess = dict(pairs.select("kind", "excess").rows())
    assert set(excess) == {"mirrored", "other encoder layer", "decoder layer before"}
    assert excess["mirrored"] > max(excess["other encoder layer"], excess["decoder layer before"])


def test_the_report_reads_back(found: Path) -> None:
    (study,) = read_model(found).studies
    assert isinstance(study.record, ReportRecord)
    assert "Outlines suffer more from a silent skip for layer1, " in study.record.answer
    assert study.record.number is not None
    for picture in study.record.pictures:
        assert study.picture(picture.file).is_file()
        assert picture.rows[0] == "nothing silent"


def test_it_is_told_without_torch(measured: tuple[Tables, Path], tmp_path: Path) -> None:
    tables, folder = measured
    told = telling.told_without_torch("unit59.studies.skips.tell", tables, tmp_path)
    assert told == telling.written_report(folder / "studies/skips")


def test_mirrors_are_the_layers_that_a_skip_joins(tmp_path: Path) -> None:
    torch.save(planted_unet.weights(artifact=False), tmp_path / "planted.pth")
    network = load(tmp_path / "planted.pth")
    assert mirrored(network, list(network.layers)) == [
        ("layer1", "layer10"),
        ("layer2", "layer9"),
        ("layer3", "layer8"),
        ("layer4", "layer7"),
    ]
    kinds = [(pair.other, pair.kind) for pair in all_pairs(network, ["layer1", "layer2", "layer8", "layer9"])]
    assert kinds == [
        ("layer1", "other encoder layer"),
        ("layer2", "mirrored"),
        ("layer8", "decoder layer before"),
    ]


def test_a_silent_way_is_exactly_that(tmp_path: Path) -> None:
    weights = planted_unet.weights(artifact=False)
    last = weights["model.model.3.weight"]  # everything shows in the picture, not the first skip alone
    weights["model.model.3.weight"] = (
        torch.randn(last.shape, generator=torch.Generator().manual_seed(1)) * 0.1
    )
    torch.save(weights, tmp_path / "planted.pth")
    network = load(tmp_path / "planted.pth")
    sweep = make_bench(network, tmp_path / "cache", "layer2")
    numbers, everything = range(8), Edit.ablate(range(sweep.units))

    def silent(way: str | None) -> Tensor:
        return sweep.pictures(Silent(way), numbers)[1]

    plain = sweep.edited(Edit.ablate([]), numbers)
    assert torch.equal(silent(None), plain)
    assert torch.equal(silent("both"), sweep.edited(everything, numbers))
    with torch.no_grad():
        state = sweep.group(batches(numbers)[0]).state
        zero = {**state, "x": torch.zeros_like(state["x"])}
        # Right before layer9 the skip of layer2 and what lies deeper meet.
        on, off = (network.run(each, after="layer2", until="layer8") for each in (state, zero))
        for way, deeper, skip in (("skip", on, off), ("deeper", off, on)):
            met = {**deeper, "skips": {**deeper["skips"], 2: skip["skips"][2]}}
            by_hand = network.run(met, after="layer8")["image"]
            assert torch.equal(silent(way), by_hand)
            assert not torch.equal(by_hand, plain)


class _Measured:
    """As much of a `Measurer` as matching needs: activations and thresholds that somebody chose."""

    def __init__(self, x: dict[str, torch.Tensor], thresholds: dict[str, torch.Tensor]) -> None:
        self.x, self.cache, self.shards = x, self, [range(len(next(iter(x.values()))))]
        self._thresholds = thresholds

    def activations(self, layer: str, shard: int, floors: torch.Tensor) -> torch.Tensor:
        return self.x[layer]

    def grid(self, layer: str) -> Grid:
        height, width = self.x[layer].shape[2:]
        return Grid((height, width), (8, 8))

    def thresholds(self, layer: str) -> _Measured:
        self.value = self._thresholds[layer]
        return self


def test_matches_equal_slow_counting() -> None:
    generator = torch.Generator().manual_seed(4)
    x = {"a": torch.rand(5, 3, 8, 8, generator=generator), "b": torch.rand(5, 4, 8, 8, generator=generator)}
    thresholds = {"a": torch.tensor([0.5, 0.8, 2.0]), "b": torch.tensor([0.3, 0.6, 0.7, 0.9])}
    measured = _Measured(x, thresholds)
    done: list[int] = []
    found = best_matches(measured, ["a", "b"], 4, np.array([1, 3]), done.append)  # type: ignore[arg-type]
    assert len(done) == 3
    masks = {k: (v[:4] > thresholds[k][:, None, None]).numpy() for k, v in x.items()}

    def slow(unit: int, shift: int) -> float:
        best = 0.0
        for other in range(4):
            one, two = masks["a"][:, unit], np.roll(masks["b"][:, other], shift, axis=0)
            best = max(best, (one & two).sum() / max((one | two).sum(), 1))
        return best

    matches = Matches(["a", "b"], [3, 4], found)
    pair = Pair("a", "b", "mirrored")
    assert matches.own(pair).tolist() == pytest.approx([slow(unit, 0) for unit in range(3)])
    chance = [(slow(unit, 1) + slow(unit, 3)) / 2 for unit in range(3)]
    assert matches.excess(pair) == pytest.approx(matches.own(pair) - chance)


def test_it_refuses_what_has_no_mirrors(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="skips is a study of networks with skips"):
        tiny.run(tmp_path, more="studies: [skips]")
    with pytest.raises(RecipeError, match=r"no layer is dissected together with its mirror.*layer2, layer9"):
        planted_unet.run(tmp_path, "  - skips", layers="[layer1, layer9]")
