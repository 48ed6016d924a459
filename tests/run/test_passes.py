"""A recipe's `passes`: part of the keys where they are not the usual ones; bytes repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import tiny
from tests.conftest import StopAt
from unit59.foundation.progress import Reporter
from unit59.opened import Opened, Options, open_recipe
from unit59.recipe.sections import read_recipe
from unit59.results import read_model
from unit59.samples import cache as samples

ROUNDED = "passes: {precision: bfloat16, memory_format: channels_last}"


def opened(folder: Path, more: str = "") -> Opened:
    options = Options(folder / "results", folder / "cache")
    return open_recipe(read_recipe(tiny.write_recipe(folder, more=more)), options, Reporter(quiet=True))


def test_only_other_than_usual_passes_enter_the_keys(tmp_path: Path) -> None:
    usual = opened(tmp_path)
    said = "passes: {precision: float32, memory_format: contiguous}"
    options = ["passes: {precision: bfloat16}", "passes: {memory_format: channels_last}", ROUNDED]
    assert opened(tmp_path, said).bench.labels_key == usual.bench.labels_key
    assert opened(tmp_path, said).reads == usual.reads
    keys = {opened(tmp_path, each).bench.labels_key for each in ["", *options]}
    assert len(keys) == 4


def test_the_same_bytes_whatever_the_batch_the_shards_and_the_interruptions(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: StopAt
) -> None:
    more = f"{ROUNDED}\neffects: {{samples: 8, extra: 0, layers: [layer2]}}"
    whole = tiny.run(tmp_path, more=more)
    monkeypatch.setattr(samples, "SHARD", 16)
    stop_at(11, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path, results="other", cache="other-cache", batch=5, more=more)
    stop_at(10**9, KeyboardInterrupt())
    other = tiny.run(tmp_path, results="other", cache="other-cache", batch=7, more=more)
    assert tiny.contents(whole) == tiny.contents(other)
    for ours, usual in zip(read_model(whole).layers, read_model(finished).layers, strict=True):
        shares, expected = (each.units["threshold"].to_numpy() for each in (ours, usual))
        assert not np.array_equal(shares, expected)
        assert np.abs(shares - expected).max() < 0.05 * np.abs(expected).max()
