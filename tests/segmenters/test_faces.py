"""The face segmenter on the face model's own pictures; needs `unit59 fetch faces`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unit59.networks import load
from unit59.samples.drawing import Sampler
from unit59.segmenters import SegmenterError
from unit59.segmenters.faces import BROW, EYE, HAIR, LIPS, MOUTH, NECK, NOSE, POLYGONS, SKIN, Faces

WEIGHTS = Path("weights/faces")

pytestmark = [
    pytest.mark.faces,
    pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the face model is not here: run `unit59 fetch faces`"),
]


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    sampler = Sampler(load(WEIGHTS / "face-dcgan.tar"), 59)
    with torch.no_grad():
        return torch.cat(
            [sampler.network.run(sampler.start(range(i, i + 8)))["image"] for i in range(0, 64, 8)]
        )


@pytest.fixture(scope="module")
def segmenter() -> Faces:
    return Faces(WEIGHTS)


@pytest.fixture(scope="module")
def labels(pictures: torch.Tensor, segmenter: Faces) -> torch.Tensor:
    return segmenter.segment(pictures)


def test_most_pictures_have_a_face_with_all_its_parts(labels: torch.Tensor) -> None:
    assert labels.shape == (64, 1, 128, 128)
    found = (labels > 0).flatten(1).any(1)
    assert 0.9 <= found.float().mean() <= 1
    for part in (SKIN, NOSE, BROW, EYE, LIPS):
        assert (labels == part).flatten(1).any(1)[found].float().mean() > 0.95


def test_parts_lie_where_they_lie_in_a_face(labels: torch.Tensor) -> None:
    rows = torch.arange(128)[:, None].expand(128, 128)
    heights = {part: [] for part in (HAIR, BROW, EYE, NOSE, MOUTH, NECK)}  # type: dict[int, list[float]]
    for label in labels[:, 0]:
        for part, seen in heights.items():
            if (label == part).sum() > 20:
                seen.append(float(rows[label == part].float().mean()))
    means = [np.mean(heights[part]) for part in (HAIR, BROW, EYE, NOSE, MOUTH, NECK)]
    assert means == sorted(means)


def test_a_picture_s_labels_do_not_depend_on_its_neighbours(
    pictures: torch.Tensor, labels: torch.Tensor, segmenter: Faces
) -> None:
    assert (segmenter.segment(pictures[5:6]) == labels[5:6]).all()
    assert (segmenter.segment(pictures.flip(0)[:4]).flip(0) == labels[-4:]).all()


def test_no_face_gives_nothing(segmenter: Faces) -> None:
    assert (segmenter.segment(torch.zeros(1, 3, 64, 64)) == 0).all()


def test_polygons_name_points_of_the_mesh() -> None:
    for number, polygon in POLYGONS:
        assert 1 <= number <= len(Faces.concepts)
        assert len(set(polygon)) == len(polygon) >= 10
        assert 0 <= min(polygon) <= max(polygon) < 468


def test_missing_models_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(SegmenterError, match="unit59 fetch faces"):
        Faces(tmp_path)
