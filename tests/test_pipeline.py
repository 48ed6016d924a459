"""From a recipe to results: the same bytes whatever the batches, shards and interruptions."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from tests import tiny
from tests.conftest import StopAt
from unit59.edit import unit_pictures as strips
from unit59.edit.tail import Tail
from unit59.measure import layer as layer_module
from unit59.networks import load
from unit59.results import ResultsError, find_faults, read_model
from unit59.samples import cache as samples
from unit59.samples.drawing import Sampler
from unit59.segmenters.colours import Colours


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.run(tmp_path_factory.mktemp("finished"))


def test_what_is_written(finished: Path) -> None:
    assert list(find_faults(finished)) == []
    results = read_model(finished)
    assert [layer.record.name for layer in results.layers] == ["layer1", "layer2", "layer3"]
    assert results.missing_layers == []
    for layer in results.layers:
        units = layer.units
        assert units["unit"].to_list() == list(range(layer.record.units))
        assert (units["on_share"] <= 0.01).all()
        assert layer.record.interpretable == units["interpretable"].sum()
        best = layer.agreement.group_by("unit").agg(pl.col("iou").max()).sort("unit")
        assert best["iou"].to_list() == units["iou"].to_list()
        assert (layer.agreement["intersection"] <= layer.agreement["union"]).all()
        assert (layer.agreement["iou_low"] <= layer.agreement["iou"] + 0.2).all()
        assert sum(layer.record.null.histogram) == 3 * layer.record.units
        for counts in layer.activations["counts"]:
            assert counts.sum() == 70 * layer.record.height * layer.record.width
        for unit in range(layer.record.units):
            for kind in ("exemplars", "ablated", "inserted"):
                assert layer.picture(unit, kind).is_file()


def test_batches_and_shards_change_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiny.contents(tiny.run(tmp_path, batch=3)) == tiny.contents(finished)
    monkeypatch.setattr(samples, "SHARD", 16)
    monkeypatch.setattr(layer_module, "OVERLAP_SAMPLES", 256)
    other = tiny.run(tmp_path, results="other", cache="other-cache", batch=7)
    assert tiny.contents(other) == tiny.contents(finished)


@pytest.mark.parametrize("when", [1, 2, 5, 6, 7, 9, 13, 20, 33, 60, 61, 62, 64, 70])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(
    finished: Path, tmp_path: Path, stop_at: StopAt, when: int
) -> None:
    stop_at(when, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path)
    stop_at(10**9, KeyboardInterrupt())
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


def test_a_finished_run_does_nothing(tmp_path: Path, stop_at: StopAt) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    stop_at(1, AssertionError("something was written"))
    tiny.run(tmp_path, layers="[layer1]")


def test_without_its_cache_a_finished_run_still_does_nothing(tmp_path: Path, stop_at: StopAt) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    stop_at(1, AssertionError("something was written"))
    tiny.run(tmp_path, layers="[layer1]", cache="elsewhere")


def test_a_changed_setting_recomputes_what_depends_on_it(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")}
    folder = tiny.run(tmp_path, layers="[layer1]", more="quantile: 0.05")
    units = read_model(folder).layers[0].units
    assert (units["on_share"] > 0.02).any()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")} == made


def test_more_samples_go_on_from_the_ones_that_are_there(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer1]", samples=64)
    first = {path: path.read_bytes() for path in (tmp_path / "cache").rglob("00000.safetensors")}
    more = tiny.run(tmp_path, layers="[layer1]", samples=100)
    assert {path: path.read_bytes() for path in (tmp_path / "cache").rglob("00000.safetensors")} == first
    fresh = tiny.run(tmp_path, layers="[layer1]", samples=100, results="fresh", cache="fresh-cache")
    assert tiny.contents(more) == tiny.contents(fresh)


def test_a_layer_that_the_recipe_drops_leaves_the_results(tmp_path: Path) -> None:
    tiny.run(tmp_path)
    folder = tiny.run(tmp_path, layers="[layer2]")
    assert [path.name for path in (folder / "layers").iterdir()] == ["layer2"]
    assert list(find_faults(folder)) == []


@pytest.mark.parametrize("damage", ["remove a table", "flip a byte", "truncate a picture", "no manifest"])
def test_damage_is_found_and_the_same_command_mends_it(finished: Path, tmp_path: Path, damage: str) -> None:
    folder = tiny.run(tmp_path)
    if damage == "remove a table":
        place = folder / "layers/layer1/units.parquet"
        place.unlink()
    elif damage == "flip a byte":
        place = folder / "layers/layer2/agreement.parquet"
        data = bytearray(place.read_bytes())
        data[len(data) // 2] ^= 1
        place.write_bytes(data)
    elif damage == "truncate a picture":
        place = folder / "layers/layer1/pictures/0001-ablated.webp"
        place.write_bytes(place.read_bytes()[:-1])
    else:
        place = folder / "manifest.json"
        place.write_text("{")
    faults = list(find_faults(folder))
    assert len(faults) == 1
    assert str(place) in faults[0]
    with pytest.raises(ResultsError, match=place.name):
        read_model(folder)
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


def test_a_full_disk_loses_nothing(finished: Path, tmp_path: Path, stop_at: StopAt) -> None:
    stop_at(9, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space"):
        tiny.run(tmp_path)
    assert not list((tmp_path / "cache").rglob("*.partial"))
    stop_at(10**9, KeyboardInterrupt())
    assert tiny.contents(tiny.run(tmp_path)) == tiny.contents(finished)


def test_kill_9_and_the_same_command_again(finished: Path, tmp_path: Path) -> None:
    recipe = tiny.write_recipe(tmp_path)
    command = [sys.executable, "-m", "unit59.cli", "dissect", str(recipe)]
    command += ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--quiet"]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "cache").rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)  # until the first unit is drawn
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert subprocess.run(command, check=False).returncode == 0
    assert tiny.contents(tmp_path / "results" / "tiny") == tiny.contents(finished)


def test_an_interrupted_run_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = strips.draw_strips

    def failing(cache: samples.SampleCache, layer: str, *rest: Any) -> Any:
        if layer == "layer2":
            raise KeyboardInterrupt
        return draw(cache, layer, *rest)

    monkeypatch.setattr("unit59.run.draw_strips", failing)
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path)
    results = read_model(tmp_path / "results" / "tiny")
    assert [layer.record.name for layer in results.layers] == ["layer1"]
    assert results.missing_layers == ["layer2", "layer3"]


def test_an_ablated_unit_changes_the_picture_and_an_empty_edit_does_not(tmp_path: Path) -> None:
    def without_unit_1(x: torch.Tensor) -> torch.Tensor:
        return x * (torch.arange(x.shape[1]) != 1)[:, None, None]

    tiny.write_recipe(tmp_path)
    network = load(tmp_path / "tiny.pth")
    sampler = Sampler(network, 3)
    keys = {"samples": "a", "segmentations": "b"}
    cache = samples.SampleCache(tmp_path / "c", sampler, Colours(), 20, ["layer2"], None, keys)  # type: ignore[arg-type]
    cache.fill(lambda _: None)
    with torch.no_grad():
        tail = Tail(cache, "layer2")
        before, after = tail.before_after(range(11), lambda x: x.clone())
        assert (before == after).all()
        before, after = tail.before_after(range(11), without_unit_1)
        assert (before != after).flatten(1).any(1).all()
        for state, count in tail.states(range(11)):
            assert state["x"].shape[0] == samples.GROUP
            assert count in (samples.GROUP, 3)
        whole = network.run(sampler.start(range(8)))["image"]
        assert (whole == before[:8]).all()
