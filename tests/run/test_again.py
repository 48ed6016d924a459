"""What a run writes, and what another one after it makes anew: no more than what depends on the change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch

from tests import tiny
from tests.conftest import StopAt
from unit59.measure import layer as layer_module
from unit59.results import find_faults, read_model
from unit59.samples import cache as samples


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


def test_a_finished_run_does_nothing(tmp_path: Path, stop_at: StopAt) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    stop_at(1, AssertionError("something was written"))
    tiny.run(tmp_path, layers="[layer1]")


def test_without_its_cache_a_finished_run_still_does_nothing(tmp_path: Path, stop_at: StopAt) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    stop_at(1, AssertionError("something was written"))
    tiny.run(tmp_path, layers="[layer1]", cache="elsewhere")


def kept_samples(folder: Path) -> dict[Path, int]:
    """All that is kept of samples, each with the time when it was written."""
    files = [path for path in (folder / "cache/tiny/samples").rglob("*") if path.is_file()]
    there = {path: path.stat().st_mtime_ns for path in files}
    assert there
    return there


def test_a_changed_setting_recomputes_what_depends_on_it(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer1]")
    made = kept_samples(tmp_path)
    folder = tiny.run(tmp_path, layers="[layer1]", more="quantile: 0.05")
    units = read_model(folder).layers[0].units
    assert (units["on_share"] > 0.02).any()
    assert kept_samples(tmp_path) == made


def test_more_samples_go_on_from_the_ones_that_are_there(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer1]", samples=64)
    made = kept_samples(tmp_path)
    assert len(made) == 4  # pictures, segmentations, activations and their summary of one shard
    more = tiny.run(tmp_path, layers="[layer1]", samples=100)
    after = kept_samples(tmp_path)
    assert {path: after[path] for path in made} == made
    assert len(after) == 8
    fresh = tiny.run(tmp_path, layers="[layer1]", samples=100, results="fresh", cache="fresh-cache")
    assert tiny.contents(more) == tiny.contents(fresh)


def test_another_layer_makes_only_its_own_activations(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer1]", samples=16)
    made = kept_samples(tmp_path)
    tiny.run(tmp_path, layers="[layer1, layer3]", samples=16)
    after = kept_samples(tmp_path)
    assert {path: after[path] for path in made} == made
    assert {path.parent.name for path in set(after) - set(made)} == {"layer3", "summary"}


def test_a_layer_that_the_recipe_drops_leaves_the_results(tmp_path: Path) -> None:
    tiny.run(tmp_path)
    folder = tiny.run(tmp_path, layers="[layer2]")
    assert [path.name for path in (folder / "layers").iterdir()] == ["layer2"]
    assert list(find_faults(folder)) == []


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_numbers_of_threads_do_not_mix(tmp_path: Path) -> None:
    """Sums round otherwise with other threads: such samples are never measured together."""
    torch.set_num_threads(1)
    folder = tiny.run(tmp_path, layers="[layer2]", samples=16)
    one, made = tiny.contents(folder), kept_samples(tmp_path)
    torch.set_num_threads(2)
    tiny.run(tmp_path, layers="[layer2]", samples=16)
    both = kept_samples(tmp_path)
    assert {path: both[path] for path in made} == made
    assert len(both) == 2 * len(made)
    fresh = tiny.run(tmp_path, layers="[layer2]", samples=16, results="fresh", cache="fresh-cache")
    assert tiny.contents(folder) == tiny.contents(fresh)
    torch.set_num_threads(1)
    tiny.run(tmp_path, layers="[layer2]", samples=16)
    assert kept_samples(tmp_path) == both  # they are all there still
    assert tiny.contents(folder) == one
