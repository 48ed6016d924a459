"""What own code may do wrong while samples are made: one line, exit status 2, never results of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.test_cli import call
from unit59.networks import own
from unit59.samples.drawing import Sampler

SAMPLES, SEED = 20, 3
RAISED = "{group}: mine:Mine: a pass raised "
RECIPE = f"""\
model: mine
title: Mine
checkpoint: mine:Mine
segmenter: {{segmenter}}
samples: {SAMPLES}
seed: {SEED}
shuffles: 2
bootstrap: 20
"""
#: `odd` marks the samples in which something goes wrong; `limit` is set so that it is one.
MODULE = """
import sys
import torch
from torch import nn

class Layer(nn.ConvTranspose2d):
    def forward(self, z):
        x, odd = super().forward(z), z[:, 0, 0, 0] > {limit}
        {layer}
        return x

class Mine(nn.Module):
    latent_size = 4
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = Layer(4, 3, 4), nn.Conv2d(3, 3, 1)
    def forward(self, z):
        odd = z[:, 0] > {limit}
        image = torch.tanh(self.second(self.first(z[:, :, None, None])))
        {picture}
        return image
"""
FAMILY = """
import sys
import torch
from tests.planted.network import Planted

class Mine(Planted):
    family = "mine"
    def start(self, batch):
        odd = batch.inputs[:, 0] > {limit}
        {start}
        return {{**super().start(batch), "odd": odd}}
    def _paint(self, state):
        state = super()._paint(state)
        image, odd = state["image"], state["odd"]
        {picture}
        return {{**state, "image": image}}
"""
SEGMENTER = """
import sys
import torch
from unit59.segmenters import Concept

class Halves:
    planes = ("light",)
    concepts = (Concept("light", "light", "#ffffff"),)
    calls = 0
    def segment(self, images):
        self.calls += 1
        if self.calls == 3:
            {fault}
        return (images.mean(1, keepdim=True) > 0).long()
