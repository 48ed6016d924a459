"""Noise: where it comes in and what amplifies it is known; the study must find exactly that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tests import tiny
from tests.edit.planting import flat_levels, planted_cache
from tests.published import FIXTURES
from tests.studies import planted_stylegan
from tests.studies.telling import tables_of, told_without_torch, written_report
from unit59.edit.edits import set_units
from unit59.edit.questions import SampleBatch
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.networks import Network, load
from unit59.recipe.sections import RecipeError
from unit59.results import find_faults, read_model
from unit59.results.report import ReportRecord
from unit59.segmenters.colours import Colours
from unit59.studies.noise.cases import Case, Removed
from unit59.studies.noise.draws import Silenced, Spread, network_without
from unit59.studies.noise.measure import Noise
from unit59.studies.noise.numbers import NoiseNumbers

STUDY = "  - noise: {samples: 16, draws: 4, shares: [0.5, 1]}"


@pytest.fixture(scope="module")
def amplified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little noise in layer1 only: what makes it grow when units of layer0 go off is layer1's norm."""
    return planted_stylegan.run(tmp_path_factory.mktemp("amplified"), {1: 0.1}, STUDY)


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "studies/noise" / name)


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "studies/noise/study.json").read_bytes())
    return found


def test_what_normalisation_amplifies_goes_with_its_rescaling(amplified: Path) -> None:
    rows = table(amplified, "mechanism.parquet").filter(layer="layer0")
    assert set(rows["state"]) == {"half", "all"}
    explained = {(row["removed"], row["state"]): row for row in rows.iter_rows(named=True)}
    for state in ("half", "all"):
        # Not quite 1: a scale that is held is of a draw's own noise, on maps of 16 cells.
        assert explained["no rescaling behind", state]["explained"] == pytest.approx(1, abs=0.1)
        assert explained["no rescaling behind", state]["explained_low"] > 0.8
        assert explained["no noise behind", state]["explained"] == pytest.approx(1)
        assert explained["no noise in the layer", state]["explained"] == 0
    answer = report(amplified)["answer"]
    assert "normalisation amplifies the noise" in answer


def test_noise_alone_in_a_map_is_rescaled_to_unit_variance(amplified: Path) -> None:
    lines = table(amplified, "layers.parquet").filter(layer="layer0", order="random", removed="as it is")
    none, half, everything = lines["variation"].to_list()
    assert none < half < everything
    assert everything / none > 5  # a tenth of the noise's variance against all of it
    assert lines["off"].to_list() == [0, 8, 16]


def test_without_any_unit_off_holding_the_scale_changes_nothing(amplified: Path) -> None:
    plain = table(amplified, "layers.parquet").filter(off=0, order="random")
    by = {removed: plain.filter(removed=removed)["variation"].to_list() for removed in plain["removed"]}
    assert by["no rescaling behind"] == by["as it is"]
    assert by["no noise behind"][0] == 0


def test_all_orders_begin_and_end_alike(amplified: Path) -> None:
    rows = table(amplified, "layers.parquet").filter(pl.col("removed") == "as it is", pl.col("off") != 8)
    for _, group in rows.group_by("layer", "off"):
        assert len(group) == 3
        assert group["variation"].n_unique() == 1


def test_a_network_without_noise_does_not_vary(tmp_path: Path) -> None:
    folder = planted_stylegan.run(tmp_path, {}, STUDY)
    assert (table(folder, "layers.parquet")["variation"] == 0).all()
    change = table(folder, "change.parquet")
    same, anew = (change.filter(noise=noise)["change"].to_list() for noise in ("the same", "drawn anew"))
    assert same == pytest.approx(anew)
    assert same[-1] > 1
    said = report(folder)
    assert "That is no evidence of growing noise. Nor does it grow" in said["answer"]
    assert "mechanism.parquet" not in said["tables"]
    assert "layer by layer" not in str([section["title"] for section in said["sections"]])


def test_noise_that_comes_before_the_units_goes_with_them(tmp_path: Path) -> None:
    folder = planted_stylegan.run(tmp_path, {0: 0.3}, STUDY)
    lines = table(folder, "layers.parquet").filter(layer="layer0", order="random", off=16)
    as_it_is = lines.filter(removed="as it is")
    assert as_it_is["variation"].item() == 0
    assert as_it_is["growth_high"].item() < 0


def test_it_reads_back_and_repeats_itself(amplified: Path, tmp_path: Path) -> None:
    assert list(find_faults(amplified)) == []
    (study,) = read_model(amplified).studies
    assert isinstance(study.record, ReportRecord)
    for picture in study.record.pictures:
        assert study.picture(picture.file).is_file()
    tables, again = tables_of(Noise, lambda: planted_stylegan.run(tmp_path, {1: 0.1}, STUDY))
    assert tiny.contents(again / "studies") == tiny.contents(amplified / "studies")
    told = told_without_torch("unit59.studies.noise.tell", tables, tmp_path)
    assert told == written_report(again / "studies/noise")


