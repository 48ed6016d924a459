"""Any semantic segmentation model of the `transformers` library, from a local folder or a hub name.

SegFormer, UPerNet, DPT, BEiT and others with one logit a class and pixel; Mask2Former, MaskFormer and
OneFormer with queries. Weights are read from safetensors only, and no code of the model's is run.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from unit59.foundation.suggest import nearest
from unit59.segmenters.base import NEVER, Concept, Segmenter, SegmenterError
from unit59.segmenters.palette import colour_of
from unit59.segmenters.preprocessing import Preprocessing
from unit59.segmenters.pyramid import resize

#: Classes that stand for no concept, where the recipe does not say.
NOTHING = frozenset(
    {"background", "__background__", "other", "unlabeled", "unlabelled", "void", "none", "nothing", "n/a"}
)
#: Models with queries, and the size that their masks are brought to before they are weighed.
QUERIES: dict[str, tuple[int, int] | None] = {
    "mask2former": (384, 384),
    "maskformer": None,
    "oneformer": None,
}

#: Smaller sums of masks count as this one: a logarithm of zero has no gradient.
FAINTEST = 1e-30


class Transformers(Segmenter):
    """One plane of objects: the classes of the model's ``id2label``.

    Args:
        model: a folder with ``config.json``, ``preprocessor_config.json`` and ``*.safetensors``, or a
            name on the hub, e.g. ``nvidia/segformer-b0-finetuned-ade-512-512``.
        nothing: classes that count as nothing (0); by default those called background, other, unlabelled
            and the like, wherever they stand.
        size: short side at which the picture is seen; by default as the model's own configuration says.
        revision: branch, tag or commit on the hub.

    Raises:
        SegmenterError: the library or the model is missing, the model is of a kind that is not known
            here, or a weight is missing.
    """

    limits = "It names every pixel with one of the classes it was trained on, whatever the picture shows."
    planes = ("object",)

    def __init__(
        self,
        *,
        model: Path | str,
        nothing: list[str] | None = None,
        size: Annotated[int, Field(ge=32, le=4096)] | None = None,
        revision: str = "main",
    ) -> None:
        self.name = str(model)
        self.licence = f"see the model card of {model if isinstance(model, str) else model.name}"
        library = _library()
        source: dict[str, Any] = {"trust_remote_code": False}
        if isinstance(model, Path):
            source["local_files_only"] = True
        else:
            source["revision"] = revision
        config = self._read(library.AutoConfig.from_pretrained, **source)
        self.files = self._files(source)
        self.kind: str = config.model_type
        self.prepare = self._preparation(size, source)
        self.model = self._model(library, config, source)
        self.task = self._task(library, config, source) if self.kind == "oneformer" else None
        names = unique_names({int(key): str(value) for key, value in config.id2label.items()})
        self._table, self.concepts = self._concepts(names, nothing)

    @torch.no_grad()
    def segment(self, images: Tensor) -> Tensor:
        """See `Segmenter.segment`: int64 [N,1,H,W].

        The pictures go through the network one by one, so that a picture's result is the same to the bit
        in every batch.
        """
        table = self._table.to(images.device)
        found = [table[self.scores(image[None]).argmax(1, keepdim=True)] for image in images]
        return torch.cat(found) if found else torch.zeros((0, 1, *images.shape[2:]), dtype=torch.int64)

    def logits(self, images: Tensor) -> list[Tensor | None]:
        """See `Segmenter.logits`; of the classes that count as nothing, the largest score stands."""
        scores = torch.cat([self.scores(image[None]) for image in images])
        never = torch.full_like(scores[:, :1], NEVER)
        nothing = torch.cat([never, scores[:, self._table == 0]], 1).amax(1, keepdim=True)
        return [torch.cat([nothing, scores[:, self._table > 0]], 1)]

    def scores(self, images: Tensor) -> Tensor:
        """Logits, or logarithms of the sums of weighed masks.

        Args:
            images: [N,3,H,W] in [-1,1].

        Returns:
            [N,classes,H,W].
        """
        self.model.to(images.device)
        pixels = self.prepare(images)
        if self.kind not in QUERIES:
            scores = self.model(pixel_values=pixels).logits
        else:
            task = {} if self.task is None else {"task_inputs": self.task.to(images.device)}
            made = self.model(pixel_values=pixels, **task)
            masks, size = made.masks_queries_logits, QUERIES[self.kind]
            weights = made.class_queries_logits.softmax(-1)[..., :-1]  # the last class is "no object"
            masks = resize(masks, size) if size else masks
            scores = torch.einsum("nqc,nqhw->nchw", weights, masks.sigmoid())
        if scores.shape[1] != len(self._table):
            raise self._fail(f"{scores.shape[1]} classes come out, but id2label names {len(self._table)}.")
        scores = resize(scores, images.shape[2:])
        return scores.clamp_min(FAINTEST).log() if self.kind in QUERIES else scores

    # ---- loading

    def _files(self, source: dict[str, Any]) -> tuple[Path, ...]:
        """Settings and weights in the model's folder, or in the hub's local copy of it."""
        find = _library("transformers.utils").cached_file
        given = {key: value for key, value in source.items() if key != "trust_remote_code"}
        folder = Path(self._read(find, filename="config.json", **given)).parent
        return tuple(sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]))

    def _model(self, library: Any, config: Any, source: dict[str, Any]) -> torch.nn.Module:
        dense = library.AutoModelForSemanticSegmentation
        if self.kind in QUERIES:
            auto = library.AutoModelForUniversalSegmentation
        elif type(config) in dense._model_mapping:  # the library's only list of what it covers
            auto = dense
        else:
            raise self._fail(
                f"a model of type {self.kind!r}, which is no semantic segmentation model known here "
                f"({', '.join(sorted(QUERIES))}, or one of AutoModelForSemanticSegmentation)."
            )
        library.utils.logging.disable_progress_bar()
        model, report = self._read(
            auto.from_pretrained,
            config=config,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.float32,
            **source,
        )
        missing = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise self._fail(f"its file lacks the tensor {missing[0]!r}{more}; they would stay random.")
        module: torch.nn.Module = model.requires_grad_(False).eval()
        return module

    def _preparation(self, size: int | None, source: dict[str, Any]) -> Preprocessing:
        # The configuration alone: the processors that belong to it want torchvision.
        processing = _library("transformers.image_processing_base")
        read = processing.ImageProcessingMixin.get_image_processor_dict
        given = {key: value for key, value in source.items() if key != "trust_remote_code"}
        settings, _ = self._read(read, **given)
        try:
            return Preprocessing.from_config(settings, size)
        except (TypeError, ValueError, KeyError) as error:
            raise self._fail(f"preprocessor_config.json: {error}.") from None

    def _task(self, library: Any, config: Any, source: dict[str, Any]) -> Tensor:
        tokenizer = self._read(library.AutoTokenizer.from_pretrained, **source)
        length = int(config.task_seq_len)
        tokens = tokenizer("the task is semantic", padding="max_length", max_length=length, truncation=True)
        return torch.tensor([tokens["input_ids"]])

    def _concepts(
        self, names: dict[int, str], nothing: list[str] | None
    ) -> tuple[Tensor, tuple[Concept, ...]]:
        """The concept number of each class, and the concepts."""
        known = {name.lower() for name in names.values()}
        for name in nothing or ():
            if name.lower() not in known:
                raise self._fail(f"nothing: there is no class {name!r}{nearest(name.lower(), sorted(known))}")
        left_out = NOTHING if nothing is None else {name.lower() for name in nothing}
        if sorted(names) != list(range(len(names))):
            raise self._fail("config.json: the keys of id2label are not 0, 1, 2, …")
        concepts: list[Concept] = []
        table = torch.zeros(len(names), dtype=torch.int64)
        for index, name in sorted(names.items()):
            if name.lower() not in left_out:
                concepts.append(Concept(name, "object", colour_of(name)))
                table[index] = len(concepts)
        return table, tuple(concepts)

    def _read(self, read: Any, **options: Any) -> Any:
        try:
            return read(self.name, **options)
        except Exception as error:  # files of strangers, the network, the library's own checks
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise self._fail(said[0] + _where_from(self.name)) from error

    def _fail(self, what: str) -> SegmenterError:
        return SegmenterError(f"segmenter transformers: {self.name}: {what}")


def unique_names(labels: dict[int, str]) -> dict[int, str]:
    """The first of several synonyms; where that is not unique all of them, and else with the number."""
    short = {index: label.split(",")[0].strip() or f"class {index}" for index, label in labels.items()}
    full = {index: label.strip() for index, label in labels.items()}
    numbered = {index: f"{name} ({index})" for index, name in short.items()}
    for longer in (full, numbered):
        often = Counter(name.lower() for name in short.values())
        short = {index: longer[index] if often[name.lower()] > 1 else name for index, name in short.items()}
    return short


def _where_from(name: str) -> str:
    """What to do when a model that is no local folder cannot be had."""
    if Path(name).is_dir():
        return ""
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", name):
        return " There is no such folder."
    return (
        f" There is no such folder either. The model and its licence: https://huggingface.co/{name}. Without "
        "a connection, put its config.json, preprocessor_config.json and *.safetensors into a folder and "
        "name that."
    )


def _library(module: str = "transformers") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SegmenterError(
            f"segmenter transformers: the library is not there ({error}); pip install transformers"
        ) from None
