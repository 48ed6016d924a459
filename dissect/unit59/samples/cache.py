"""Samples: made once, segmented once, kept in a cache from which everything else is measured.

Sample i is the same picture whatever the batch, the shard or the interruption: its latent code, label and
noise come from (seed, i) alone, and the network always runs on groups of `GROUP` samples that start at a
multiple of `GROUP` (some convolution kernels round differently for other batch sizes). A shard is written
whole or not at all; an interrupted run goes on with the first shard that is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from unit59.results import file_name, write_atomically
from unit59.samples.drawing import Sampler
from unit59.samples.inputs import Inputs
from unit59.segmenters import Segmenter

#: Samples in one forward pass.
GROUP = 8
#: Samples in one cache file.
SHARD = 64


class SampleCache:
    """All samples' activations, segmentations and pictures, on disk.

    Args:
        folder: the cache's folder; holds one folder a key.
        sampler: makes the samples.
        segmenter: names their pixels.
        samples: how many.
        layers: whose activations are kept.
        grid: height and width of the compared grid; None is the segmenter's own.
        keys: of the samples and of the segmentations: hashes of what they depend on.
    """

    def __init__(
        self,
        folder: Path,
        sampler: Sampler,
        segmenter: Segmenter,
        samples: int,
        layers: Sequence[str],
        grid: tuple[int, int] | None,
        keys: Mapping[Literal["samples", "segmentations"], str],
    ) -> None:
        self.folder, self.sampler, self.segmenter = folder, sampler, segmenter
        self.samples, self.layers, self._grid, self._keys = samples, list(layers), grid, keys
        self._load = lru_cache(maxsize=8)(load_file)

    @property
    def shards(self) -> list[range]:
        """Sample numbers, shard by shard."""
        return [range(i, min(i + SHARD, self.samples)) for i in range(0, self.samples, SHARD)]

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the compared grid."""
        if self._grid:
            return self._grid
        if self._label_file(0).is_file():
            height, width = self._read(self._label_file(0))["labels"].shape[2:]
        else:
            height, width = self.segment(torch.zeros(1, 3, *self.sampler.network.resolution)).shape[2:]
        return int(height), int(width)

    def fill(self, advance: Callable[[int], None], batch: int = SHARD) -> None:
        """Make every sample that is not in the cache yet.

        Args:
            advance: is told how many samples are done, in steps.
            batch: samples between two steps; changes no result.
        """
        for shard, numbers in enumerate(self.shards):
            wanted = self._missing(shard, len(numbers))
            if wanted:
                self._make(shard, numbers, wanted, advance, batch)
            else:
                advance(len(numbers))

    def activations(self, layer: str, shard: int) -> Tensor:
        """float32 [n,units,h,w] of one shard, without the layer's margin."""
        count = len(self.shards[shard])
        x = self._read(self._layer_file(layer, shard))["x"][:count]
        return self.inside(layer, x).to(self.sampler.device)

    def inside(self, layer: str, x: Tensor) -> Tensor:
        """The part of a layer's activation [n,units,h,w] that lies in the picture: what is measured."""
        margin = self.sampler.network.layers[layer].margin
        return x[:, :, margin : x.shape[2] - margin, margin : x.shape[3] - margin] if margin else x

    def steps(self, layer: str, tick: Callable[[int], None] | None = None) -> Iterator[tuple[int, Tensor]]:
        """(number of the first sample, activations) of every shard, in order."""
        for shard, numbers in enumerate(self.shards):
            yield numbers.start, self.activations(layer, shard)
            if tick:
                tick(len(numbers))

    def labels(self, numbers: NDArray[np.int64]) -> Tensor:
        """Segmentations int64 [n,planes,pixels of the grid] of any samples."""
        return self._rows(numbers, self._label_file, "labels").flatten(2).long()

    def pictures(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures uint8 [n,H,W,3] of any samples."""
        found: NDArray[np.uint8] = self._rows(numbers, self._picture_file, "pictures").numpy()
        return found

    def rows(self, layer: str, numbers: NDArray[np.int64]) -> Tensor:
        """Activations float32 [n,units,h,w] of any samples, whole: margins are part of the pass."""
        return self._rows(numbers, lambda shard: self._layer_file(layer, shard), "x").to(self.sampler.device)

    def segment(self, image: Tensor) -> Tensor:
        """Pictures [N,3,H,W] segmented on the compared grid: uint8 or int16 [N,planes,h,w]."""
        labels = self.segmenter.segment(image)
        if self._grid and tuple(labels.shape[2:]) != self._grid:
            labels = F.interpolate(labels.double(), size=self._grid, mode="nearest-exact").long()
        return labels.to(torch.uint8 if len(self.segmenter.concepts) < 256 else torch.int16)

    # ---- files

    def _rows(self, numbers: NDArray[np.int64], file: Callable[[int], Path], name: str) -> Tensor:
        return torch.stack([self._read(file(int(i) // SHARD))[name][int(i) % SHARD] for i in numbers])

    def _layer_file(self, layer: str, shard: int) -> Path:
        return self.folder / self._keys["samples"] / file_name(layer) / f"{shard:05d}.safetensors"

    def _picture_file(self, shard: int) -> Path:
        return self.folder / self._keys["samples"] / "pictures" / f"{shard:05d}.safetensors"

    def _label_file(self, shard: int) -> Path:
        return self.folder / self._keys["segmentations"] / f"{shard:05d}.safetensors"

    def _missing(self, shard: int, count: int) -> list[Path]:
        """The shard's files that are not there whole; a shard of fewer samples than wanted counts as none."""
        files = [self._label_file(shard), self._picture_file(shard)]
        files += [self._layer_file(layer, shard) for layer in self.layers]
        return [file for file in files if not self._is_whole(file, count)]

    def _is_whole(self, file: Path, count: int) -> bool:
        try:
            with safe_open(file, "pt") as tensors:
                return all(tensors.get_slice(name).get_shape()[0] >= count for name in tensors.keys())  # noqa: SIM118
        except (SafetensorError, OSError):
            return False

    def _read(self, file: Path) -> dict[str, Tensor]:
        return self._load(file)

    # ---- making

    @torch.no_grad()
    def _make(
        self, shard: int, numbers: range, wanted: list[Path], advance: Callable[[int], None], batch: int
    ) -> None:
        parts: dict[Path, list[Tensor]] = {file: [] for file in wanted}
        done = told = 0
        for first in range(numbers.start, numbers.stop, GROUP):
            keep = min(GROUP, numbers.stop - first)
            for file, tensor in self._group(shard, range(first, first + GROUP)):
                if file in parts:
                    parts[file].append(tensor()[:keep])
            done += keep
            if done - told >= batch or done == len(numbers):
                advance(done - told)
                told = done
        for file, tensors in parts.items():
            name = {self._label_file(shard): "labels", self._picture_file(shard): "pictures"}.get(file, "x")
            write_atomically(file, save({name: torch.cat(tensors).contiguous().cpu()}))
        self._load.cache_clear()

    def _group(self, shard: int, numbers: range) -> list[tuple[Path, Callable[[], Tensor]]]:
        """What one forward pass gives, each under the file it belongs to; segmented only when asked for."""
        sampler = self.sampler
        state, after = sampler.network.trace(sampler.start(_within(numbers, sampler.inputs)), self.layers)
        image = state["image"]
        given = [(self._layer_file(layer, shard), lambda x=after[layer]["x"]: x) for layer in self.layers]
        return [
            *given,
            (self._picture_file(shard), lambda: to_uint8(image)),
            (self._label_file(shard), lambda: self.segment(image)),
        ]


def _within(numbers: range, inputs: Inputs | None) -> list[int]:
    """A last group that is not full goes on with further samples, or with the first inputs again."""
    return [i % len(inputs) for i in numbers] if inputs is not None else list(numbers)


def to_uint8(images: Tensor) -> Tensor:
    """Pictures float [N,3,H,W] in [-1,1] to uint8 [N,H,W,3]."""
    levels = (images.clamp(-1, 1) + 1) * 127.5
    return levels.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()


def key_of(**depends_on: Any) -> str:
    """A short hash of everything that something depends on."""
    text = json.dumps(depends_on, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
