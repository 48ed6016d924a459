"""Networks and segmenters of one's own: what the guide shows is done, and runs from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests import tiny
from tests.test_docs import blocks, follow
from unit59.foundation.progress import Reporter
from unit59.loading import load_network
from unit59.recipe.sections import RecipeError, read_recipe
from unit59.results import ModelResults, find_faults, read_model
from unit59.run import Options, dissect

PAGE = "docs/guide/own.md"


def test_the_page(tmp_path: Path) -> None:
    follow(PAGE, tmp_path)
    results = read_model(tmp_path / "results" / "mine")
    assert results.record.family == "own"
    assert [(layer.record.name, layer.record.units) for layer in results.layers] == [
        ("first", 24),
        ("second", 12),
        ("third", 8),
        ("third.rotation", 8),
    ]
    assert results.record.segmenter.planes == ["light", "colour"]
    assert "It knows how light a pixel is" in results.record.segmenter.limits
    for layer in results.layers:
        assert layer.units["iou"].is_between(0, 1).all()
        assert set(layer.units["plane"].drop_nulls()) <= {"light", "colour"}


def test_every_script_of_the_page_is_run() -> None:
    """`follow` writes titled blocks and runs shell and untitled Python ones; there is no other kind."""
    shown = blocks(PAGE)
    assert {block.language for block in shown} == {"python", "yaml", "sh"}
    assert [block.title for block in shown if block.title] == [
        "my_gan.py",
        "my_segmenter.py",
        "my_handle.py",
        "mine.yaml",
    ]


# ---- a family of one's own


FAMILY = """\
model: dimmed
title: Dimmed
checkpoint: own_modules:Dimmed
segmenter: colours
layers: [layer1]
samples: 16
shuffles: 2
bootstrap: 20
"""


def test_a_family_with_a_knob_of_its_own(tmp_path: Path) -> None:
    def run(name: str, more: str) -> ModelResults:
        recipe = write(tmp_path, FAMILY + more, name=f"{name}.yaml")
        options = Options(tmp_path / name, tmp_path / "cache")
        return read_model(dissect(read_recipe(recipe), options, Reporter(quiet=True)))

    plain, dim = run("plain", ""), run("dim", "sampling: {light: 0.5, noise: none}\n")
    assert plain.record.family == "dimmed"
    assert plain.record.sampling == {"noise": "drawn with the sample", "light": "100%"}
    assert dim.record.sampling == {"noise": "none", "light": "50%"}
    sheets = [
        np.asarray(Image.open(each.folder / "pictures" / "samples.webp").convert("RGB"), float)
        for each in (plain, dim)
    ]
    assert sheets[1].mean() == pytest.approx(sheets[0].mean() / 2, rel=0.05)
    with pytest.raises(RecipeError) as caught:
        run("typo", "sampling: {ligth: 0.5}\n")
    assert "typo.yaml:9: sampling.ligth: there is no such field; did you mean 'light'?" in str(caught.value)
    with pytest.raises(RecipeError, match=r"wrong\.yaml:10: sampling\.light: .*greater than 0"):
        run("wrong", "sampling:\n  light: 0\n")


# ---- a network that takes pictures and labels


RECIPE = """\
model: own
title: Own
checkpoint: own_modules:Conditional
segmenter: colours
samples: 9
shuffles: 3
bootstrap: 20
exemplars: 2
inputs: pictures
"""


def write(folder: Path, text: str, module: str | None = None, name: str = "own.yaml") -> Path:
    """The recipe, and its module beside it."""
    source = Path(__file__).with_name("networks") / "own_modules.py"
    (folder / "own_modules.py").write_text(source.read_text() if module is None else module)
    recipe = folder / name
    recipe.write_text(text)
    return recipe


def run(folder: Path, more: str = "", batch: int = 64) -> ModelResults:
    folder.mkdir(exist_ok=True)
    pictures = folder / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        draw = np.random.default_rng(3)
        for number in range(9):
            Image.fromarray(draw.integers(0, 256, (8, 10, 3), np.uint8)).save(pictures / f"{number}.png")
    recipe = write(folder, RECIPE + more)
    torch.manual_seed(59)  # the module makes its weights anew
    options = Options(folder / "results", folder / "cache", batch=batch)
    return read_model(dissect(read_recipe(recipe), options, Reporter(quiet=True)))


def test_a_network_of_pictures_and_labels(tmp_path: Path) -> None:
    results = run(tmp_path / "one")
    assert list(find_faults(results.folder)) == []
    assert [layer.record.name for layer in results.layers] == ["body.0"]
    assert results.record.resolution == (8, 10)
    other = run(tmp_path / "other", batch=1)
    assert tiny.contents(results.folder) == tiny.contents(other.folder)
    with pytest.raises(RecipeError, match=r"own\.yaml:10: sampling\.label: 2, but the network has 2 classes"):
        run(tmp_path / "one", "sampling: {label: 2}\n")


@pytest.mark.parametrize(
    ("checkpoint", "says"),
    [
        ("own_modules:nothing", "own.yaml:3: checkpoint.file: .* no callable 'nothing'"),
        ("own_modules:failing", "own.yaml:3: checkpoint.file: .* no weights here"),
        ("tests.nowhere:make", r"own.yaml:3: checkpoint.file: .* no tests/nowhere\.py below"),
    ],
)
def test_what_is_wrong_has_the_recipes_line(tmp_path: Path, checkpoint: str, says: str) -> None:
    recipe = write(tmp_path, RECIPE.replace("own_modules:Conditional", checkpoint))
    with pytest.raises(RecipeError, match=says):
        load_network(read_recipe(recipe), "cpu")


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    module = "from own_weights import VALUE\n" + SMALL
    (tmp_path / "own_weights.py").write_text("VALUE = 1.0")
    recipe = write(tmp_path, RECIPE, module)
    network, first = load_network(read_recipe(recipe), "cpu")
    (tmp_path / "own_weights.py").write_text("VALUE = 2.0")
    other, second = load_network(read_recipe(recipe), "cpu")
    assert first.sha256 != second.sha256
    assert first.bytes == second.bytes
    write(tmp_path, RECIPE, module.replace("body(x)", "body(x) * 0.5"))  # another pass of the same weights
    changed, third = load_network(read_recipe(recipe), "cpu")
    assert second.sha256 == third.sha256
    assert len({network.code, other.code, changed.code}) == 3


SMALL = """
import torch
from torch import nn

class Conditional(nn.Module):
    image_size = (8, 10)
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 3, 1)
        for weight in self.parameters():
            weight.data.fill_(VALUE)
    def forward(self, x):
        return self.body(x)
"""
