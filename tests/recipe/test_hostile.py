"""Recipes that name what is no file, no device, no weights: one message with the recipe's line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.test_cli import call
from unit59.foundation.errors import Unit59Error
from unit59.loading import checked_device, load_network
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


def test_results_or_cache_that_are_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests import tiny

    path = tiny.write_recipe(tmp_path, samples=16)
    (tmp_path / "file").touch()
    for places in (("--results", "file", "--cache", "cache"), ("--results", "results", "--cache", "file")):
        given = [tmp_path / place if place in ("file", "cache", "results") else place for place in places]
        status, _, err = call(capsys, "dissect", path, *given)
        assert status == 2
        assert "file" in err
        assert "Traceback" not in err


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, r"more than 20000 values, aliases counted"),
        ("a: &a [*a]\n", "an alias that holds itself"),
        ("a: &a {b: *a}\n", "an alias that holds itself"),
        ("layers: [" + "x, " * 60_000 + "x]\n", "more than 20000 values"),
        ("a: " + "[" * 60 + "]" * 60, "nested deeper than 40"),
        ("a: " + "[" * 100_000, "not valid YAML"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", r"x.yaml:4: b: the field stands there twice"),
        ("a: [{b: 1, b: 2}]\n", r"x.yaml:1: b: the field stands there twice"),
        ("a: 1" + ":59" * 80_000, r"a number of \d+ characters"),
        ('a: "\\ud800"\n', "a character that cannot be shown"),
        ('a: "\\e[31mred"\n', "a character that cannot be shown"),
        ('a: "\\0"\n', "a character that cannot be shown"),
    ],
)
def test_yaml_that_would_take_the_machine(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_recipe(tmp_path / "x.yaml")
