"""The drawn bedrooms: repeatable, exactly labelled, varied."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unit59.bedrooms.concepts import COLOURS, NAMES, NUMBER
from unit59.bedrooms.scenes import draw

SHARES = {
    "cushion": 0.5,
    "window": 0.75,
    "curtain": 0.525,
    "lamp": 0.5625,
    "painting": 0.6,
    "rug": 0.6,
    "nightstand": 0.75,
    "door": 0.5,
    "plant": 0.5,
}


@settings(max_examples=10)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=40))
def test_a_scene_is_its_own_whatever_is_drawn_beside_it(numbers: list[int]) -> None:
    together = draw(numbers)
    for place in {0, len(numbers) // 2, len(numbers) - 1}:
        alone = draw([numbers[place]])
        assert np.array_equal(alone.pictures[0], together.pictures[place])
        assert np.array_equal(alone.labels[0], together.labels[place])


def test_seeds_are_different_worlds() -> None:
    assert not np.array_equal(draw(range(4), seed=59).pictures, draw(range(4), seed=60).pictures)
    assert len({picture.tobytes() for picture in draw(range(200)).pictures}) == 200


def test_none() -> None:
    assert draw([]).pictures.shape == (0, 64, 64, 3)


def test_every_pixel_has_a_name_and_presence_is_as_planned() -> None:
    labels = draw(range(2000)).labels
    assert labels.min() >= 1
    assert labels.max() <= len(NAMES)
    for name, number in NUMBER.items():
        share = (labels == number).any(axis=(1, 2)).mean()
        expected = SHARES.get(name, 1.0)
        assert abs(share - expected) <= 4 * np.sqrt(0.25 / 2000) * (expected < 1), name


def test_labels_and_pictures_are_those_of_a_finer_drawing() -> None:
    """At four times the size each pixel is a 4x4 block: its majority and its mean are the references."""
    coarse, fine = draw(range(40)), draw(range(40), size=256)
    blocks = fine.labels.reshape(40, 64, 4, 64, 4).transpose(0, 1, 3, 2, 4).reshape(40, 64, 64, 16)
    votes = np.stack([(blocks == number).sum(axis=3) for number in range(1, len(NAMES) + 1)])
    clear = votes.max(axis=0) >= 10
    majority = votes.argmax(axis=0) + 1
    assert (coarse.labels == majority)[clear].mean() > 0.998
    means = fine.pictures.reshape(40, 64, 4, 64, 4, 3).mean(axis=(2, 4))
    assert np.abs(means - coarse.pictures).mean() < 1.5


def test_the_cushion_lies_on_the_bed() -> None:
    labels = draw(range(300)).labels
    bed = np.isin(labels, [NUMBER["bed"], NUMBER["pillow"], NUMBER["cushion"]])
    for mask, whole in zip(labels == NUMBER["cushion"], bed, strict=True):
        if mask.any():
            rows, columns = np.nonzero(mask)
            left, right = np.flatnonzero(whole.any(axis=0))[[0, -1]]
            assert left <= columns.min()
            assert columns.max() <= right
            assert rows.max() <= np.flatnonzero(whole.any(axis=1))[-1]


def test_every_concept_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(NAMES) == 14
