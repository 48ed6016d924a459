"""One shard of samples: made by one task, whole or not at all, from one pass of the networks a group.

The network always runs on groups of `GROUP` samples that start at a multiple of `GROUP` (some convolution
kernels round differently for other batch sizes), so that a sample is the same whatever the batch, the shard
or the interruption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as cache_of
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from unit59.foundation.arrays import Singles
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
from unit59.samples.summary import Summary
from unit59.samples.thin import ThinMaps
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

    def seen(self, name: str, x: Tensor, numbers: Sequence[int]) -> Tensor:
        """Maps of units, of the activations of their layer."""

    def floors(self, name: str, kept: Kept) -> Singles:
        """Below which nothing is kept of thin maps, [U]."""

    def saw(self, low: float, high: float) -> None:
        """Is told what range pictures had."""

    def made(self, count: int) -> None:
        """Is told how many samples are made."""


@dataclass(frozen=True)
class KeptUnits:
    """What is kept of one layer's units: a summary, and a thin tail where the layer is not kept whole.

    Attributes:
        name: of the units.
        layer: the network's.
        key: hash of what the units are.
        floors: where their floors are kept; None where no thin tail is.
    """

    name: str
    layer: str
    key: str
    floors: Kept | None = None


@dataclass(frozen=True)
class MakeShard:
    """Generate and segment one shard of samples, from one pass.

    Attributes:
        first: number of the first sample.
        count: how many.
        whole: the network's layers whose activations are kept.
        units: the units of which something else is kept.
        samples: key of what the samples depend on.
        segmentations: key of what their segmentations depend on; None keeps no pictures or segmentations.
    """

    first: int
    count: int
    whole: tuple[str, ...]
    units: tuple[KeptUnits, ...]
    samples: str
    segmentations: str | None

    def __str__(self) -> str:
        return named(range(self.first, self.first + self.count))

    @property
    def pictures(self) -> Kept:
        """uint8 [n,H,W,3]."""
        return self._kept("pictures", self.samples)

    @property
    def labels(self) -> Kept:
        """[n,planes,h,w] on the compared grid."""
        return self._kept("segmentations", self.segmentations or "")

    def activations(self, layer: str) -> Kept:
        """float32 [n,channels,h,w], margins included."""
        return self._kept(layer, self.samples)

    def of(self, name: str) -> KeptUnits:
        """The units of this name."""
        return next(units for units in self.units if units.name == name)

    def summary(self, units: KeptUnits) -> Kept:
        """See `Summary`."""
        return self._kept(f"{units.name}/summary", key_of(samples=self.samples, units=units.key))

    def tail(self, units: KeptUnits) -> Kept:
        """See `ThinMaps`."""
        floors = units.floors.key if units.floors else ""
        return self._kept(f"{units.name}/tail", key_of(samples=self.samples, units=units.key, floors=floors))

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        seen = [] if self.segmentations is None else [self.pictures, self.labels]
        thin = [self.tail(units) for units in self.units if units.floors]
        return [*seen, *map(self.activations, self.whole), *map(self.summary, self.units), *thin]

    def _kept(self, what: str, under: str) -> Kept:
        key = key_of(version=VERSION, under=under, first=self.first, count=self.count, what=what)
        return Kept(f"samples/{what}/{self.first:07d}", key)

    @torch.no_grad()
    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`; the picture is segmented only where that is wanted."""
        cache: Makes = bench.cache
        floors = {each.name: cache.floors(each.name, each.floors) for each in self.units if each.floors}
        parts: dict[Kept, list[Any]] = {kept: [] for kept in wanted}
        memory = ToMemory()
        for first in range(self.first, self.first + self.count, cache.group):
            here = min(cache.group, self.first + self.count - first)
            for kept, make in self._group(cache, range(first, first + cache.group), floors):
                if kept in parts:
                    part = make()
                    parts[kept].append(memory.copy(part) if isinstance(part, Tensor) else part)
            if self.segmentations is not None:
                cache.made(here)
        memory.wait()
        for kept, each in parts.items():
            yield kept, _joined(each)

    def _group(
        self, cache: Makes, numbers: range, floors: Mapping[str, Singles]
    ) -> list[tuple[Kept, Callable[[], Any]]]:
        """What one forward pass gives, each under where it is kept; refused where nothing can come of it."""
        sampler = cache.sampler
        layers = list(dict.fromkeys([*self.whole, *(units.layer for units in self.units)]))

        def trace() -> tuple[State, dict[str, State]]:
            return sampler.network.trace(sampler.start(_within(numbers, sampler.inputs)), layers)

        with checked_pass("the network", numbers):
            state, after = cache.within(Shortage("network", len(numbers)), trace)
        image = state["image"]
        counted = min(len(numbers), self.first + self.count - numbers.start)
        for name in layers:  # first: what breaks a layer breaks the picture as well
            check_activations(sampler.network.layers[name], after[name]["x"], numbers, counted)
        check_pictures(image, numbers, counted)
        if sampler.network.code:
            check_range(image, numbers, counted)
        cache.saw(float(image.min()), float(image.max()))

        def labels() -> Tensor:
            with checked_pass("the segmenter", numbers):
                return cache.segment(image)[:counted]

        found: list[tuple[Kept, Callable[[], Any]]] = [
            (self.pictures, lambda: to_uint8(image)[:counted]),
            (self.labels, labels),
        ]
        found += [(self.activations(name), partial(_some, after[name]["x"], counted)) for name in self.whole]
        for units in self.units:
            x, floor = after[units.layer]["x"][:counted], floors.get(units.name)
            found += self._of_units(units, floor, partial(cache.seen, units.name, x, numbers))
        return found

    def _of_units(
        self, units: KeptUnits, floors: Singles | None, maps: Callable[[], Tensor]
    ) -> Iterator[tuple[Kept, Callable[[], Any]]]:
        @cache_of
        def plain() -> Singles:
            found: Singles = maps().cpu().numpy()
            return found

        yield self.summary(units), lambda: Summary.of(plain())
        if floors is not None:
            yield self.tail(units), lambda: ThinMaps.of(plain(), floors)


def _some(x: Tensor, counted: int) -> Tensor:
    return x[:counted]


def _joined(parts: Sequence[Any]) -> Mapping[str, Any]:
    """The parts of a shard, group by group, as what is kept of it."""
    if isinstance(parts[0], Summary | ThinMaps):
        joined: Mapping[str, Any] = type(parts[0]).join(parts).arrays()
        return joined
    return {"x": torch.cat(list(parts)).contiguous().numpy()}


def _within(numbers: range, inputs: Inputs | None) -> list[int]:
    """A last group that is not full goes on with further samples, or with the first inputs again."""
    return [i % len(inputs) for i in numbers] if inputs is not None else list(numbers)


def to_uint8(images: Tensor) -> Tensor:
    """Pictures float [N,3,H,W] in [-1,1] to uint8 [N,H,W,3]."""
    levels = (images.clamp(-1, 1) + 1) * 127.5
    return levels.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
