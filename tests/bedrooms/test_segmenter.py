"""The bundled segmenter: right on scenes it never saw, and held to the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from unit59.bedrooms.concepts import NAMES
from unit59.bedrooms.inputs import HELD_OUT, pictures
from unit59.bedrooms.scenes import draw
from unit59.bedrooms.segmenter import BUNDLED, Bedrooms
from unit59.segmenters import SegmenterError, load_segmenter
from unit59.training.segmenter import accuracy

SEGMENTER = Bedrooms()


def test_held_out_scenes_are_read_right() -> None:
    """Over 2 000 scenes: see the model card; 200 are enough to notice wrong weights."""
    found = accuracy(SEGMENTER, 200)
    assert found["mean"] >= 0.92
    assert found["cushion"] >= 0.85
    assert min(found.values()) >= 0.8
    assert accuracy(SEGMENTER, 100, augmented=True)["mean"] >= 0.85


def test_a_picture_s_result_is_its_own() -> None:
    images = pictures(draw(range(11), HELD_OUT))
    together = SEGMENTER.segment(images)
    assert together.shape == (11, 1, 64, 64)
    assert together.dtype == torch.int64
    for number in (0, 4, 10):
        assert torch.equal(SEGMENTER.segment(images[number : number + 1])[0], together[number])
    assert SEGMENTER.segment(images[:0]).shape == (0, 1, 64, 64)


def test_scores_say_what_segment_says_and_carry_gradients() -> None:
    images = pictures(draw(range(4), HELD_OUT)).requires_grad_()
    (scores,) = SEGMENTER.logits(images)
    assert scores is not None
    assert scores.shape == (4, 1 + len(NAMES), 64, 64)
    assert (scores.argmax(dim=1) == SEGMENTER.segment(images.detach())[:, 0]).float().mean() > 0.9999
    (slope,) = torch.autograd.grad(scores[:, 6].sum(), images)
    assert slope.abs().sum() > 0


def test_by_name_in_a_recipe() -> None:
    found = load_segmenter("bedrooms", Path())
    assert [concept.name for concept in found.concepts] == list(NAMES)
    assert {concept.plane for concept in found.concepts} == {"object"}
    assert len({concept.colour for concept in found.concepts}) == len(NAMES)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    tensors = load_file(BUNDLED)
    name = "scores.weight"
    save_file(tensors | {name: torch.zeros(3, 16, 1, 1)}, tmp_path / "wrong.safetensors")
    with pytest.raises(SegmenterError, match=r"scores\.weight.*expected \[14, 16, 1, 1\]"):
        load_segmenter({"bedrooms": tmp_path / "wrong.safetensors"}, tmp_path)
    save_file({key: value for key, value in tensors.items() if key != name}, tmp_path / "less.safetensors")
    with pytest.raises(SegmenterError, match="is missing"):
        load_segmenter({"bedrooms": tmp_path / "less.safetensors"}, tmp_path)
