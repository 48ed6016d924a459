"""The ADE20K models against a second, plainly written forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from tests.segmenters.published import FIXTURES, random_weights, saved
from unit59.checkpoints import Checkpoint
from unit59.segmenters import SegmenterError, load_segmenter, weights
from unit59.segmenters.ade20k import ADE20K, seen_size
from unit59.segmenters.resnet import ResNet
from unit59.segmenters.weights import FileWeights

SHAPES = FIXTURES / "ade20k"
ENCODER = SHAPES / "ade20k_resnet50_encoder.json"
DECODERS = {
    "ppm": SHAPES / "ade20k_ppm_deepsup_decoder.json",
    "upernet": SHAPES / "ade20k_resnet50_upernet_decoder.json",
}
IMAGES = torch.rand(2, 3, 64, 80, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights of a sixteenth of the width."""
    folder = tmp_path_factory.mktemp("ade20k")
    made = {"encoder": saved(random_weights(ENCODER, shrink=16), folder / "encoder_epoch_20.pth")}
    for kind, shapes in DECODERS.items():
        made[kind] = saved(random_weights(shapes, shrink=16), folder / f"{kind}_epoch_20.pth")
    torch.manual_seed(59)
    width, before = 128, 64
    c1 = {"cbr.0.weight": torch.randn(8, width, 3, 3) / 30, "conv_last.weight": torch.randn(150, 8, 1, 1)}
    c1 |= {"conv_last.bias": torch.randn(150), "conv_last_deepsup.weight": torch.randn(150, 8, 1, 1)}
    c1 |= {"conv_last_deepsup.bias": torch.randn(150), "cbr_deepsup.0.weight": torch.randn(8, before, 3, 3)}
    for block in ("cbr.1", "cbr_deepsup.1"):
        c1 |= {f"{block}.weight": torch.rand(8), f"{block}.bias": torch.randn(8)}
        c1 |= {f"{block}.running_mean": torch.randn(8), f"{block}.running_var": torch.rand(8) + 0.5}
    made["c1"] = saved(c1, folder / "c1_epoch_20.pth")
    return made


