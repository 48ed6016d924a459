"""What is not made again: rows that an edit leaves as they are; what is left of others shares passes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.edit.planting import levels_of, planted_cache
from tests.edit.test_families import NETWORKS, make_bench, some_layers
from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from unit59.edit.edits import Edit
from unit59.edit.questions import SampleBatch
from unit59.edit.regions import Where
from unit59.edit.sweep import Sweep, packed
from unit59.edit.tail import HeldStates, Tail
from unit59.networks import State
from unit59.samples.shards import GROUP

APART = ["planted", "dcgan", "progan", "progan of GANDissect", "stylegan", "pix2pix"]
EDITS = [*(Edit.ablate([unit]) for unit in range(16)), Edit.insert([5]), Edit.ablate([])]


def test_the_families_whose_rows_are_apart_are_tried_here(tmp_path: Path) -> None:
    assert [name for name, make in NETWORKS.items() if make(tmp_path).rows_apart] == APART


@pytest.mark.parametrize("family", APART)
def test_a_row_hangs_neither_on_its_neighbours_nor_on_its_place(family: str, tmp_path: Path) -> None:
    """Bit for bit, against a pass in which all rows have the one edit."""
    network = NETWORKS[family](tmp_path)
    for layer in some_layers(network):
        sweep = make_bench(network, tmp_path / layer, layer)
        samples = [7, 2, 2, 0, 5]
        edits = [Edit.insert([0]), Edit.insert([1]), Edit.ablate([0])]
        shared = sweep.edited_each([(edit, samples) for edit in edits])
        for edit, found in zip(edits, shared, strict=True):
            assert torch.equal(found, sweep.edited(edit, range(8))[samples])
            assert torch.equal(found, sweep.edited(edit, samples))


class Counting(PlantedSegmenter):
    """Notes how many pictures it is given at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []

    def segment(self, images: Tensor) -> Tensor:
        self.given.append(len(images))
        return super().segment(images)


def counting_sweep(folder: Path, *, apart: bool) -> tuple[Sweep, Counting, Counter[str]]:
    """Edits of a planted layer; passes of its tail are counted."""
    network, segmenter, counts = Planted(), Counting(), Counter[str]()
    network.rows_apart = apart  # type: ignore[misc]  # of this one alone
    cache = planted_cache(folder, network, segmenter, samples=24)
    sweep = Sweep.here(cache, Tail(cache, "layer1"), levels_of(cache, "layer1"), "planted")
    run = sweep.tail.image

    def image(state: dict[str, Tensor]) -> Tensor:
        counts["passes"] += 1
        assert len(state["x"]) == GROUP
        return run(state)

    sweep.tail.image = image  # type: ignore[method-assign]
    assert cache.grid  # asked of the segmenter once
    segmenter.given.clear()
    return sweep, segmenter, counts


def test_what_an_edit_leaves_is_known_without_running(tmp_path: Path) -> None:
    """The same counts, and fewer full passes and segmentations: things are absent from many samples."""
    numbers = range(20)  # of the last group only four count
    every, _, before = counting_sweep(tmp_path / "every", apart=False)
    some, segmenter, after = counting_sweep(tmp_path / "some", apart=True)
    found, expected = (list(sweep.areas(EDITS, numbers)) for sweep in (some, every))
    for (block, seen), (same, outcome) in zip(found, expected, strict=True):
        assert block == same
        for name, values in vars(outcome).items():
            assert np.array_equal(getattr(seen, name), values), name
    assert before["passes"] == 3 * len(EDITS)  # the edit of nothing needs none, the unedited pictures one
    assert after["passes"] < 0.8 * before["passes"]
    assert set(segmenter.given) == {GROUP}
    assert len(segmenter.given) <= after["passes"]


def test_rows_that_repeat_another_are_as_that_one(tmp_path: Path) -> None:
    """A probe may read all rows, whichever count: here each sample stands there twice."""
    sweep, _, counts = counting_sweep(tmp_path, apart=True)
    twice = SampleBatch((0, 1, 2, 3) * 2, 1)
    group = sweep.group(twice)
    made = dict(sweep._seen(twice, EDITS))
    assert counts["passes"] <= 1 + len(EDITS) / 2 + 1
    for place, edit in enumerate(EDITS):
        whole = group.with_edit(edit)
        assert torch.equal(made[place].after, whole)
        assert torch.equal(made[place].labels, group.segment(whole))


def test_edits_that_change_nothing_cost_nothing(tmp_path: Path) -> None:
    sweep, segmenter, counts = counting_sweep(tmp_path, apart=True)
    nothing = [
        Edit.ablate([0], where=Where(box=(0.5, 0, 1, 1))),  # it fires in the upper half
        Edit(do="scale", units=(1, 2), factor=1.0),
    ]
    plain = sweep.plain(range(GROUP))
    passes = counts["passes"]
    outcome = sweep.counts(nothing, range(GROUP))
    assert (outcome == plain.counts).all()
    assert counts["passes"] == passes
    assert segmenter.given == [GROUP]


def test_states_of_samples_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = planted_cache(tmp_path, samples=24)
    tail, made = Tail(cache, "layer1"), list[list[int]]()
    state = tail.state

    def noted(numbers: list[int]) -> State:
        made.append(numbers)
        return state(numbers)

    monkeypatch.setattr(tail, "state", noted)
    held = HeldStates(tail)
    for numbers in ([5, 5, 9, 1, 2, 3, 4, 20], [20, 9, 6, 5, 4, 3, 2, 1]):
        mixed, whole = held.of(numbers), state(numbers)
        for name in ("x", "scene", "noise", "z"):
            assert torch.equal(mixed[name], whole[name]), name
    assert [set(numbers) for numbers in made] == [{1, 2, 3, 4, 5, 9, 20}, {6}]


@given(st.dictionaries(st.integers(0, 40), st.integers(1, GROUP)))
def test_packing_loses_nothing_and_overfills_nothing(sizes: dict[int, int]) -> None:
    boxes = packed(sizes, GROUP)
    assert sorted(thing for box in boxes for thing in box) == sorted(sizes)
    assert all(sum(sizes[thing] for thing in box) <= GROUP for box in boxes)
    assert len(boxes) <= 2 * sum(sizes.values()) / GROUP + 1
