"""Tiny random models of the transformers library, saved and loaded, against the library's own processing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unit59.segmenters import SegmenterError, load_segmenter
from unit59.segmenters.preprocessing import Preprocessing
from unit59.segmenters.transformers import Transformers, unique_names

LABELS = {0: "background", 1: "bed ", 2: "window, pane", 3: "lamp", 4: "lamp"}


@pytest.fixture(scope="module")
def library() -> Any:
    return pytest.importorskip("transformers", reason="pip install transformers")


@pytest.fixture(scope="module")
def models(library: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each kind."""
    torch.manual_seed(59)
    root = tmp_path_factory.mktemp("models")
    built = {
        "segformer": _segformer(library),
        "upernet": _upernet(library),
        "mask2former": _mask2former(library),
        "oneformer": _oneformer(library),
    }
    for kind, (model, processor) in built.items():
        for parameter in model.parameters():  # tiny default weights would give nearly uniform scores
            if parameter.dim() > 1:
                parameter.data.normal_(std=0.3)
        model.save_pretrained(root / kind)
        (root / kind / "preprocessor_config.json").write_text(processor.to_json_string())
    _clip_tokens(library, root / "oneformer")
    return {kind: root / kind for kind in built}


def _named(config: Any) -> Any:
    config.id2label, config.label2id = LABELS, {name: index for index, name in LABELS.items()}
    return config


def _segformer(library: Any) -> Any:
    config = library.SegformerConfig(
        num_encoder_blocks=4, depths=[1] * 4, hidden_sizes=[8] * 4, num_attention_heads=[1] * 4,
        decoder_hidden_size=16, id2label=LABELS,
    )  # fmt: skip
    processor = library.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    return library.SegformerForSemanticSegmentation(config), processor


def _upernet(library: Any) -> Any:
    backbone = library.ConvNextConfig(
        depths=[1] * 4, hidden_sizes=[8, 8, 16, 16], out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    config = library.UperNetConfig(
        backbone_config=backbone,
        hidden_size=16,
        auxiliary_channels=8,
        auxiliary_in_channels=16,
        id2label=LABELS,
    )
    return library.UperNetForSemanticSegmentation(config), library.SegformerImageProcessorPil(
        size={"shortest_edge": 64}, image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.4]
    )


def _swin(library: Any) -> Any:
    return library.SwinConfig(
        embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip


def _queries(library: Any) -> dict[str, Any]:
    """What Mask2Former and OneFormer have in common; their group norms want 32 channels."""
    return {
        "backbone_config": _swin(library),
        "num_queries": 6,
        "hidden_dim": 32,
        "encoder_feedforward_dim": 16,
        "dim_feedforward": 16,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "num_attention_heads": 2,
        "id2label": LABELS,
    }


def _mask2former(library: Any) -> Any:
    config = library.Mask2FormerConfig(feature_size=32, mask_feature_size=32, **_queries(library))
    processor = library.Mask2FormerImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    return library.Mask2FormerForUniversalSegmentation(config), processor


def _oneformer(library: Any) -> Any:
    config = library.OneFormerConfig(
        mask_dim=32,
        conv_dim=32,
        query_dec_layers=1,
        task_seq_len=7,
        max_seq_len=7,
        text_encoder_width=32,
        text_encoder_num_layers=1,
        text_encoder_vocab_size=600,
        text_encoder_context_length=7,
        text_encoder_n_ctx=2,
        use_auxiliary_loss=False,
        **_queries(library),
    )
    processor = library.OneFormerImageProcessorPil(
        size={"shortest_edge": 64, "longest_edge": 96}, class_info_file=None, num_text=2
    )
    return library.OneFormerForUniversalSegmentation(config), processor


def _clip_tokens(library: Any, folder: Path) -> None:
    """A tokenizer whose words are single letters."""
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    library.CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)


def pictures(height: int = 64, width: int = 64) -> Tensor:
    coarse = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(-1, 1)
    return (smooth * 127.5 + 127.5).round() / 127.5 - 1  # whole levels, as the library's processors take