def normed(t: Mapping[str, Tensor], x: Tensor, name: str) -> Tensor:
    mean, var, scale, shift = (
        t[f"{name}.{k}"][:, None, None] for k in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * scale + shift


def conv(t: Mapping[str, Tensor], x: Tensor, name: str, norm: str, pad: int) -> Tensor:
    return normed(t, F.conv2d(x, t[f"{name}.weight"], padding=pad), norm).relu()


def up(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=False)


def mean_pool(x: Tensor, bins: int) -> Tensor:
    """Adaptive average pooling, cell by cell."""
    height, width = x.shape[2:]
    rows = [(b * height // bins, -(-(b + 1) * height // bins)) for b in range(bins)]
    columns = [(b * width // bins, -(-(b + 1) * width // bins)) for b in range(bins)]
    cells = [[x[:, :, a:b, c:d].mean((2, 3)) for c, d in columns] for a, b in rows]
    return torch.stack([torch.stack(row, -1) for row in cells], -2)


def ppm(t: Mapping[str, Tensor], stages: list[Tensor]) -> Tensor:
    top = stages[3]
    pooled = [
        up(conv(t, mean_pool(top, b), f"ppm.{i}.1", f"ppm.{i}.2", 0), top) for i, b in enumerate((1, 2, 3, 6))
    ]
    x = conv(t, torch.cat([top, *pooled], 1), "conv_last.0", "conv_last.1", 1)
    return F.conv2d(x, t["conv_last.4.weight"], t["conv_last.4.bias"])


def upernet(t: Mapping[str, Tensor], stages: list[Tensor]) -> Tensor:
    top = stages[3]
    pooled = [
        conv(t, up(mean_pool(top, b), top), f"ppm_conv.{i}.0", f"ppm_conv.{i}.1", 0)
        for i, b in enumerate((1, 2, 3, 6))
    ]
    p5 = conv(t, torch.cat([top, *pooled], 1), "ppm_last_conv.0", "ppm_last_conv.1", 1)
    f4 = conv(t, stages[2], "fpn_in.2.0", "fpn_in.2.1", 0) + up(p5, stages[2])
    f3 = conv(t, stages[1], "fpn_in.1.0", "fpn_in.1.1", 0) + up(f4, stages[1])
    f2 = conv(t, stages[0], "fpn_in.0.0", "fpn_in.0.1", 0) + up(f3, stages[0])
    p2, p3, p4 = (conv(t, f, f"fpn_out.{i}.0.0", f"fpn_out.{i}.0.1", 1) for i, f in enumerate((f2, f3, f4)))
    x = torch.cat([p2, up(p3, p2), up(p4, p2), up(p5, p2)], 1)
    x = conv(t, x, "conv_last.0.0", "conv_last.0.1", 1)
    return F.conv2d(x, t["conv_last.1.weight"], t["conv_last.1.bias"])


def c1(t: Mapping[str, Tensor], stages: list[Tensor]) -> Tensor:
    x = conv(t, stages[3], "cbr.0", "cbr.1", 1)
    return F.conv2d(x, t["conv_last.weight"], t["conv_last.bias"])


REFERENCES = {"ppm": ppm, "upernet": upernet, "c1": c1}


@pytest.mark.parametrize("kind", REFERENCES)
@torch.no_grad()
def test_decoders_equal_the_reference(kind: str, files: dict[str, Path]) -> None:
    segmenter = ADE20K(encoder=files["encoder"], decoder=files[kind])
    assert segmenter.encoder.stride == (32 if kind == "upernet" else 8)
    stages = segmenter.encoder(torch.randn(1, 3, 96, 64))
    expected = REFERENCES[kind](torch.load(files[kind], weights_only=True), stages)
    found = segmenter.decoder(stages)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@torch.no_grad()
def test_a_dilated_encoder_has_the_plain_ones_values_on_a_finer_grid(files: dict[str, Path]) -> None:
    """The à trous identity: dilation in place of stride keeps the values at the strided places."""
    loaded = FileWeights(files["encoder"])
    made = []
    for dilated in (False, True):
        with torch.device("meta"):
            made.append(ResNet(loaded, dilated=dilated))
        loaded.fill(made[-1])
    image = torch.randn(1, 3, 128, 128)
    plain, fine = (encoder(image) for encoder in made)
    assert [stage.shape[2] for stage in plain] == [32, 16, 8, 4]
    assert [stage.shape[2] for stage in fine] == [32, 16, 16, 16]
    for index, step in enumerate((1, 1, 2, 4)):
        strided = fine[index][:, :, ::step, ::step]
        assert (strided - plain[index]).abs().max() < 1e-4 * plain[index].abs().max()


@torch.no_grad()
def test_segmentation_is_the_best_of_the_averaged_probabilities(files: dict[str, Path]) -> None:
    segmenter = ADE20K(encoder=files["encoder"], decoder=files["upernet"], sizes=[64, 96])
    found = segmenter.segment(IMAGES)
    assert found.shape == (2, 1, 64, 80)
    assert found.min() >= 1
    assert found.max() <= 150
    probabilities = segmenter.scores(IMAGES).exp()
    assert torch.allclose(probabilities.sum(1), torch.ones(2, 64, 80), atol=1e-5)
    one = ADE20K(encoder=files["encoder"], decoder=files["upernet"], sizes=[64]).scores(IMAGES).exp()
    two = ADE20K(encoder=files["encoder"], decoder=files["upernet"], sizes=[96]).scores(IMAGES).exp()
    assert torch.allclose(probabilities, (one + two) / 2, atol=1e-6)
    assert (found[:, 0] == probabilities.argmax(1) + 1).float().mean() > 0.999


def test_a_picture_does_not_depend_on_its_batch(files: dict[str, Path]) -> None:
    segmenter = ADE20K(encoder=files["encoder"], decoder=files["ppm"], sizes=[64])
    whole = segmenter.segment(IMAGES)
    assert torch.equal(whole, torch.cat([segmenter.segment(IMAGES[[i]]) for i in range(2)]))
    assert segmenter.segment(IMAGES[:0]).shape == (0, 1, 64, 80)


def test_logits_say_what_segment_says(files: dict[str, Path]) -> None:
    segmenter = ADE20K(encoder=files["encoder"], decoder=files["ppm"], sizes=[64])
    assert segmenter.files == (files["encoder"], files["ppm"])
    images = IMAGES.clone().requires_grad_()
    (scores,) = segmenter.logits(images)
    assert scores is not None
    assert scores.shape == (2, 151, 64, 80)
    assert torch.equal(scores.argmax(1), segmenter.segment(IMAGES)[:, 0])
    (gradient,) = torch.autograd.grad(scores[:, 7].sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("blocks", [[2, 2, 2, 2], [3, 4, 23, 3]])
@torch.no_grad()
def test_other_depths_are_read_from_the_names(blocks: list[int], tmp_path: Path) -> None:
    """ResNet-18 with basic blocks, ResNet-101 with bottlenecks."""
    bottleneck, width = blocks[2] == 23, 8
    tensors: dict[str, Tensor] = {}

    def add(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        tensors[f"{name}.weight"] = torch.randn(out, into, kernel, kernel) * (1 / (into * kernel**2)) ** 0.5
        tensors.update({f"{norm}.{key}": torch.ones(out) for key in ("weight", "running_var")})
        tensors.update({f"{norm}.{key}": torch.zeros(out) for key in ("bias", "running_mean")})

    for number, (out, into) in enumerate(((width, 3), (width, width), (2 * width, width)), start=1):
        add(f"conv{number}", f"bn{number}", out, into, 3)
    into = 2 * width
    for stage, count in enumerate(blocks, start=1):
        inner = width * 2 ** (stage - 1)
        outer = 4 * inner if bottleneck else inner
        for index in range(count):
            name = f"layer{stage}.{index}"
            kernels = (
                ((inner, into, 1), (inner, inner, 3), (outer, inner, 1))
                if bottleneck
                else ((inner, into, 3), (inner, inner, 3))
            )
            for number, (to, of, kernel) in enumerate(kernels, start=1):
                add(f"{name}.conv{number}", f"{name}.bn{number}", to, of, kernel)
            if index == 0:
                add(f"{name}.downsample.0", f"{name}.downsample.1", outer, into, 1)
            into = outer
    loaded = FileWeights(saved(tensors, tmp_path / "encoder.pth"))
    for dilated in (False, True):
        with torch.device("meta"):
            encoder = ResNet(loaded, dilated=dilated)
        loaded.fill(encoder)
        stages = encoder(torch.randn(1, 3, 64, 64))
        assert [stage.shape[1] for stage in stages] == encoder.widths
        assert [len(getattr(encoder, f"layer{i}")) for i in (1, 2, 3, 4)] == blocks
        assert stages[3].shape[2] == (8 if dilated else 2)


@pytest.mark.parametrize("kind", DECODERS)
def test_the_full_size(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = {"encoder": random_weights(ENCODER), kind: random_weights(DECODERS[kind])}
    monkeypatch.setattr(
        weights, "read_checkpoint", lambda path: Checkpoint(path, "torch-zip", tensors[path.name])
    )
    for name in tensors:
        (tmp_path / name).touch()
    segmenter = ADE20K(encoder=tmp_path / "encoder", decoder=tmp_path / kind, sizes=[64])
    assert len(segmenter.concepts) == 150
    assert [segmenter.concepts[index].name for index in (0, 7, 39, 149)] == ["wall", "bed", "cushion", "flag"]
    assert len({concept.name for concept in segmenter.concepts}) == 150
    assert segmenter.segment(IMAGES[:1, :, :, :64]).shape == (1, 1, 64, 64)


@pytest.mark.parametrize(
    ("shape", "short", "multiple", "seen"),
    [
        ((256, 256), 300, 32, (320, 320)),
        ((256, 256), 375, 32, (384, 384)),
        ((256, 256), 450, 8, (456, 456)),
        ((256, 256), 600, 8, (600, 600)),
        ((100, 400), 300, 8, (256, 1000)),
        ((480, 640), 300, 32, (320, 416)),
    ],
)
def test_seen_sizes(shape: tuple[int, int], short: int, multiple: int, seen: tuple[int, int]) -> None:
    assert seen_size(shape, short, 1000, multiple) == seen


def test_scaling_is_pillows_to_a_level() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (200, 160, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(pixels).resize((96, 120), Image.Resampling.BILINEAR)).astype(float)
    given = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    ours = F.interpolate(given, (120, 96), mode="bilinear", align_corners=False, antialias=True)
    assert np.abs(ours[0].permute(1, 2, 0).numpy() - theirs).max() <= 1.01


def test_names_from_a_file(files: dict[str, Path], tmp_path: Path) -> None:
    given = {"encoder": str(files["encoder"]), "decoder": str(files["c1"]), "names": "names"}
    (tmp_path / "names").write_text("Idx,Name\n" + "".join(f"{i},thing {i};other name\n" for i in range(150)))
    assert load_segmenter({"ade20k": given}, tmp_path).concepts[149].name == "thing 149"
    (tmp_path / "names").write_text("".join(f"thing {i}\n" for i in range(150)))
    assert load_segmenter({"ade20k": given}, tmp_path).concepts[0].name == "thing 0"
    (tmp_path / "names").write_text("one\ntwo\n")
    with pytest.raises(SegmenterError, match=r"c1_epoch_20.pth: 150 classes, but .*names has 2 names"):
        load_segmenter({"ade20k": given}, tmp_path)
    (tmp_path / "names").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SegmenterError, match="names: not a readable text file"):
        load_segmenter({"ade20k": given}, tmp_path)


def test_mismatched_files(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SegmenterError, match=r"encoder_epoch_20\.pth: no decoder known here"):
        ADE20K(encoder=files["encoder"], decoder=files["encoder"])
    with pytest.raises(SegmenterError, match=r"ppm_epoch_20\.pth: tensor 'conv1\.weight' is missing"):
        ADE20K(encoder=files["ppm"], decoder=files["ppm"])
    tensors = dict(torch.load(files["ppm"], weights_only=True))
    del tensors["cbr_deepsup.0.weight"]
    with pytest.raises(SegmenterError, match=r"tensor 'cbr_deepsup\.0\.weight' is missing"):
        ADE20K(encoder=files["encoder"], decoder=saved(tensors, tmp_path / "d.pth"))
