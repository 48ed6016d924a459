"""Only the tail runs again: counted stage by stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests import tiny
from tests.edit.planting import levels_of, planted_cache
from tests.planted.network import Planted
from tests.published import FIXTURES, STYLEGAN
from unit59.edit.edits import Edit
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail, groups
from unit59.networks import Network, Stage, State, load
from unit59.samples.shards import GROUP
from unit59.segmenters.colours import Colours


def counted(network: Network, counts: Counter[str]) -> Network:
    """The network, counting how often each stage runs."""
    stages = network.stages()

    def count(stage: Stage) -> Stage:
        def run(state: State) -> State:
            counts[stage.name] += 1
            return stage.run(state)

        return replace(stage, run=run)

    made: Sequence[Stage] = [count(stage) for stage in stages]
    network.stages = lambda: made  # type: ignore[method-assign]  # to look inside
    return network


@pytest.mark.parametrize(
    ("make", "layer", "heads"),
    [
        (Planted, "layer1", 0),
        (lambda: load(STYLEGAN), "layer6", 0),  # the activation is in the cache: not even the head runs
        (
            lambda: load(FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl"),
            "b16.conv1",
            1,
        ),  # the picture so far is not
    ],
)
def test_a_sweep_runs_the_head_at_most_once_a_group(make, layer: str, heads: int, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    counts: Counter[str] = Counter()
    network = counted(make(), counts)
    cache = planted_cache(tmp_path, network, Colours(), samples=2 * GROUP)
    sweep = Sweep.here(cache, Tail(cache, layer), levels_of(cache, layer), "test")
    edits = [Edit.ablate([unit]) for unit in range(5)]
    counts.clear()
    sweep.counts(edits, range(2 * GROUP))
    names = [stage.name for stage in network.stages()]
    position = names.index(layer)
    assert {counts[name] for name in names[: position + 1]} == {2 * heads}
    # Behind the layer: once for the unedited pictures and at most once an edit, a group.
    (tails,) = {counts[name] for name in names[position + 1 :]}
    assert 2 < tails <= 2 * (1 + len(edits))


@torch.no_grad()
def test_the_last_group_is_filled_up_and_only_what_is_asked_for_comes_back(tmp_path: Path) -> None:
    tiny.write_recipe(tmp_path)
    network = load(tmp_path / "tiny.pth")
    cache = planted_cache(tmp_path / "cache", network, Colours(), samples=20)
    tail = Tail(cache, "layer2")
    sizes = [(len(group), count) for group, count in groups(range(11))]
    assert sizes == [(GROUP, GROUP), (GROUP, 3)]
    sweep = Sweep.here(cache, tail, levels_of(cache, "layer2"), "test")
    before, after = sweep.pictures(Edit(do="scale", units=(1,), factor=1.0), range(11))
    assert (before == after).all()
    before, after = sweep.pictures(Edit.ablate([1]), range(11))
    assert len(before) == len(after) == 11
    assert (before != after).flatten(1).any(1).all()
    whole = network.run(cache.sampler.start(range(8)))["image"]
    assert (whole == before[:8]).all()