def sweep_of(network: Network, layer: str, folder: Path) -> Sweep:
    cache = planted_cache(folder, network, Colours(), samples=4)
    units = network.layers[layer].units
    levels = flat_levels(torch.zeros(units), torch.ones(units), lambda q: torch.full((units,), q))
    return Sweep.here(cache, Tail(cache, layer), levels, "noise")


def test_numbers_of_a_sample_against_pictures(tmp_path: Path) -> None:
    network = planted_stylegan.network({0: 0.2, 1: 0.2, 4: 0.3})
    sweep, seeds = sweep_of(network, "layer2", tmp_path), [5, 6, 7]
    sampler, order = sweep.cache.sampler, tuple(range(16))
    changes = [Silenced("nothing", 4, order, 0), Silenced("noise behind", 4, order, 0)]
    batch = SampleBatch((3, 3, 3), 1, tuple(seeds))
    found = sweep.all(changes, [batch], Spread())["values"]
    assert found.shape == (2, 1, 3)

    def pictures(off: int, *, quiet: bool) -> np.ndarray[Any, Any]:
        drawn = []
        for seed in seeds:
            start = sampler.start([3], [seed])
            if quiet:
                start["noise"] = (*start["noise"][:3], None, None, None)
            state = network.run(start, until="layer2")
            x = set_units(state["x"], list(order[:off]), 0.0)
            image = network.run({**state, "x": x}, after="layer2")["image"][0].detach()
            drawn.append((image.clamp(-1, 1).double().numpy() + 1) * 127.5)
        return np.stack(drawn)

    for (row,), quiet in zip(found, (False, True), strict=True):
        before, after = pictures(0, quiet=quiet), pictures(4, quiet=quiet)
        expected = [
            after.var(axis=0, ddof=1).mean(),
            ((after - before) ** 2).mean(),
            ((after - before[[2, 0, 1]]) ** 2).mean(),
        ]
        assert row == pytest.approx(expected, rel=1e-4)


def test_each_sample_draws_an_order_of_its_own() -> None:
    change = Silenced("nothing", 8, None, 1)
    drawn = {number: change.units(number, 16, "layer2") for number in range(20)}
    assert all(len(set(units)) == 8 and set(units) <= set(range(16)) for units in drawn.values())
    assert len({tuple(sorted(units)) for units in drawn.values()}) > 15
    more = Silenced("nothing", 12, None, 1)
    assert all(more.units(number, 16, "layer2")[:8] == units for number, units in drawn.items())
    assert change.units(3, 16, "layer4") != drawn[3]


def test_shares_and_growth_of_known_numbers() -> None:
    cases = [
        Case(removed, "random", share, off)
        for removed in ("nothing", "rescaling")
        for share, off in ((0.0, 0), (0.5, 2), (1.0, 4))
    ]
    generator = np.random.default_rng(0)
    sd = np.array([2, 3, 6, 2, 2, 3]) + generator.normal(0, 0.01, (12, 6))
    values = np.zeros((12, 6, 3))
    values[:, :, 0] = sd**2
    found = NoiseNumbers({"a": cases}, {"a": values}, {"a": 4}, 4, 0)
    assert found.growth(0.5).value == pytest.approx(1, abs=0.02)
    assert found.growth(1.0, removed="rescaling").value == pytest.approx(1, abs=0.02)
    assert found.grows_from == 0.5
    assert found.noisier == {0.0: [], 0.5: ["a"], 1.0: ["a"]}
    half, everything = (found.explained(share, "rescaling", ["a"]) for share in (0.5, 1.0))
    assert half.value == pytest.approx(1, abs=0.02)
    value, low, high = everything.numbers
    assert value == pytest.approx(1 - 5 / 32, abs=0.01)
    assert low < value < high


def test_stylegan2_has_no_rescaling_to_take_away(tmp_path: Path) -> None:
    network = load(FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl")
    sweep = sweep_of(network, "b8.conv1", tmp_path)
    assert not network.normalises
    removed: list[Removed] = ["nothing", "noise behind", "noise inside"]
    with torch.no_grad():
        group = sweep.group(SampleBatch((0, 0), 1, (1, 2)))
        states = {what: network_without(group, what) for what in removed}
        images = {what: network.run(state, after="b8.conv1")["image"] for what, state in states.items()}
    noise = {what: set(state["noise"]) for what, state in states.items()}
    assert noise["nothing"] - noise["noise behind"] == {"b16.conv0", "b16.conv1", "b32.conv0", "b32.conv1"}
    assert noise["nothing"] - noise["noise inside"] == {"b8.conv1"}
    assert not torch.equal(images["nothing"], images["noise behind"])
    assert not torch.equal(images["nothing"], images["noise inside"])


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="noise is a study of networks with noise inputs"):
        tiny.run(tmp_path, more="studies: [noise]")
    with pytest.raises(RecipeError, match="'layer1' is none of the dissected layers"):
        planted_stylegan.run(tmp_path, {}, "  - noise: {layers: [layer1]}")
    with pytest.raises(RecipeError, match="setting shares"):
        planted_stylegan.run(tmp_path, {}, "  - noise: {shares: [0]}")
