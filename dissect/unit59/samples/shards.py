"""One shard of samples: made by one task, whole or not at all, from one pass of the networks a group.

The network always runs on groups of `GROUP` samples that start at a multiple of `GROUP` (some convolution
kernels round differently for other batch sizes), so that a sample is the same whatever the batch, the shard
or the interruption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from unit59.networks import State
from unit59.samples.checks import (
    Shortage,
    check_activations,
    check_pictures,
    check_range,
    checked_pass,
    named,
)
from unit59.samples.drawing import Sampler
from unit59.samples.inputs import Inputs
from unit59.samples.transfer import ToMemory
from unit59.store import Kept, key_of

_T = TypeVar("_T")

#: Samples in one forward pass, unless memory ran out.
GROUP = 8
#: Samples in one shard.
SHARD = 64
#: Raised when the way samples are made or kept changes, so that no old one is taken for a new one.
VERSION = 2


class Makes(Protocol):
    """What a shard is made with; see `unit59.samples.cache.SampleCache`."""

    @property
    def sampler(self) -> Sampler:
        """Makes the samples."""

    @property
    def group(self) -> int:
        """Samples in one pass."""

    def within(self, short: Shortage, work: Callable[[], _T]) -> _T:
        """A pass, perhaps twice; see `unit59.samples.memory.within`."""

    def segment(self, image: Tensor) -> Tensor:
        """Names their pixels."""

    def saw(self, low: float, high: float) -> None:
        """Is told what range pictures had."""

    def made(self, count: int) -> None:
        """Is told how many samples are made."""


@dataclass(frozen=True)
class MakeShard:
    """Generate and segment one shard of samples: pictures, segmentations, activations of every layer.

    Attributes:
        first: number of the first sample.
        count: how many.
        layers: the network's, whose activations are kept.
        samples: key of what the samples depend on.
        segmentations: key of what their segmentations depend on.
    """

    first: int
    count: int
    layers: tuple[str, ...]
    samples: str
    segmentations: str

    def __str__(self) -> str:
        return named(range(self.first, self.first + self.count))

    @property
    def pictures(self) -> Kept:
        """uint8 [n,H,W,3]."""
        return self._kept("pictures", self.samples)

    @property
    def labels(self) -> Kept:
        """[n,planes,h,w] on the compared grid."""
        return self._kept("segmentations", self.segmentations)

    def activations(self, layer: str) -> Kept:
        """float32 [n,channels,h,w], margins included."""
        return self._kept(layer, self.samples)

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        return [self.pictures, self.labels, *map(self.activations, self.layers)]

    def _kept(self, what: str, under: str) -> Kept:
        key = key_of(version=VERSION, under=under, first=self.first, count=self.count, what=what)
        return Kept(f"samples/{what}/{self.first:07d}", key)

    @torch.no_grad()
    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`; the picture is segmented only where that is wanted."""
        cache: Makes = bench.cache
        parts: dict[Kept, list[Tensor]] = {kept: [] for kept in wanted}
        memory = ToMemory()
        for first in range(self.first, self.first + self.count, cache.group):
            here = min(cache.group, self.first + self.count - first)
            for kept, tensor in self._group(cache, range(first, first + cache.group)):
                if kept in parts:
                    parts[kept].append(memory.copy(tensor()[:here]))
            cache.made(here)
        memory.wait()
        for kept, tensors in parts.items():
            yield kept, {"x": torch.cat(tensors).contiguous().numpy()}

    def _group(self, cache: Makes, numbers: range) -> list[tuple[Kept, Callable[[], Tensor]]]:
        """What one forward pass gives, each under where it is kept; refused where nothing can come of it."""
        sampler = cache.sampler

        def trace() -> tuple[State, dict[str, State]]:
            return sampler.network.trace(sampler.start(_within(numbers, sampler.inputs)), self.layers)

        with checked_pass("the network", numbers):
            state, after = cache.within(Shortage("network", len(numbers)), trace)
        image, counted = state["image"], self.first + self.count - numbers.start
        for name in self.layers:  # first: what breaks a layer breaks the picture as well
            layer = sampler.network.layers[name]
            check_activations(layer, after[name]["x"], numbers, counted)
        check_pictures(image, numbers, counted)
        if sampler.network.code:
            check_range(image, numbers, counted)
        cache.saw(float(image.min()), float(image.max()))

        def labels() -> Tensor:
            with checked_pass("the segmenter", numbers):
                return cache.segment(image)

        activations = [(self.activations(name), lambda x=after[name]["x"]: x) for name in self.layers]
        return [(self.pictures, lambda: to_uint8(image)), (self.labels, labels), *activations]


def _within(numbers: range, inputs: Inputs | None) -> list[int]:
    """A last group that is not full goes on with further samples, or with the first inputs again."""
    return [i % len(inputs) for i in numbers] if inputs is not None else list(numbers)


def to_uint8(images: Tensor) -> Tensor:
    """Pictures float [N,3,H,W] in [-1,1] to uint8 [N,H,W,3]."""
    levels = (images.clamp(-1, 1) + 1) * 127.5
    return levels.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
