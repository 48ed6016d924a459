"""A recipe's mistakes: file, line, field and the nearest valid name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit59.recipe.sections import RecipeError, json_schema, read_recipe

GOOD = """\
model: faces
title: Faces
checkpoint:
  file: weights.pth
  licence: MIT
segmenter:
  - faces: {folder: weights}
  - colours
layers: [layer2, layer3]
samples: 64
"""


def read(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    return str(caught.value).replace(str(path), "recipe.yaml")


def test_a_good_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(GOOD)
    file = read_recipe(path)
    assert file.recipe.samples == 64
    assert file.recipe.quantile == 0.01
    assert file.recipe.checkpoint.file == "weights.pth"
    assert file.resolve("weights.pth") == tmp_path / "weights.pth"


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("layrs:", "layers:", "recipe.yaml:9: layrs: there is no such field; did you mean 'layers'?"),
        ("samples: many", "samples: 64", "recipe.yaml:10: samples: Input should be a valid integer"),
        ("samples: 3", "samples: 64", "recipe.yaml:10: samples: Input should be greater than or equal to 8"),
        ("samples: 64.5", "samples: 64", "recipe.yaml:10: samples: Input should be a valid integer"),
        ("modl: faces", "model: faces", "recipe.yaml:1: modl: there is no such field; did you mean 'model'?"),
        ("model: ../x", "model: faces", "recipe.yaml:1: model: String should match pattern"),
        ("licens: MIT", "licence: MIT", "recipe.yaml:5: checkpoint.licens: there is no such field; did you mean 'licence'?"),
        ("layers: layer2", "layers: [layer2, layer3]", "recipe.yaml:9: layers: expected a list such as [layer2], or all, got 'layer2'."),
        ("layers: []", "layers: [layer2, layer3]", "recipe.yaml:9: layers"),
        ("title: [", "title: Faces", "not valid YAML"),
        ("title: Faces\ntitle: Other", "title: Faces", "recipe.yaml:3: title: the field stands there twice."),
        ("samples: 64\npsi: 0.7", "samples: 64", "recipe.yaml:11: psi: goes below `sampling:` now: `sampling: {psi: 0.7}`."),
        ("samples: 64\nlabel: 3", "samples: 64", "recipe.yaml:11: label: goes below `sampling:` now: `sampling: {label: 3}`."),
        ("samples: 64\nmode: eval", "samples: 64", "recipe.yaml:11: mode: goes below `sampling:` now: `sampling: {mode: eval}`."),
        ("samples: 64\npsi: 0.7\nnoise: none", "samples: 64", "recipe.yaml:11: psi: goes below `sampling:` now, and so does noise: `sampling: {psi: 0.7, noise: none}`."),
        ("samples: 64\nlabel: 1\nsampling: {psi: 0.7}\ncutoff: 3\nmode: eval", "samples: 64", "recipe.yaml:11: label: goes below `sampling:` now, and so do cutoff, mode: `sampling: {psi: 0.7, label: 1, cutoff: 3, mode: eval}`."),
        ("samples: 64\nsampling: const", "samples: 64", "recipe.yaml:11: sampling: Input should be a valid dictionary"),
        ("samples: 64\nseed: -1", "samples: 64", "recipe.yaml:11: seed: Input should be greater than or equal to 0"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, wrong: str, right: str, says: str) -> None:
    assert right in GOOD
    assert says in read(tmp_path, GOOD.replace(right, wrong))


def test_missing_fields_are_named(tmp_path: Path) -> None:
    message = read(tmp_path, "model: faces\n")
    assert all(f"{field}: the field is missing." in message for field in ("title", "checkpoint", "segmenter"))


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just text", "a: [b", "\t", "? {a: 1}\n: 2\n", "{" * 3000]
)
def test_what_is_no_recipe(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).startswith("recipe.yaml")


def test_a_missing_file_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "faces.yaml").write_text(GOOD)
    with pytest.raises(RecipeError, match="did you mean 'faces'"):
        read_recipe(tmp_path / "face.yaml")


def test_not_utf8_and_too_large(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"model: \xff\n")
    with pytest.raises(RecipeError, match="not UTF-8"):
        read_recipe(path)
    path.write_text("# " + "x" * 300_000)
    with pytest.raises(RecipeError, match="at most"):
        read_recipe(path)


def test_every_published_recipe_is_valid_and_the_schema_knows_its_fields() -> None:
    properties = json.loads(json_schema())["properties"]
    recipes = sorted(Path("recipes").glob("*.yaml"))
    assert recipes
    for path in recipes:
        assert set(read_recipe(path).recipe.model_fields_set) <= set(properties)


def test_the_published_schema_is_current() -> None:
    assert Path("docs/assets/recipe.schema.json").read_text() == json_schema()