def levels(images: Tensor) -> list[Any]:
    return list(((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())


KINDS = ["segformer", "upernet", "mask2former", "oneformer"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(64, 64), (48, 80)])
def test_equals_the_librarys_own_processing(
    kind: str, shape: tuple[int, int], models: dict[str, Path], library: Any
) -> None:
    segmenter = Transformers(model=models[kind])
    images = pictures(*shape)
    found = segmenter.segment(images)
    assert found.dtype == torch.int64
    assert found.shape == (3, 1, *shape)
    assert found.amin() < found.amax()
    processor = {
        "mask2former": library.Mask2FormerImageProcessorPil,
        "oneformer": library.OneFormerImageProcessorPil,
    }.get(kind, library.SegformerImageProcessorPil)
    settings = json.loads((models[kind] / "preprocessor_config.json").read_text())
    theirs = processor(**{key: value for key, value in settings.items() if key != "image_processor_type"})
    task = {"task_inputs": ["semantic"] * 3} if kind == "oneformer" else {}
    reference = theirs(images=levels(images), **task, return_tensors="pt")["pixel_values"]
    pixels = segmenter.prepare(images)
    level = 1 / 255 / torch.tensor(settings["image_std"])[:, None, None]
    # Pillow rounds to whole levels after each of its two passes, we do not.
    assert ((pixels - reference).abs() / level).max() < 1.01

    given = {"pixel_values": pixels}
    if kind == "oneformer":
        tokenizer = library.AutoTokenizer.from_pretrained(models[kind])
        words = tokenizer("the task is semantic", padding="max_length", max_length=7, truncation=True)
        given["task_inputs"] = torch.tensor([words["input_ids"]] * 3)
    with torch.no_grad():
        made = segmenter.model(**given)
    classes = torch.stack(theirs.post_process_semantic_segmentation(made, target_sizes=[shape] * 3))
    # background is left out, so class k is concept k here; a batch may round otherwise at a tie.
    assert (found[:, 0] == classes).float().mean() > 0.999


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_does_not_depend_on_its_batch(kind: str, models: dict[str, Path]) -> None:
    segmenter = Transformers(model=models[kind])
    images = pictures()
    whole = segmenter.segment(images)
    assert torch.equal(whole, torch.cat([segmenter.segment(images[[i]]) for i in range(3)]))
    assert torch.equal(whole.flip(0), segmenter.segment(images.flip(0)))
    assert segmenter.segment(images[:0]).shape == (0, 1, 64, 64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nothing", [None, []])
def test_logits_say_what_segment_says(kind: str, nothing: list[str] | None, models: dict[str, Path]) -> None:
    segmenter = Transformers(model=models[kind], nothing=nothing)
    assert {"config.json", "preprocessor_config.json", "model.safetensors"} <= {
        f.name for f in segmenter.files
    }
    images = pictures().requires_grad_()
    (scores,) = segmenter.logits(images)
    assert scores is not None
    assert scores.shape == (3, 1 + len(segmenter.concepts), 64, 64)
    assert torch.equal(scores.argmax(1), segmenter.segment(pictures())[:, 0])
    (gradient,) = torch.autograd.grad(scores[:, 2].sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


def test_concepts_and_what_counts_as_nothing(models: dict[str, Path]) -> None:
    folder = models["segformer"]
    default = load_segmenter({"transformers": folder.name}, folder.parent)
    assert [concept.name for concept in default.concepts] == ["bed", "window", "lamp (3)", "lamp (4)"]
    all_named = Transformers(model=folder, nothing=[])
    assert all_named.concepts[0].name == "background"
    images = pictures()
    assert torch.equal(all_named.segment(images) - 1, default.segment(images))
    without_bed = Transformers(model=folder, nothing=["Bed", "background"])
    numbers = torch.tensor([0, 0, 1, 2, 3])
    assert torch.equal(without_bed.segment(images), numbers[default.segment(images)])
    with pytest.raises(SegmenterError, match="there is no class 'bad'; did you mean 'bed'"):
        Transformers(model=folder, nothing=["bad"])


def test_names_are_unique() -> None:
    assert unique_names({0: "a, b", 1: "a, c", 2: "d", 3: "d", 4: " "}) == {
        0: "a, b", 1: "a, c", 2: "d (2)", 3: "d (3)", 4: "class 4"
    }  # fmt: skip


def test_a_missing_weight_is_an_error(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in models["segformer"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    tensors = load_file(folder / "model.safetensors")
    del tensors["decode_head.classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SegmenterError, match=r"lacks the tensor 'decode_head.classifier.weight'"):
        Transformers(model=folder)
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(SegmenterError, match="model: "):
        Transformers(model=folder)
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")  # a pickle is never read
    with pytest.raises(SegmenterError, match="safetensors"):
        Transformers(model=folder)


def test_a_models_own_code_is_never_run(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in models["segformer"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "mine"
    config["auto_map"] = {"AutoConfig": "mine.Config", "AutoModelForSemanticSegmentation": "mine.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(
        f"open({str(tmp_path / 'pwned')!r}, 'w')\nclass Config: ...\nclass Model: ...\n"
    )
    with pytest.raises(SegmenterError):
        Transformers(model=folder)
    assert not (tmp_path / "pwned").exists()


def test_other_models_and_missing_files(library: Any, tmp_path: Path, models: dict[str, Path]) -> None:
    library.BertConfig().save_pretrained(tmp_path / "bert")
    (tmp_path / "bert" / "preprocessor_config.json").write_text(
        '{"image_mean": [0,0,0], "image_std": [1,1,1]}'
    )
    with pytest.raises(
        SegmenterError, match="a model of type 'bert', which is no semantic segmentation model"
    ):
        Transformers(model=tmp_path / "bert")
    with pytest.raises(SegmenterError, match=r"transformers: .*nowhere: "):
        Transformers(model=tmp_path / "nowhere")
    (tmp_path / "bert" / "preprocessor_config.json").write_text('{"image_mean": [0], "image_std": [1]}')
    with pytest.raises(SegmenterError, match=r"preprocessor_config\.json: 1 numbers for three channels"):
        Transformers(model=tmp_path / "bert")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SegmenterError, match="pip install transformers"):
        Transformers(model="nvidia/segformer-b0-finetuned-ade-512-512")


@pytest.mark.parametrize(
    ("config", "shape", "seen"),
    [
        ({"size": {"height": 512, "width": 256}}, (64, 64), (512, 256)),
        ({"size": 128}, (64, 32), (128, 128)),
        ({"size": {"shortest_edge": 800, "longest_edge": 1333}}, (100, 300), (444, 1333)),
        ({"size": {"shortest_edge": 800}, "max_size": 1333, "size_divisor": 32}, (100, 300), (448, 1344)),
        ({"do_resize": False, "size": 9}, (64, 48), (64, 48)),
        ({"do_resize": False, "size_divisor": 32}, (65, 48), (96, 64)),
    ],
)
def test_sizes(config: dict[str, Any], shape: tuple[int, int], seen: tuple[int, int]) -> None:
    prepare = Preprocessing.from_config({"image_mean": [0] * 3, "image_std": [1] * 3, **config})
    assert prepare.seen(*shape) == seen


def test_normalisation_and_channel_order() -> None:
    prepare = Preprocessing.from_config(
        {
            "do_resize": False,
            "image_mean": [0.1, 0.2, 0.3],
            "image_std": [2, 4, 5],
            "do_flip_channel_order": True,
        }
    )
    image = torch.tensor([-1.0, 0.0, 1.0])[None, :, None, None].expand(1, 3, 2, 2)
    expected = np.array([(1 - 0.3) / 5, (0.5 - 0.2) / 4, (0 - 0.1) / 2])
    assert np.allclose(prepare(image)[0, :, 0, 0], expected)
    plain = Preprocessing.from_config({"do_resize": False, "do_normalize": False, "do_rescale": False})
    assert np.allclose(plain(image)[0, :, 0, 0], [0, 127.5, 255])
