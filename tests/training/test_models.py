"""The bundled models: what the recipes name loads, makes bedrooms, and is no bigger than promised."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unit59.bedrooms.concepts import NUMBER
from unit59.bedrooms.inputs import HELD_OUT, label_maps
from unit59.bedrooms.scenes import draw
from unit59.bedrooms.segmenter import Bedrooms
from unit59.loading import check_names, open_inputs
from unit59.networks import load
from unit59.recipe.sections import read_recipe
from unit59.training.quality import MODELS, WEIGHTS, model_quality, pix2pix_agreement, real_shares

SEGMENTER = Bedrooms()

pytestmark = pytest.mark.skipif(
    not all((WEIGHTS / f"{name}.safetensors").is_file() for name in MODELS),
    reason="the generators are not in the package yet (recipes/training makes them)",
)


@pytest.mark.parametrize("name", MODELS)
def test_the_recipe_names_a_network_of_64_by_64(name: str) -> None:
    file = read_recipe(Path(f"recipes/bedrooms-{name}.yaml"))
    check_names(file)
    network = load(file.resolve(file.recipe.checkpoint.file))
    assert network.family == name
    assert network.resolution == (64, 64)
    inputs = open_inputs(file, network)
    assert inputs is None if network.takes == "latent" else len(inputs or []) >= file.recipe.samples


def test_stylegan_has_a_unit_59_in_layer6() -> None:
    layers = load(WEIGHTS / "stylegan.safetensors").layers
    assert list(layers) == [f"layer{number}" for number in range(10)]
    assert (layers["layer6"].height, layers["layer6"].path) == (32, "synthesis/32x32/Conv0_up")
    assert layers["layer6"].units >= 64


def test_together_they_take_12_mb_at_most() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) <= 12e6


@pytest.mark.parametrize("name", ["stylegan", "progan"])
def test_their_pictures_are_bedrooms(name: str) -> None:
    found = model_quality(load(WEIGHTS / f"{name}.safetensors"), SEGMENTER, real_shares(SEGMENTER, 100), 100)
    shown = dict(zip(found.table["concept"], found.table["presence_generated"], strict=True))
    assert min(shown[each] for each in ("wall", "floor", "bed", "pillow")) > 0.9
    assert 0.1 < shown["cushion"] < 0.9


def test_pix2pix_paints_what_it_is_asked_for() -> None:
    network = load(WEIGHTS / "pix2pix.safetensors")
    assert pix2pix_agreement(network, SEGMENTER, 100)["mean"] > 0.8
    scenes = draw(range(50), HELD_OUT)
    asked = scenes.labels == NUMBER["cushion"]
    images = network.generate(label_maps(scenes))
    said = SEGMENTER.segment(images)[:, 0].numpy() == NUMBER["cushion"]
    assert torch.isfinite(images).all()
    assert (said & ~asked).sum() < 0.3 * asked.sum()
