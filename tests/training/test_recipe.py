"""A training recipe's mistakes: file, line, field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny import RECIPES
from unit59.recipe.document import RecipeError
from unit59.training.recipe import GanRecipe
from unit59.training.train import read_training


def read(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_training(path)
    return str(caught.value).replace(str(path), "recipe.yaml")


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("family: stylegan", "family: stylgan", "recipe.yaml:2: family: there is no 'stylgan'; did you mean"),
        ("family: stylegan\n", "", "family: the field is missing."),
        ("latent: 5", "latent: 0", "recipe.yaml:5: latent: Input should be greater than or equal to 1"),
        ("latent: 5", "lattent: 5", "recipe.yaml:5: lattent: there is no such field; did you mean 'latent'?"),
        ("fade: 32", "fad: 32", "recipe.yaml:10: phases.1.fad: there is no such field; did you mean 'fade'?"),
        ("side: 16", "side: 32", "recipe.yaml:10: phases.1.side: 32, but 3 channels make 16 x 16."),
        ("[4, 4, 3]", "[4, 4]", "recipe.yaml: critic_channels: as many as channels."),
        ("name: tiny", "name: ../tiny", "recipe.yaml:1: name: String should match pattern"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert right in RECIPES["stylegan"]
    assert says in read(tmp_path, RECIPES["stylegan"].replace(right, wrong))


@pytest.mark.parametrize("path", sorted(Path("recipes/training").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_published_recipes(path: Path) -> None:
    recipe = read_training(path)
    assert recipe.name == path.stem
    if isinstance(recipe, GanRecipe):
        assert recipe.side == 64
        assert recipe.phases[-1].side == 64
