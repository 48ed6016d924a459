"""What is trained on: the drawn bedrooms, a user's own pictures, and what augmentation does to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from unit59.bedrooms.concepts import COLOURS
from unit59.bedrooms.inputs import coloured
from unit59.bedrooms.scenes import draw
from unit59.bedrooms.segmenter import Bedrooms
from unit59.foundation.sources import InputError
from unit59.samples.forms import load_inputs
from unit59.samples.label_maps import SegmentedPictures
from unit59.training.augment import augment
from unit59.training.data import BedroomScenes, Own, open_data


def test_bedrooms_and_their_label_maps() -> None:
    given, wanted = BedroomScenes(64).pairs(range(3))
    scenes = draw(range(3))
    assert torch.equal(
        ((wanted + 1) * 127.5).round().byte().permute(0, 2, 3, 1), torch.from_numpy(scenes.pictures)
    )
    colours = {tuple(colour) for colour in coloured(scenes.labels).reshape(-1, 3).tolist()}
    assert colours <= {tuple(bytes.fromhex(code[1:])) for code in COLOURS.values()}
    assert given.shape == wanted.shape == (3, 3, 64, 64)


def write(folder: Path, names: str) -> None:
    folder.mkdir()
    for level, name in enumerate(names):
        Image.fromarray(np.full((8, 8, 3), 10 * level, np.uint8)).save(folder / f"{name}.png")


def test_own_pictures_come_round_after_round_in_other_orders(tmp_path: Path) -> None:
    write(tmp_path / "images", "abcdefgh")
    data = open_data({"folder": "images"}, tmp_path, 8, seed=1)
    assert isinstance(data, Own)
    levels = [((data.load([i])[0, 0, 0, 0] + 1) * 127.5).round().int().item() for i in range(24)]
    rounds = [levels[i : i + 8] for i in (0, 8, 16)]
    assert all(sorted(each) == list(range(0, 80, 10)) for each in rounds)
    assert rounds[0] != rounds[1]
    assert torch.equal(data.load(range(5, 12)), torch.cat([data.load([i]) for i in range(5, 12)]))
    with pytest.raises(InputError, match="pix2pix trains on pairs"):
        data.pairs([0])


def test_own_pairs(tmp_path: Path) -> None:
    write(tmp_path / "maps", "abc")
    write(tmp_path / "photos", "abc")
    data = open_data({"labels": "maps", "images": "photos"}, tmp_path, 8, seed=1)
    given, wanted = data.pairs(range(6))
    assert torch.equal(given, wanted)  # the same levels under the same names


def test_pictures_that_a_segmenter_labels(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    scenes = draw(range(4))
    for number, picture in enumerate(scenes.pictures):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{number}.png")
    inputs = load_inputs({"segmented": {"folder": "photos"}, "by": "bedrooms"}, tmp_path, (64, 64))
    assert isinstance(inputs, SegmentedPictures)
    expected = Bedrooms().segment(inputs.wanted.load(range(4)))[:, 0]
    assert torch.equal(inputs.labels(range(4)), expected)
    drawn = ((inputs.load(range(4)) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    assert torch.equal(drawn, torch.from_numpy(coloured(expected.numpy().astype(np.uint8))))
    given, wanted = Own(inputs, 1).pairs(range(4))
    assert given.shape == wanted.shape == (4, 3, 64, 64)
    with pytest.raises(InputError, match="there is no 'part'; the segmenter has object"):
        load_inputs({"segmented": "photos", "by": "bedrooms", "plane": "part"}, tmp_path, (64, 64))
    with pytest.raises(InputError, match="by: segmenter: there is no 'bedroom'"):
        load_inputs({"segmented": "photos", "by": "bedroom"}, tmp_path, (64, 64))


def test_augmented_pictures_are_changed_in_bounds_and_each_in_its_own_way() -> None:
    images = BedroomScenes(64).load(range(64))
    changed = augment(images, torch.Generator().manual_seed(1))
    assert changed.abs().max() <= 1
    distance = (changed - images).abs().mean(dim=(1, 2, 3))
    assert 0.1 < (distance == 0).float().mean() < 0.45
    assert distance.max() < 0.3
    assert torch.equal(changed, augment(images, torch.Generator().manual_seed(1)))
