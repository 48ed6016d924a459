"""The network that a recipe names, and how it is sampled: mistakes have the recipe's line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import tiny
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import sha256_of
from unit59.loading import checked_device, load_network, open_sampling
from unit59.recipe.sections import RecipeError, read_recipe

RECIPE = "model: x\ntitle: X\ncheckpoint: {}\nsegmenter: colours\nsamples: 8\n"


def recipe(folder: Path, checkpoint: str) -> Path:
    path = folder / "x.yaml"
    path.write_text(RECIPE.format(checkpoint))
    return path


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        ("a" * 5000, r"'.*…\ \(\d+ characters\)': cannot be read as a file: File name too long"),
        ("a/" * 2500, "cannot be read as a file: File name too long"),
        ("/proc/self/mem", "/proc/self/mem: no plain file"),
        ("/dev/zero", "/dev/zero: no plain file"),
        ("pipe", "pipe: no plain file"),
        ("link", "link: no plain file"),
        (".", "a folder, not a file"),
        ("loop", "cannot be read as a file"),
    ],
)
def test_a_checkpoint_that_is_no_plain_file(tmp_path: Path, checkpoint: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/proc/self/environ")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RecipeError, match=f"x.yaml:3: checkpoint.file: .*{message}"):
        load_network(read_recipe(recipe(tmp_path, checkpoint)), "cpu")


@pytest.mark.parametrize("name", ["meta", "", "quantum", "cuda:99", "cpu:x", "privateuseone"])
def test_a_device_that_computes_nothing(name: str) -> None:
    with pytest.raises(Unit59Error, match="torch cannot use it here"):
        checked_device(name)


@pytest.mark.parametrize(
    "weight",
    [
        "torch.zeros(3, dtype=torch.complex64).conj()",
        "torch.zeros(0)",
        "torch.zeros(())",
        "torch.zeros(2).bool()",
    ],
)
def test_weights_of_all_kinds_have_a_hash(tmp_path: Path, weight: str) -> None:
    text = (
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n    latent_size = 4\n"
        "    def __init__(self):\n        super().__init__()\n        torch.manual_seed(0)\n"
        f"        self.layer = nn.ConvTranspose2d(4, 3, 4)\n        self.register_buffer('more', {weight})\n"
        "    def forward(self, z):\n        return self.layer(z[:, :, None, None])\n"
    )
    (tmp_path / "net.py").write_text(text)
    record = load_network(read_recipe(recipe(tmp_path, "net:Net")), "cpu")[1]
    assert len(record.sha256) == 64
    (tmp_path / "net.py").write_text(text.replace(weight, "torch.zeros(3).to_sparse()"))
    with pytest.raises(RecipeError, match=r"the weight 'module.more' is no dense tensor"):
        load_network(read_recipe(recipe(tmp_path, "net:Net")), "cpu")


def test_the_record_says_where_weights_came_from(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path, weights="{file: tiny.pth, source: nowhere, licence: MIT, terms: none}")
    network, record = load_network(read_recipe(path), "cpu")
    weights = tmp_path / "tiny.pth"
    assert (network.family, record.family) == ("dcgan", "dcgan")
    assert (record.file, record.bytes, record.sha256) == (
        "tiny.pth",
        weights.stat().st_size,
        sha256_of(weights),
    )
    assert (record.source, record.licence, record.terms) == ("nowhere", "MIT", "none")


def test_another_file_than_the_recipe_means(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path)
    text = path.read_text().replace(
        "checkpoint: tiny.pth", f"checkpoint: {{file: tiny.pth, sha256: {'a' * 64}}}"
    )
    path.write_text(text)
    with pytest.raises(RecipeError, match="not the file that the recipe means"):
        load_network(read_recipe(path), "cpu")


def test_weights_and_segmenter_that_are_missing_are_said_at_once(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path, weights="gone.pth")
    path.write_text(path.read_text().replace("segmenter: colours", "segmenter: colors"))
    with pytest.raises(RecipeError) as caught:
        load_network(read_recipe(path), "cpu")
    first, second = str(caught.value).splitlines()
    assert "tiny.yaml:4: checkpoint.file: " in first and "gone.pth: there is no such file." in first
    assert "tiny.yaml:5: segmenter: there is no 'colors'" in second


def test_a_field_that_the_family_does_not_have(tmp_path: Path) -> None:
    path = tiny.write_recipe(tmp_path, more="sampling: {psi: 0.7, steps: 3}")
    with pytest.raises(RecipeError) as caught:
        open_sampling(read_recipe(path), load_network(read_recipe(path), "cpu")[0])
    for field, line in zip(("psi", "steps"), str(caught.value).splitlines(), strict=True):
        assert f"tiny.yaml:12: sampling.{field}: there is no such field. dcgan has none." in line
