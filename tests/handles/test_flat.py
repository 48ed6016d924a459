"""Units without maps, of a built-in handle and of one's own: their effects are measured, and shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor

from tests import tiny
from tests.newcomers.running import dissected, page, write
from tests.published import FIXTURES
from unit59.handles import Handle
from unit59.networks import Layer, Network, State
from unit59.recipe.sections import RecipeError, read_recipe
from unit59.results import ModelResults, find_faults, find_missing, read_model
from unit59.run import Options, Run


class Brightness(Handle):
    """A unit is the mean of a channel over its map: one number a sample."""

    maps = False

    def units(self, network: Network, layer: Layer) -> int:
        return layer.units

    def read(self, network: Network, layer: Layer, state: State) -> Tensor:
        x: Tensor = state["x"]
        return x.mean(dim=(2, 3), keepdim=True)

    def write(self, network: Network, layer: Layer, state: State, old: Tensor, new: Tensor) -> State:
        return {**state, "x": state["x"] + new - old}

    def beside(self, network: Network, layer: Layer) -> str | None:
        return layer.name


#: The only unit that makes lamps.
LAMP = 5
RECIPE = """\
layers: [layer1, layer2]
handles: [flat:Brightness: {layers: [layer1]}, style]
effects: {samples: 32, extra: 0, edits: [up, neutral], shift: 20}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flat")


@pytest.fixture(scope="module")
def results(folder: Path) -> ModelResults:
    return dissected(write(folder, __file__, RECIPE))


def test_effects_are_all_that_is_measured(results: ModelResults) -> None:
    assert list(find_faults(results.folder)) == list(find_missing(results.folder)) == []
    assert [each.record.name for each in results.layers] == ["layer1", "layer2"]
    brightness, styles = results.handles
    record = brightness.effects.record
    assert (record.layer, record.handle, record.beside) == ("layer1.brightness", "brightness", "layer1")
    assert (record.kinds, record.shift, record.ranking.by) == (["up", "neutral"], 20, "nothing")
    assert styles.effects.record.layer == "layer1.style"  # layer2 of this network has no styles
    assert not styles.effects.effects.filter(found=True).height  # which never vary, and change nothing
    lamp = brightness.effects.effects.filter(label="lamp", kind="up", found=True)
    assert lamp["unit"].to_list() == [LAMP]
    assert lamp["effect"][0] > 0
    for layer in results.layers:
        assert layer.effects is not None
        assert set(layer.effects.effects["kind"]) == {"ablate", "insert"}
        assert layer.effects.record.handle == "channel"


def test_pages_say_so_and_show_them_beside_the_channels(results: ModelResults, folder: Path) -> None:
    own = page(folder, "models/planted/layer1.brightness")
    assert "No maps." in own and "brightness shifted up" in own
    beside = page(folder, f"models/planted/layer1/{LAMP}")
    assert page(folder, "models/planted").count(">effects alone<") == 2
    assert "The unit or its brightness?" in beside and "The unit or its style?" in beside


def test_the_same_recipe_measures_nothing_again(results: ModelResults, folder: Path) -> None:
    options = Options(folder / "results", folder / "cache")
    run = Run(read_recipe(folder / "planted.yaml"), options, tiny.Listening())
    assert all(run.is_current(part) for part in run.parts)
    (folder / "other.yaml").write_text((folder / "planted.yaml").read_text().replace("shift: 20", "shift: 2"))
    again = Run(read_recipe(folder / "other.yaml"), options, tiny.Listening())
    stale = {part.name for part in again.parts if not again.is_current(part)}
    assert stale == {"layers/layer1.brightness/effects", "layers/layer1.style/effects"}
    assert all(part.cost() is not None for part in again.parts)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            "searches: [{concept: lamp, layers: [layer1.style]}]",
            "searches.0.layers.0: the units of",
        ),
        (
            "sets: [{concept: lamp, layer: layer1.style}]",
            "sets.0.layer: the units of layer1.style have",
        ),
        ("studies: [textures: {layers: [layer1.style]}]", "studies.0: "),
    ],
)
def test_what_needs_maps_refuses_them(tmp_path: Path, more: str, says: str) -> None:
    recipe = write(tmp_path, __file__, f"layers: [layer1]\nhandles: [style]\neffects: {{}}\n{more}\n")
    with pytest.raises(RecipeError) as caught:
        dissected(recipe)
    assert says in str(caught.value)


def test_styles_of_a_later_stylegan_belong_to_the_layer_before(tmp_path: Path) -> None:
    more = "handles: [style]\neffects: {samples: 8, extra: 0, floor: 0.05, edits: [up], shift: 3}"
    weights = str(FIXTURES / "stylegan2ada" / "sg2ada_res32.pkl")
    layers = "[b4.conv1, b8.conv0]"
    results = read_model(tiny.run(tmp_path, weights=weights, layers=layers, samples=8, more=more))
    first, second = (each.effects for each in results.handles)
    assert (first.record.layer, first.record.beside) == ("b4.conv1.style", None)
    assert (second.record.layer, second.record.beside) == ("b8.conv0.style", "b4")
    assert (second.effects["effect"] != 0).any()
