"""The layers and handles that a recipe names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tiny
from unit59.foundation.progress import Reporter
from unit59.handles import CHANNEL
from unit59.loading import load_network, open_handles, wanted_layers
from unit59.recipe.sections import RecipeError, read_recipe
from unit59.run import Options, dissect

MINE = "from unit59.handles import Channel\nclass Mine(Channel):\n    seed: int = 0\n"


def names(folder: Path, layers: str, handles: str) -> list[str]:
    (folder / "mine.py").write_text(MINE)
    file = read_recipe(tiny.write_recipe(folder, layers=layers, more=f"handles: {handles}"))
    network, _ = load_network(file, "cpu")
    found = open_handles(file, network, wanted_layers(file, network))
    assert all((each.handle == CHANNEL) == ("." not in each.name) for each in found)
    return [each.name for each in found]


def test_layers_come_in_forward_order(tmp_path: Path) -> None:
    assert names(tmp_path, "[layer3, layer1]", "[]") == ["layer1", "layer3"]
    assert names(tmp_path, "all", "[]") == ["layer1", "layer2", "layer3"]


def test_units_of_handles_stand_behind_the_channels(tmp_path: Path) -> None:
    both = "[mine:Mine, mine:Mine: {layers: [layer3], name: other}]"
    found = names(tmp_path, "[layer1, layer3]", both)
    assert found == ["layer1", "layer1.mine", "layer3", "layer3.mine", "layer3.other"]


@pytest.mark.parametrize(
    ("handles", "says"),
    [
        (
            "[mine:Mine, mine:Mine: {seed: 1}]",
            "handles.1: units named 'layer1.mine' are there already;",
        ),
        ("[mine:Mine: {layers: [layer9]}]", "handles.0: 'layer9' is none of the dissected layers; did you"),
        ("[styles]", "handles.0: there is no handle 'styles'; did you mean 'style'?"),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, handles: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        names(tmp_path, "[layer1]", handles)
    assert f"tiny.yaml:12: {says}" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"layers": "[layer1, layre2]"},
            "tiny.yaml:6: layers.1: dcgan has no layer 'layre2'; did you mean 'layer2'?",
        ),
        ({"weights": "gone.pth"}, "gone.pth: there is no such file."),
        ({"more": "inputs: {folder: here}"}, "inputs: dcgan takes latent codes"),
        ({"more": "sampling: {psi: 0.7}"}, "sampling.psi: there is no such field. dcgan has none."),
    ],
)
def test_what_only_the_network_knows(tmp_path: Path, values: dict[str, str], says: str) -> None:
    options = Options(tmp_path / "results", tmp_path / "cache")
    with pytest.raises(RecipeError) as caught:
        dissect(read_recipe(tiny.write_recipe(tmp_path, **values)), options, Reporter(quiet=True))
    assert says in str(caught.value)
