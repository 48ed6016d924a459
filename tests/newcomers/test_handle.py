"""A handle: another basis of a layer's channels, measured, edited, searched and shown like the channels."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.newcomers.running import dissected, page, write
from unit59.foundation.random import normal_draw
from unit59.handles import Handle
from unit59.networks import Layer, Network, State
from unit59.results import ModelResults, SearchRecord, SetsRecord


class Rotation(Handle):
    """A unit is a direction: one axis of a random rotation of the layer's channels."""

    seed: int | None = None
    """Of the rotation; without one the axes are the channels."""

    def units(self, network: Network, layer: Layer) -> int:
        return layer.units

    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        return torch.einsum("uc,nchw->nuhw", self.axes(layer), state["x"])

    def write(self, network: Network, layer: Layer, state: State, old: Tensor, new: Tensor) -> State:
        step = torch.einsum("uc,nuhw->nchw", self.axes(layer), new - old)
        return {**state, "x": state["x"] + step}

    def axes(self, layer: Layer) -> Tensor:
        return axes(self.seed, layer.number, layer.units)


@lru_cache
def axes(seed: int | None, number: int, units: int) -> Tensor:
    """Orthonormal rows [units, channels]."""
    if seed is None:
        return torch.eye(units)
    drawn = torch.from_numpy(normal_draw(seed, number, (units, units)))
    rows: Tensor = torch.linalg.qr(drawn)[0]
    return rows


RECIPE = """\
layers: [layer1]
handles:
  - handle:Rotation: {name: same}
  - handle:Rotation: {seed: 1}
effects: {samples: 8, extra: 0}
searches:
  - {concept: lamp, samples: 16, layers: [layer1], name: channels}
  - {concept: lamp, samples: 16, layers: [layer1.rotation], name: rotated}
sets: [{concept: lamp, layer: layer1.same, samples: 16, steps: 4, largest: 4, name: sets}]
"""
#: The only unit that makes lamps.
LAMP = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handle")


@pytest.fixture(scope="module")
def results(folder: Path) -> ModelResults:
    return dissected(write(folder, __file__, RECIPE))


def test_its_units_are_a_layer_of_their_own(results: ModelResults) -> None:
    channels, same, rotated = results.layers
    assert [each.record.name for each in results.layers] == ["layer1", "layer1.same", "layer1.rotation"]
    assert channels.effects and same.effects and rotated.effects
    assert same.agreement.equals(channels.agreement)
    assert same.effects.effects.equals(channels.effects.effects)
    assert not rotated.agreement.equals(channels.agreement)
    assert not rotated.effects.effects.equals(channels.effects.effects)


def test_what_a_channel_causes_is_spread_over_directions(results: ModelResults) -> None:
    best = [max(each.agreement.filter(concept=1)["iou"].to_list()) for each in results.layers]
    assert best[0] == best[1] > best[2]
    found = {each.record.name: each.record for each in results.studies}
    channels, rotated = found["channels"], found["rotated"]
    assert isinstance(channels, SearchRecord) and isinstance(rotated, SearchRecord)
    assert (channels.verdict, channels.layer, channels.causes) == ("sole cause", "layer1", [LAMP])
    assert rotated.verdict != "sole cause"


def test_unit_sets_are_of_its_units(results: ModelResults) -> None:
    sets = next(each.record for each in results.studies if isinstance(each.record, SetsRecord))
    assert sets.layer == "layer1.same"
    assert sets.smallest[0].units == [LAMP]


def test_each_unit_has_a_page(results: ModelResults, folder: Path) -> None:
    text = page(folder, f"models/planted/layer1.rotation/{LAMP}")
    assert f"Unit {LAMP} · layer1.rotation" in text
