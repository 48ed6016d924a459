"""What a recipe names for its samples: segmenter, inputs, real pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from unit59.loading import check_names, load_network, open_inputs, open_real, open_segmenter, segmenter_names
from unit59.networks import Network, load
from unit59.recipe.sections import RecipeError, RecipeFile, read_recipe
from unit59.segmenters.stack import Stack


def opened(folder: Path, more: str) -> tuple[RecipeFile, Network]:
    """A recipe of the tiny DCGAN with some pictures beside it, and the network."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(9):
        picture = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(picture).save(pictures / f"{number}.png")
    file = read_recipe(tiny.write_recipe(folder, samples=8, more=more))
    return file, load_network(file, "cpu")[0]


def test_an_unknown_segmenter_has_its_line(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path)
    path.write_text(path.read_text().replace("segmenter: colours", "segmenter: colors"))
    with pytest.raises(
        RecipeError, match=r"tiny\.yaml:5: segmenter: there is no 'colors'; did you mean 'colours'"
    ):
        check_names(read_recipe(path))


def test_a_list_of_segmenters_is_a_stack(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path)
    path.write_text(path.read_text().replace("segmenter: colours", "segmenter: [colours, bedrooms]"))
    found = open_segmenter(read_recipe(path))
    assert isinstance(found, Stack)
    assert segmenter_names(read_recipe(path).recipe.segmenter) == ["colours", "bedrooms"]


@pytest.mark.parametrize(
    ("spec", "names"),
    [("colours", ["colours"]), ({"upernet": {"folder": "x"}}, ["upernet"]), (["a", {"b": 1}], ["a", "b"])],
)
def test_names_for_the_page(spec: Any, names: list[str]) -> None:
    assert segmenter_names(spec) == names


def test_inputs_belong_to_networks_of_pictures(tmp_path: Path) -> None:
    file, network = opened(tmp_path, "inputs: {folder: pictures}")
    with pytest.raises(RecipeError, match=r"tiny\.yaml:12: inputs: dcgan takes latent codes, not pictures"):
        open_inputs(file, network)
    painter = load("tests.networks.own_modules:Conditional")
    assert painter.takes == "image"
    inputs = open_inputs(file, painter)
    assert inputs is not None and len(inputs) == 9
    cases: list[tuple[dict[str, Any], str]] = [
        ({"samples": 10}, r"tiny\.yaml:7: samples: 10 samples, but the inputs hold 9 pictures"),
        ({"more": ""}, r"tiny\.yaml:1: inputs: .* takes pictures: name some"),
        ({"more": "inputs: {folder: gone}"}, r"tiny\.yaml:12: inputs: .*gone"),
    ]
    for wrong, says in cases:
        again = read_recipe(tiny.write_recipe(tmp_path, **{"more": "inputs: {folder: pictures}", **wrong}))
        with pytest.raises(RecipeError, match=says):
            open_inputs(again, painter)


def test_too_few_real_pictures_say_nothing(tmp_path: Path) -> None:
    file, network = opened(tmp_path, "real: {folder: pictures}")
    with pytest.raises(RecipeError, match=r"tiny\.yaml:12: real: 9 pictures; at least 16 are needed"):
        open_real(file, network)
    assert open_real(read_recipe(tiny.write_recipe(tmp_path)), network) is None
