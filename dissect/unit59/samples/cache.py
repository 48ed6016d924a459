"""Samples: made once, segmented once, kept; everything else is measured from what is kept of them.

Sample i is the same picture whatever the batch, the shard or the interruption: its latent code, label and
noise come from (seed, i) alone. What is missing or damaged is made again.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.engine import Engine, Here
from unit59.handles import CHANNEL, Units, units_of
from unit59.samples.checks import Shortage, check_finite, checked_pass, range_note
from unit59.samples.drawing import Sampler
from unit59.samples.memory import USUAL_BATCHES, Batches, within
from unit59.samples.shards import GROUP, SHARD, MakeShard
from unit59.samples.transfer import to_device
from unit59.segmenters import Segmenter
from unit59.store import Kept, Store

#: Bytes of samples that stay in memory between two uses.
IN_MEMORY = 1 << 29

_T = TypeVar("_T")

Keys = Mapping[Literal["samples", "segmentations"], str]


class SampleCache:
    """All samples' activations, segmentations and pictures.

    Args:
        store: keeps them.
        sampler: makes the samples.
        segmenter: names their pixels.
        samples: how many.
        layers: the units whose maps are measured; names of layers stand for their channels.
        grid: height and width of the compared grid; None is the segmenter's own.
        keys: of the samples and of the segmentations: hashes of what they depend on.
        batches: how many go through at once.
    """

    def __init__(
        self,
        store: Store,
        sampler: Sampler,
        segmenter: Segmenter,
        samples: int,
        layers: Sequence[str | Units],
        grid: tuple[int, int] | None,
        keys: Keys,
        batches: Batches = USUAL_BATCHES,
    ) -> None:
        self.store, self.sampler, self.segmenter, self.samples = store, sampler, segmenter, samples
        self.units = {each.name: each for each in map(self._units, layers)}
        self._grid, self._keys, self.batches = grid, keys, batches
        #: Runs the tasks; a run may put another one here.
        self.engine: Engine = Here(store, _Alone(self))
        self._tick: Callable[[int], None] = lambda _: None
        self._unseen = True
        self._recent: OrderedDict[Kept, Tensor] = OrderedDict()

    @property
    def group(self) -> int:
        """Samples in one pass."""
        return self.batches.network

    def within(self, short: Shortage | None, work: Callable[[], _T]) -> _T:
        """A pass, done again with nothing else in memory where that runs out; see `memory.within`."""
        return within(short, work, self._let_go)

    def _let_go(self) -> None:
        self._recent.clear()
        gc.collect()
        torch.cuda.empty_cache()

    def _units(self, layer: str | Units) -> Units:
        network = self.sampler.network
        if isinstance(layer, Units):
            return layer
        return units_of(network, network.layers[layer], CHANNEL, layer)

    @property
    def layers(self) -> list[str]:
        """Names of the measured layers, in forward order."""
        return list(self.units)

    @property
    def kept_layers(self) -> tuple[str, ...]:
        """The network's layers whose activations are kept."""
        return tuple(dict.fromkeys(each.layer.name for each in self.units.values()))

    @property
    def shards(self) -> list[range]:
        """Sample numbers, shard by shard."""
        return [range(i, min(i + SHARD, self.samples)) for i in range(0, self.samples, SHARD)]

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the compared grid."""
        return self._grid or self._own_grid

    @property
    def _own_grid(self) -> tuple[int, int]:
        if not hasattr(self, "_seen_grid"):
            with torch.no_grad():
                blank = torch.zeros(1, 3, *self.sampler.network.resolution, device=self.sampler.device)
                height, width = self.segment(blank).shape[2:]
            self._seen_grid = (int(height), int(width))
        return self._seen_grid

    # ---- making

    def tasks(self) -> list[MakeShard]:
        """One a shard."""
        return [self._task(shard) for shard in range(len(self.shards))]

    def fill(self, advance: Callable[[int], None], batch: int = SHARD) -> None:
        """Make every sample that is not kept yet.

        Args:
            advance: is told how many samples are done, in steps.
            batch: samples between two steps; changes no result.
        """
        told = pending = 0

        def tick(more: int) -> None:
            nonlocal told, pending
            pending += more
            if pending >= batch:
                advance(pending)
                told, pending = told + pending, 0

        def done(shard: int) -> None:
            nonlocal told, pending
            advance(len(self.shards[shard]) - told)  # with what was there already, or was made elsewhere
            told = pending = 0

        self._tick = tick
        try:
            self.engine.make(self.tasks(), done)
        finally:
            self._tick = lambda _: None

    def made(self, count: int) -> None:
        """A task says here how many samples it has just made."""
        self._tick(count)

    def saw(self, low: float, high: float) -> None:
        """A task says here what range pictures had; what looks odd of the first ones is said."""
        if self._unseen and (note := range_note(low, high)):
            self.store.say(note)
        self._unseen = False

    def segment(self, image: Tensor) -> Tensor:
        """Pictures [N,3,H,W] segmented on the compared grid: uint8 or int16 [N,planes,h,w]."""
        most = self.batches.segmenter
        parts = torch.split(image, most) if most < GROUP else [image]
        labels = torch.cat([self._segment(part) for part in parts])
        if self._grid and tuple(labels.shape[2:]) != self._grid:
            labels = F.interpolate(labels.double(), size=self._grid, mode="nearest-exact").long()
        return labels.to(torch.uint8 if len(self.segmenter.concepts) < 256 else torch.int16)

    def _segment(self, image: Tensor) -> Tensor:
        return self.within(Shortage("segmenter", len(image)), lambda: self.segmenter.segment(image))

    # ---- reading

    def activations(self, layer: str, shard: int) -> Tensor:
        """float32 [n,units,h,w] of one shard, without the layer's margin."""
        units = self.units[layer]
        x = self._load(self._task(shard).activations(units.layer.name), shard)
        return self._seen(units, to_device(x, self.sampler.device), self.shards[shard])

    def inside(self, layer: str, x: Tensor) -> Tensor:
        """The part of maps [n,units,h,w] that lies in the picture: what is measured."""
        margin = self.units[layer].layer.margin
        return x[:, :, margin : x.shape[2] - margin, margin : x.shape[3] - margin] if margin else x

    def maps(self, layer: str, numbers: NDArray[np.int64]) -> Tensor:
        """float32 [n,units,h,w] of any samples, without the layer's margin."""
        units = self.units[layer]
        return self._seen(units, self.rows(units.layer.name, numbers), numbers.tolist())

    def _seen(self, units: Units, x: Tensor, numbers: Sequence[int]) -> Tensor:
        with checked_pass("the handle", numbers):
            read = units.read(self.sampler.network, {"x": x})
        if units.handle.own:
            check_finite(f"{units.name} of handle {units.handle.own.spec}", read, numbers)
        return self.inside(units.name, read)

    def steps(self, layer: str, tick: Callable[[int], None] | None = None) -> Iterator[tuple[int, Tensor]]:
        """(number of the first sample, activations) of every shard, in order."""
        for shard, numbers in enumerate(self.shards):
            yield numbers.start, self.activations(layer, shard)
            if tick:
                tick(len(numbers))

    def labels(self, numbers: NDArray[np.int64]) -> Tensor:
        """Segmentations int64 [n,planes,pixels of the grid] of any samples."""
        return self.stored_labels(numbers).long()

    def stored_labels(self, numbers: NDArray[np.int64]) -> Tensor:
        """The same as they are kept: uint8, or int16 where there are many concepts."""
        return self._rows(numbers, lambda task: task.labels).flatten(2)

    def pictures(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pictures uint8 [n,H,W,3] of any samples."""
        found: NDArray[np.uint8] = self._rows(numbers, lambda task: task.pictures).numpy()
        return found

    def rows(self, layer: str, numbers: NDArray[np.int64]) -> Tensor:
        """Channels of one of the network's layers, float32 [n,channels,h,w], of any samples, margins too."""
        return to_device(self._rows(numbers, lambda task: task.activations(layer)), self.sampler.device)

    def _rows(self, numbers: NDArray[np.int64], which: Callable[[MakeShard], Kept]) -> Tensor:
        shards = [int(i) // SHARD for i in numbers]
        return torch.stack(
            [
                self._load(which(self._task(shard)), shard)[int(i) % SHARD]
                for i, shard in zip(numbers, shards, strict=True)
            ]
        )

    def _task(self, shard: int) -> MakeShard:
        numbers = self.shards[shard]
        return MakeShard(
            numbers.start,
            len(numbers),
            self.kept_layers,
            self._keys["samples"],
            self._keys["segmentations"],
        )

    def _load(self, kept: Kept, shard: int) -> Tensor:
        """One shard's array; those that were asked for last stay in memory."""
        if kept in self._recent:
            self._recent.move_to_end(kept)
            return self._recent[kept]
        found = self._recent[kept] = self.within(None, lambda: self._read(kept, shard))
        while len(self._recent) > 1 and sum(each.nbytes for each in self._recent.values()) > IN_MEMORY:
            self._recent.popitem(last=False)
        return found

    def _read(self, kept: Kept, shard: int) -> Tensor:
        found = self.store.arrays(kept)
        if found is None:  # damaged, or taken away, since the run began
            self.engine.make([self._task(shard)], lambda _: None)
            found = self.store.arrays(kept)
        if found is None:
            raise OSError(f"{self.store.folder / kept.path}: what was just written cannot be read.")
        return torch.from_numpy(found["x"])


@dataclass(frozen=True)
class _Alone:
    """What tasks of samples need: nothing but these."""

    cache: SampleCache
