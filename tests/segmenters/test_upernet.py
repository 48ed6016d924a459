"""UPerNet of unified parsing: the official outputs, strictness, numbering."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.segmenters.published import FIXTURES, fullsize_labels, random_weights, saved
from unit59.checkpoints import Checkpoint, CheckpointError
from unit59.segmenters import SegmenterError, load_segmenter, weights
from unit59.segmenters.pooling import precise_roi_pool
from unit59.segmenters.upernet import MEAN_BGR, UnifiedParsing

SMALL = FIXTURES / "upernet"
OFFICIAL = np.load(SMALL / "upp_small.npz")
IMAGES = torch.from_numpy(OFFICIAL["images_rgb_m1_1"])
ENCODER, DECODER = "upp_small_encoder_epoch_40.pth", "upp_small_decoder_epoch_40.pth"


@pytest.fixture(scope="module")
def small() -> UnifiedParsing:
    return UnifiedParsing(folder=SMALL, segsizes=[128])


def assert_close(found: Tensor, key: str) -> None:
    expected = torch.from_numpy(OFFICIAL[key])
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@torch.no_grad()
def test_activations_equal_the_official_ones(small: UnifiedParsing) -> None:
    pixels = ((IMAGES + 1) / 2 * 255).flip(1) - torch.tensor(MEAN_BGR)[None, :, None, None]
    stages = small.encoder(pixels)
    for number, stage in enumerate(stages, start=1):
        assert_close(stage, f"enc_layer{number}")
    for bins in (1, 6):
        assert_close(precise_roi_pool(stages[3], bins), f"prroi_conv5_scale{bins}")
    assert_close(small.decoder(stages)["scene"].softmax(1)[:, :, 0, 0], "prob_scene")


@torch.no_grad()
def test_probabilities_equal_the_official_ones(small: UnifiedParsing) -> None:
    objects, materials, parts = small.scores(IMAGES, (128, 128))
    assert_close(objects.exp(), "size128_prob_object")
    assert_close(materials.exp(), "size128_prob_material")
    assert len(parts) == 3
    for index, part in enumerate(parts):
        assert_close(part.exp(), f"size128_prob_part{index}")


@pytest.mark.parametrize("segsizes", [[128], [128, 64]])
@pytest.mark.parametrize("downsample", [1, 4])
@torch.no_grad()
def test_segmentations_equal_the_official_ones(segsizes: list[int], downsample: int) -> None:
    segmenter = UnifiedParsing(folder=SMALL, segsizes=segsizes, downsample=downsample)
    key = f"size{'_'.join(map(str, segsizes))}_segment_batch"
    expected = torch.from_numpy(OFFICIAL[key + (f"_downsample{downsample}" if downsample > 1 else "")])
    found = segmenter.segment(IMAGES)
    assert found.dtype == torch.int64
    assert found.shape == expected.shape
    objects, materials, parts = segmenter.scores(IMAGES, (expected.shape[2], expected.shape[3]))
    sure = torch.stack([clear(objects), clear(materials), torch.stack([clear(p) for p in parts]).all(0)], 1)
    assert sure.float().mean() > 0.9
    assert torch.equal(found[sure], expected[sure].long())


def clear(scores: Tensor) -> Tensor:
    """Where the best class leads by more than 1e-3."""
    best = scores.exp().topk(2, dim=1).values
    return best[:, 0] - best[:, 1] > 1e-3


def test_concepts_are_numbered_as_in_gan_dissection(small: UnifiedParsing) -> None:
    numbering = json.loads((SMALL / "gandissect_numbering.json").read_text())
    assert [[concept.name, concept.plane] for concept in small.concepts] == numbering[1:]


def test_a_picture_does_not_depend_on_its_batch(small: UnifiedParsing) -> None:
    images = torch.cat([IMAGES, IMAGES.flip(3), -IMAGES])
    whole = small.segment(images)
    assert torch.equal(whole, torch.cat([small.segment(images[[i]]) for i in range(3)]))
    assert torch.equal(whole.flip(0), small.segment(images.flip(0)))
    assert small.segment(images[:0]).shape == (0, 3, 128, 128)


def test_logits_say_what_segment_says(small: UnifiedParsing) -> None:
    images = IMAGES.clone().requires_grad_()
    objects, materials, parts = small.logits(images)
    assert parts is None
    assert objects is not None
    assert materials is not None
    found = small.segment(IMAGES)
    materials_found = torch.where(found[:, 1] > 0, found[:, 1] - 8, 0)  # 8 objects come before
    for scores, numbers in ((objects, found[:, 0]), (materials, materials_found)):
        assert torch.equal(scores.argmax(1), numbers)
    (gradient,) = torch.autograd.grad(objects[:, 3].sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


def test_results_depend_on_these_files(small: UnifiedParsing) -> None:
    assert {file.name for file in small.files} == {ENCODER, DECODER, "upp_small_labels.json"}


def test_other_shapes(small: UnifiedParsing) -> None:
    assert small.segment(IMAGES[:, :, :96, :]).shape == (1, 3, 96, 128)
    tall = UnifiedParsing(folder=SMALL, segsizes=[64])
    assert tall.segment(IMAGES[:, :, :, :50]).shape == (1, 3, 128, 50)
    with pytest.raises(SegmenterError, match="downsample 128 leaves nothing"):
        UnifiedParsing(folder=SMALL, downsample=128).segment(IMAGES[:, :, :, :64])


def test_it_loads_by_name_with_its_default() -> None:
    segmenter = load_segmenter({"upernet": "upernet"}, FIXTURES)
    assert isinstance(segmenter, UnifiedParsing)
    assert segmenter.segsizes == [256]


def changed(tmp_path: Path, name: str, change: Callable[[dict[str, Tensor]], Any]) -> Path:
    """A folder of the small weights, one file changed."""
    for file in (ENCODER, DECODER, "upp_small_labels.json"):
        shutil.copy(SMALL / file, tmp_path / file)
    tensors = dict(torch.load(SMALL / name, weights_only=True))
    change(tensors)
    saved(tensors, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        (ENCODER, "conv2.weight"),
        (ENCODER, "layer3.2.bn2.running_var"),
        (ENCODER, "layer2.0.downsample.0.weight"),
        (ENCODER, "layer4.0.conv1.weight"),
        (DECODER, "ppm_conv.3.0.weight"),
        (DECODER, "fpn_out.1.0.1.bias"),
        (DECODER, "material_head.1.bias"),
        (DECODER, "scene_head.2.weight"),
    ],
)
def test_a_missing_or_misshapen_tensor_is_named(tmp_path: Path, name: str, tensor: str) -> None:
    with pytest.raises(SegmenterError, match=rf"{name}: tensor '{tensor}' is missing"):
        UnifiedParsing(folder=changed(tmp_path, name, lambda tensors: tensors.pop(tensor)))

    def grow(tensors: dict[str, Tensor]) -> None:
        tensors[tensor] = tensors[tensor].repeat_interleave(2, -1)

    with pytest.raises(SegmenterError, match=rf"{name}: tensor '{tensor}' has shape"):
        UnifiedParsing(folder=changed(tmp_path, name, grow))

    def spoil(tensors: dict[str, Tensor]) -> None:
        tensors[tensor].view(-1)[0] = float("nan")

    with pytest.raises(SegmenterError, match=rf"{name}: tensor '{tensor}' .* not all finite"):
        UnifiedParsing(folder=changed(tmp_path, name, spoil))


@pytest.mark.parametrize("stray", ["layer1.3.conv1.weight", "fc.weight", "conv4.weight"])
def test_an_unexpected_tensor_is_named(tmp_path: Path, stray: str) -> None:
    folder = changed(tmp_path, ENCODER, lambda tensors: tensors.update({stray: torch.zeros(3)}))
    with pytest.raises(SegmenterError, match=rf"{ENCODER}: .*'{stray}'"):
        UnifiedParsing(folder=folder)


def test_what_may_differ(tmp_path: Path, small: UnifiedParsing) -> None:
    """A prefix, counters of batches, running sums: none of these changes anything."""

    def rename(tensors: dict[str, Tensor]) -> None:
        kept = {k: v for k, v in tensors.items() if not k.endswith(("num_batches_tracked", "_running_iter"))}
        tensors.clear()
        tensors.update({f"module.{key}": value for key, value in kept.items()})

    again = UnifiedParsing(folder=changed(tmp_path, ENCODER, rename), segsizes=[128])
    assert torch.equal(again.segment(IMAGES), small.segment(IMAGES))


def test_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SegmenterError, match=r"nowhere/encoder_epoch_40\.pth.* no such file.*netdissect"):
        UnifiedParsing(folder=tmp_path / "nowhere")
    with pytest.raises(SegmenterError, match=r"labels\.json: there is no such file"):
        UnifiedParsing(folder=tmp_path)
    folder = changed(tmp_path, ENCODER, lambda tensors: None)
    (folder / ENCODER).write_bytes((folder / ENCODER).read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=ENCODER):
        UnifiedParsing(folder=folder)
    saved({"epoch": torch.zeros(1)}, folder / ENCODER)
    with pytest.raises(SegmenterError, match=rf"{ENCODER}: tensor 'conv1.weight' is missing"):
        UnifiedParsing(folder=folder)
    torch.save([1, 2], folder / ENCODER)
    with pytest.raises(SegmenterError, match=rf"{ENCODER}: holds no state dict"):
        UnifiedParsing(folder=folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: labels.pop("material"), "labels.json: material: Field required"),
        (lambda labels: labels.update(object="-"), "labels.json: object: "),
        (lambda labels: labels["object"].pop(0), "object: the first name is 'wall', expected '-'"),
        (lambda labels: labels["object"].append("lamp"), "9 object classes, but .*labels.json names 10"),
        (lambda labels: labels["object_part"]["door"].append("leg"), "12 part classes, but .* names 13"),
        (lambda labels: labels["object_part"].update(car=["-", "wheel"]), "object_part names 'car'"),
    ],
)
def test_labels_that_do_not_fit(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    folder = changed(tmp_path, ENCODER, lambda tensors: None)
    labels = json.loads((folder / "upp_small_labels.json").read_text())
    change(labels)
    (folder / "upp_small_labels.json").write_text(json.dumps(labels))
    with pytest.raises(SegmenterError, match=message):
        UnifiedParsing(folder=folder)
    (folder / "upp_small_labels.json").write_text("{" * 100_000)
    with pytest.raises(SegmenterError, match="not a readable JSON file"):
        UnifiedParsing(folder=folder)


def test_the_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and shapes as published: 335 objects, 25 materials and the parts of three objects."""
    tensors = {part: random_weights(SMALL / f"fullsize_{part}.json") for part in ("encoder", "decoder")}
    monkeypatch.setattr(
        weights,
        "read_checkpoint",
        lambda path: Checkpoint(
            path, "torch-zip", tensors["encoder" if "encoder" in path.name else "decoder"]
        ),
    )
    for name in ("encoder_epoch_40.pth", "decoder_epoch_40.pth"):
        (tmp_path / name).touch()
    (tmp_path / "labels.json").write_text(json.dumps(fullsize_labels()))
    segmenter = UnifiedParsing(folder=tmp_path, segsizes=[64])
    assert len(segmenter.concepts) == 335 + 25 + 22
    assert segmenter.concepts[335].name == "material 0"
    assert segmenter.concepts[360].name == "cloud"
    found = segmenter.segment(torch.rand(1, 3, 64, 64) * 2 - 1)
    assert found.shape == (1, 3, 64, 64)
    assert found[:, 0].max() <= 335
    assert found[:, 1].max() <= 360
