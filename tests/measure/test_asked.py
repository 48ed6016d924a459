"""What inputs ask for, on any plane; and agreement with it against slow, obvious references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.edit.planting import planted_cache
from unit59.measure.asked import AskedLabels, agreement_with_asked, count_asked
from unit59.samples.label_maps import SegmentedPictures
from unit59.segmenters import Concept, Segmenter


class TwoPlanes(Segmenter):
    """Everything is a house with a door in it; the left half is red. A door is an object and a part."""

    planes = ("object", "part", "colour")
    concepts = (
        Concept("door", "object", "#00ff00"),
        Concept("house", "object", "#0000ff"),
        Concept("door", "part", "#ffff00"),
        Concept("red", "colour", "#ff0000"),
    )

    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`."""
        found = torch.tensor([2, 3, 0]).view(1, 3, 1, 1).repeat(len(images), 1, 32, 32)
        found[:, 2, :, :16] = 4
        return found


class Photographs:
    """Grey."""

    def __len__(self) -> int:
        return 8

    def load(self, numbers: Any) -> Tensor:
        """See `unit59.samples.inputs.Inputs`."""
        return torch.zeros(len(numbers), 3, 32, 32)

    def fingerprint(self, numbers: Any) -> str:
        """See `unit59.samples.inputs.Inputs`."""
        return "grey"


@pytest.mark.parametrize(
    ("plane", "number", "names", "corner"),
    [
        (None, 0, ["door", "house"], 2),
        ("part", 1, ["door"], 3),
        ("colour", 2, ["red"], 4),
    ],
)
def test_segmented_inputs_ask_on_their_plane(
    tmp_path: Path, plane: str | None, number: int, names: list[str], corner: int
) -> None:
    segmenter = TwoPlanes()
    inputs = SegmentedPictures(Photographs(), segmenter, "two", plane)
    cache = planted_cache(tmp_path, segmenter=segmenter, samples=8)
    cache.sampler.inputs = inputs
    asked = AskedLabels.of(cache)
    assert asked is not None
    assert asked.plane == number
    assert inputs.concepts == names
    labels = asked.of_samples([0, 3])
    assert labels[:, 0, 0].tolist() == [corner, corner]
    assert torch.equal(labels, segmenter.segment(torch.zeros(2, 3, 32, 32))[:, number])


def test_label_maps_that_no_plane_knows_ask_for_nothing(tmp_path: Path) -> None:
    cache = planted_cache(tmp_path, samples=8)
    cache.sampler.inputs = SegmentedPictures(Photographs(), TwoPlanes(), "two")
    assert AskedLabels.of(cache) is None


@given(st.integers(0, 10**6))
def test_agreement_with_what_was_asked_is_counted_pixel_by_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked, shown = rng.integers(0, 4, (5, 30)), rng.integers(0, 4, (5, 30))
    both, either = count_asked(asked, shown, 4)
    for picture in range(5):
        for number in range(1, 5):
            places = list(zip(asked[picture], shown[picture], strict=True))
            assert both[picture, number - 1] == sum(a == number and b == number for a, b in places)
            assert either[picture, number - 1] == sum(number in (a, b) for a, b in places)
    found = agreement_with_asked(both, either, 3, 50)
    assert np.isnan([found.iou[3], found.low[3], found.high[3]]).all()  # neither asked for nor shown
    assert found.iou[:3] == pytest.approx(both.sum(0)[:3] / either.sum(0)[:3])
    assert found.mean[0] == pytest.approx(found.iou[:3].mean())
    assert found.mean[1] <= found.mean[0] + 0.1
    assert (found.low[:3] <= found.high[:3]).all()
    assert np.isnan(agreement_with_asked(both * 0, either * 0, 3, 50).mean).all()


def test_the_interval_of_an_agreement_covers_the_truth() -> None:
    """Pictures agree in a share of their pixels that differs from picture to picture; the mean is known."""
    rng, hits = np.random.default_rng(0), 0
    for trial in range(100):
        both = rng.binomial(200, rng.beta(6, 3, (60, 1)))
        found = agreement_with_asked(both, np.full((60, 1), 200), trial, 200)
        hits += found.low[0] <= 2 / 3 <= found.high[0]
    assert 88 <= hits <= 99
