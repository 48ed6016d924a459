"""Label maps as inputs of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from unit59.bedrooms import inputs as module
from unit59.bedrooms.concepts import COLOURS, NAMES
from unit59.bedrooms.inputs import HELD_OUT, LabelMaps
from unit59.bedrooms.scenes import Scenes, draw
from unit59.foundation.sources import InputError
from unit59.samples.forms import load_inputs


def test_label_maps_are_the_concepts_colours() -> None:
    inputs = load_inputs({"bedrooms": 40}, Path(), (64, 64))
    assert len(inputs) == 40
    levels = ((inputs.load([3, 7]) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for picture, labels in zip(levels, draw([3, 7], HELD_OUT).labels, strict=True):
        for number in np.unique(labels):
            colour = bytes.fromhex(COLOURS[NAMES[number - 1]][1:])
            assert (picture[labels == number] == list(colour)).all()


def test_the_fingerprint_is_of_what_is_used() -> None:
    few, many = (load_inputs({"bedrooms": count}, Path(), (64, 64)) for count in (8, 9))
    assert few.fingerprint(range(8)) == many.fingerprint(range(8)) != many.fingerprint(range(9))
    assert load_inputs({"bedrooms": 8}, Path(), (32, 32)).fingerprint(range(8)) != few.fingerprint(range(8))


def test_scenes_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def noted(numbers: Sequence[int], seed: int, size: int) -> Scenes:
        made.extend(numbers)
        return draw(numbers, seed, size)

    monkeypatch.setattr(module, "draw", noted)
    monkeypatch.setattr(module, "KEPT", 4)
    inputs = LabelMaps(8, 64)
    for numbers in ([3, 3, 1], [1, 2], [5, 6, 1], []):
        assert np.array_equal(inputs.labels(numbers), draw(numbers, HELD_OUT).labels)
    assert made == [3, 1, 2, 5, 6, 1]


def test_mistakes() -> None:
    with pytest.raises(InputError, match="greater than or equal to 1"):
        load_inputs({"bedrooms": 0}, Path(), (64, 64))