"""


def write(folder: Path, text: str, segmenter: str = "colours", **faults: str) -> Path:
    """The recipe and its module beside it, with the given faults."""
    names = dict.fromkeys(("layer", "picture", "start"), "pass")
    (folder / "mine.py").write_text(text.format(**{"limit": "1e9", **names, **faults}))
    recipe = folder / "mine.yaml"
    recipe.write_text(RECIPE.format(segmenter=segmenter))
    return recipe


def oddest(folder: Path, text: str) -> tuple[int, str]:
    """The sample with the largest first latent, and a limit that only it is beyond."""
    write(folder, text)
    network = own.load("mine:Mine", folder=folder)
    sampler = Sampler(network, SEED)
    first = torch.tensor([sampler._draw(i, "latent", network.latent_size)[0] for i in range(SAMPLES)])
    top = first.sort().values[-2:]
    return int(first.argmax()), str(float(top.mean()))


def refused(capsys: pytest.CaptureFixture[str], folder: Path, recipe: Path) -> str:
    """What the command says; it is one line, and there are no results."""
    places = ("--results", folder / "results", "--cache", folder / "cache", "--quiet")
    status, out, err = call(capsys, "dissect", recipe, *places)
    assert (status, out) == (2, ""), err
    assert "Traceback" not in err
    assert err.startswith("unit59: ")
    assert not list((folder / "results").rglob("*.parquet"))
    return err


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ({"layer": "x[odd, 1] = float('nan')"}, "layer first, unit 1, sample {n}: the activation is"),
        ({"layer": "x[odd, 2, 3, 3] = -float('inf')"}, "layer first, unit 2, sample {n}: the activation is"),
        ({"picture": "image[odd, 0, 1, 1] = float('nan')"}, "sample {n}: the picture holds values that are"),
        ({"picture": "image[odd] *= 255"}, "sample {n}: the picture's values reach from"),
        ({"picture": "image = (image + 1) * 127.5"}, "sample 0: the picture's values reach from"),
        ({"picture": "if odd.any(): raise ValueError('bad day')"}, RAISED + "ValueError"),
        ({"picture": "if odd.any(): sys.exit(0)"}, RAISED + "it called sys.exit(0)"),
        ({"layer": "if odd.any(): sys.exit(0)"}, RAISED + "it called sys.exit(0)"),
    ],
)  # fmt: skip
def test_a_module(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, faults: dict[str, str], says: str
) -> None:
    number, limit = oddest(tmp_path, MODULE)
    said = refused(capsys, tmp_path, write(tmp_path, MODULE, limit=limit, **faults))
    assert says.format(n=number, group=group(number)) in said


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ({"picture": "image[odd] = float('nan')"}, "sample {n}: the picture holds values that are"),
        ({"picture": "image[odd] *= 255"}, "sample {n}: the picture's values reach from"),
        ({"picture": "if odd.any(): raise ValueError('bad day')"}, RAISED + "ValueError: bad"),
        ({"picture": "if odd.any(): sys.exit(0)"}, RAISED + "it called sys.exit(0)"),
        ({"start": "if odd.any(): sys.exit(0)"}, RAISED + "it called sys.exit(0)"),
        ({"start": "if odd.any(): raise KeyError('w')"}, RAISED + "KeyError: 'w'"),
    ],
)  # fmt: skip
def test_a_family_of_ones_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, faults: dict[str, str], says: str
) -> None:
    number, limit = oddest(tmp_path, FAMILY)
    said = refused(capsys, tmp_path, write(tmp_path, FAMILY, limit=limit, **faults))
    assert says.format(n=number, group=group(number)) in said
    if "raised" in says:
        assert f"({tmp_path}/mine.py, line " in said


def group(number: int) -> str:
    """The samples of the pass that makes this one, as they are said."""
    first = number // 8 * 8
    return f"the network, samples {first} to {first + 7}"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("raise RuntimeError('no labels')", "segment: RuntimeError: no labels"),
        ("sys.exit(0)", "segment: it called sys.exit(0), which would end the run as if it were done"),
        ("return images", "segment returned torch.float32, expected int64"),
    ],
)
def test_a_segmenter(capsys: pytest.CaptureFixture[str], tmp_path: Path, fault: str, says: str) -> None:
    recipe = write(tmp_path, MODULE, segmenter="{own_segmenter:Halves: {}}")
    (tmp_path / "own_segmenter.py").write_text(SEGMENTER.format(fault=fault))
    said = refused(capsys, tmp_path, recipe)
    assert f"the segmenter, samples 8 to 15: segmenter own_segmenter:Halves: {says}" in said


def test_what_only_fills_a_pass_is_not_judged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The last of 20 samples run in a pass of eight; four of its rows are of no sample that is asked for."""
    write(tmp_path, MODULE)
    sampler = Sampler(own.load("mine:Mine", folder=tmp_path), SEED)
    first = [float(sampler._draw(i, "latent", 4)[0]) for i in range(24)]
    other = max(first[20:])
    odd = f"odd = (z.flatten(1)[:, 0] - {other}).abs() < 1e-6; x[odd] = float('nan')"
    recipe = write(tmp_path, MODULE, layer=odd)
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache", "--quiet")
    assert call(capsys, "dissect", recipe, *places)[0] == 0
    recipe.write_text(recipe.read_text().replace(f"samples: {SAMPLES}", "samples: 24"))
    said = refused_again(capsys, recipe, *places)
    assert f"layer first, unit 0, sample {first.index(other)}: the activation is not finite" in said


def refused_again(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What the command says; the results of an earlier run stay."""
    status, _, err = call(capsys, "dissect", *arguments)
    assert status == 2
    assert "Traceback" not in err
    return err


def test_a_grid_far_too_fine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = write(tmp_path, MODULE)
    recipe.write_text(recipe.read_text() + "grid: 4096\n")
    said = refused(capsys, tmp_path, recipe)
    assert "mine.yaml:9: grid: 4096 is far finer than the pictures of 4 x 4: at most 64." in said


def test_pictures_from_0_to_1_are_said_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = write(tmp_path, MODULE, picture="image = (image + 1) / 2")
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, _, err = call(capsys, "dissect", recipe, *places)
    assert status == 0
    assert err.count("Are they in [0, 1]?") == 1
