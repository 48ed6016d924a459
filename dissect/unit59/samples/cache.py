"""Samples: made once, segmented once, kept; everything else is measured from what is kept of them.

Sample i is the same picture whatever the batch, the shard or the interruption: its latent code, label and
noise come from (seed, i) alone. What is missing or damaged is made again.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.engine import Engine, Here, Task
from unit59.foundation.arrays import Singles
from unit59.handles import CHANNEL, Units, units_of
from unit59.samples.checks import Shortage, check_finite, checked_pass, range_note
from unit59.samples.drawing import Sampler
from unit59.samples.memory import USUAL_BATCHES, Batches, within
from unit59.samples.shards import GROUP, SHARD, KeptUnits, MakeShard
from unit59.samples.summary import Summary
from unit59.samples.thin import LOOK, Thin, ThinMaps
from unit59.samples.transfer import to_device
from unit59.segmenters import Segmenter
from unit59.store import Kept, Store, key_of

#: Bytes of samples that stay in memory between two uses.
IN_MEMORY = 1 << 29
#: Bytes of maps that are looked at together.
PIECE = 1 << 26
#: Of the first samples, so many are looked at to begin with.
FIRST = 64

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
        thin: of which layers only the tails of maps are kept.
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
        thin: Thin = Thin(),  # noqa: B008  # frozen
    ) -> None:
        self.store, self.sampler, self.segmenter, self.samples = store, sampler, segmenter, samples
        self.units = {each.name: each for each in map(self._units, layers)}
        self._grid, self._keys, self.batches, self.thin = grid, keys, batches, thin
        #: Runs the tasks; a run may put another one here.
        self.engine: Engine = Here(store, _Alone(self))
        #: Makes the first floors of thin units: of which, and where they are kept.
        self.floor_task: Callable[[str, Kept], Task[Any]] | None = None
        self._tick: Callable[[int], None] = lambda _: None
        self._unseen = True
        self._recent: OrderedDict[Kept, dict[str, NDArray[Any]]] = OrderedDict()
        self._floors: dict[Kept, Singles] = {}

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
    def network_layers(self) -> tuple[str, ...]:
        """The network's layers that are measured."""
        return tuple(dict.fromkeys(each.layer.name for each in self.units.values()))

    def keeps(self, layer: str, numbers: Sequence[int]) -> bool:
        """Whether whole activations of one of the network's layers are, or can be, kept of these samples."""
        if layer not in self.network_layers:
            return False
        return layer not in self.thin.layers or max(numbers) < self.thin.states

    @property
    def thin_units(self) -> list[str]:
        """Names of the units of which only the tail of their maps is kept."""
        return [name for name, units in self.units.items() if units.layer.name in self.thin.layers]

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

    def activations(self, layer: str, shard: int, floors: Tensor | None = None) -> Tensor:
        """float32 [n,units,h,w] of one shard, without the layer's margin.

        Args:
            layer: name of the units.
            shard: its number.
            floors: [units]; only what lies above them has to be right. None is everything.
        """
        return torch.cat(list(self._pieces(layer, shard, floors)))

    def first_maps(self, layer: str) -> Tensor:
        """The same of the first samples, as they are kept: thin maps are right above their own floors."""
        return next(self._pieces(layer, 0, self.kept_above(layer), FIRST))

    def look(self, count: int) -> MakeShard:
        """Whole activations of the first samples, of all thin layers."""
        thin = [name for name in self.network_layers if name in self.thin.layers]
        return self.bare(0, count, *thin)

    def first_whole(self, layer: str, count: int) -> Tensor:
        """Whole maps of the first samples, of thin units; see `look`."""
        units, task = self.units[layer], self.look(count)
        x = self._load(task.activations(units.layer.name), task)
        return self.seen(layer, to_device(x, self.sampler.device), range(task.count))

    def steps(
        self, layer: str, tick: Callable[[int], None] | None = None, floors: Tensor | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """(number of the first sample, activations) of all samples in order, some at a time."""
        for shard, numbers in enumerate(self.shards):
            first = numbers.start
            for piece in self._pieces(layer, shard, floors):
                yield first, piece
                first += len(piece)
            if tick:
                tick(len(numbers))

    def maps(self, layer: str, numbers: Sequence[int], floors: Tensor) -> Tensor:
        """float32 [n,units,h,w] of any samples, without the layer's margin, right above floors [units]."""
        rows = []
        for number in numbers:
            place = number % SHARD
            rows.append(next(self._pieces(layer, number // SHARD, floors, 1, place)))
        return torch.cat(rows)

    def summaries(self, layer: str) -> Iterator[Summary]:
        """Of every shard's maps, in order."""
        for shard in range(len(self.shards)):
            task = self._task(shard)
            yield Summary.from_arrays(self._arrays(task.summary(task.of(layer)), task))

    # ---- floors of thin maps

    def kept_above(self, layer: str) -> Tensor | None:
        """Above these floors [units] maps are kept; None where they are whole."""
        floors = self._task(0).of(layer).floors
        return None if floors is None else torch.from_numpy(self.floors(layer, floors).copy())

    def floors(self, layer: str, kept: Kept) -> Singles:
        """The floors [units] of thin units that are, or belong, there."""
        if kept not in self._floors:
            if not self.store.has(kept) and self.floor_task:
                self.engine.make([self.floor_task(layer, kept)], lambda _: None)
            found = self.store.arrays(kept)
            if found is None:
                raise OSError(f"{self.store.folder / kept.path}: is gone. Run the command again.")
            self._floors[kept] = found["x"]
        return self._floors[kept]

    def floors_at(self, layer: str, *, second: bool) -> Kept:
        """Where the first floors of thin units are kept; or second ones, where the first are too high."""
        key = key_of(
            samples=self._keys["samples"],
            count=self.samples if second else min(LOOK, self.samples),
            units=self.units[layer].key,
            shares=self.thin.shares,
            second=second,
        )
        return Kept(f"floors/{layer}", key)

    def _floors_of(self, layer: str) -> Kept:
        second = self.floors_at(layer, second=True)
        return second if self.store.has(second) else self.floors_at(layer, second=False)

    # ---- pieces

    def _pieces(
        self, layer: str, shard: int, floors: Tensor | None, most: int = 0, begin: int = 0
    ) -> Iterator[Tensor]:
        """A shard's maps from a sample on, in pieces of at most so many; by default as many as fit well."""
        units, task, numbers = self.units[layer], self._task(shard), self.shards[shard]
        pixels = units.layer.height * units.layer.width * max(units.count, units.layer.units)
        most = most or max(1, min(SHARD, PIECE // (4 * pixels)))
        thin = task.of(layer).floors is not None
        tail = self._tail(task, layer, floors) if thin else None
        for first in range(begin, len(numbers), most):
            here = numbers[first : first + most]
            if tail is not None:
                yield torch.from_numpy(tail.maps(first, first + len(here))).to(self.sampler.device)
            elif thin:
                yield self._made_again(units, here)
            else:
                x = self._load(task.activations(units.layer.name), task)
                yield self._read(units, x, task.first, here)

    def _tail(self, task: MakeShard, layer: str, floors: Tensor | None) -> ThinMaps | None:
        """What is kept of thin maps, where that is enough."""
        kept = self.kept_above(layer)
        if floors is None or kept is None or bool((kept > floors.cpu()).any()):
            return None
        return ThinMaps.from_arrays(self._arrays(task.tail(task.of(layer)), task))

    @torch.no_grad()
    def _made_again(self, units: Units, numbers: Sequence[int]) -> Tensor:
        """Maps of samples of which too little is kept, from the network."""
        task = self._around(numbers[0], numbers[-1], units.layer.name)
        (_, arrays), *_ = task.make(_Alone(self), task.products)
        return self._read(units, torch.from_numpy(arrays["x"]), task.first, numbers)

    def _read(self, units: Units, x: Tensor, first: int, numbers: Sequence[int]) -> Tensor:
        """Maps of samples in a row, of activations from a sample on that begins a group.

        A handle may round otherwise with another number of samples: it reads the groups that tails and
        summaries are made of.
        """
        start, stop, size = numbers[0] - first, numbers[-1] - first + 1, self.group
        if units.handle == CHANNEL:
            return self.seen(units.name, to_device(x[start:stop], self.sampler.device), numbers)
        begin, parts = start // size * size, []
        for row in range(begin, stop, size):
            some = to_device(x[row : row + size], self.sampler.device)
            parts.append(self.seen(units.name, some, range(first + row, first + row + len(some))))
        return torch.cat(parts)[start - begin : stop - begin]

    def seen(self, name: str, x: Tensor, numbers: Sequence[int]) -> Tensor:
        """Maps of units, without the layer's margin, of the activations of their layer."""
        units = self.units[name]
        with checked_pass("the handle", numbers):
            read = units.read(self.sampler.network, {"x": x})
        if units.handle.own:
            check_finite(f"{units.name} of handle {units.handle.own.spec}", read, numbers)
        return self.inside(units.name, read)

    def inside(self, layer: str, x: Tensor) -> Tensor:
        """The part of maps [n,units,h,w] that lies in the picture: what is measured."""
        margin = self.units[layer].layer.margin
        return x[:, :, margin : x.shape[2] - margin, margin : x.shape[3] - margin] if margin else x

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
        """Channels of one of the network's layers, float32 [n,channels,h,w], of samples that `keeps` has.

        Margins are there, too.
        """
        if layer not in self.thin.layers:
            return to_device(self._rows(numbers, lambda task: task.activations(layer)), self.sampler.device)
        found = []
        for number in numbers.tolist():
            task = self._around(number, number, layer)
            found.append(self._load(task.activations(layer), task)[number - task.first])
        return to_device(torch.stack(found), self.sampler.device)

    def _rows(self, numbers: NDArray[np.int64], which: Callable[[MakeShard], Kept]) -> Tensor:
        tasks = [self._task(int(i) // SHARD) for i in numbers]
        return torch.stack(
            [
                self._load(which(task), task)[int(i) - task.first]
                for i, task in zip(numbers, tasks, strict=True)
            ]
        )

    def _task(self, shard: int) -> MakeShard:
        numbers = self.shards[shard]
        return MakeShard(
            numbers.start,
            len(numbers),
            tuple(name for name in self.network_layers if name not in self.thin.layers),
            tuple(map(self._kept_units, self.units.values())),
            self._keys["samples"],
            self._keys["segmentations"],
        )

    def _kept_units(self, units: Units) -> KeptUnits:
        floors = self._floors_of(units.name) if units.layer.name in self.thin.layers else None
        return KeptUnits(units.name, units.layer.name, units.key, floors)

    def _around(self, first: int, last: int, layer: str) -> MakeShard:
        """Whole activations of the groups that samples are in."""
        return self.bare(first // self.group * self.group, (last // self.group + 1) * self.group, layer)

    def bare(self, first: int, stop: int, *layers: str) -> MakeShard:
        """A task that makes whole activations of a few samples, and nothing else."""
        count = min(stop, self.samples) - first
        return MakeShard(first, count, layers, (), self._keys["samples"], None)

    def _load(self, kept: Kept, task: MakeShard) -> Tensor:
        return torch.from_numpy(self._arrays(kept, task)["x"])

    def _arrays(self, kept: Kept, task: MakeShard) -> dict[str, NDArray[Any]]:
        """What a task makes; what was asked for last stays in memory."""
        if kept in self._recent:
            self._recent.move_to_end(kept)
            return self._recent[kept]
        found = self.within(None, lambda: self.store.arrays(kept))
        if found is None:  # not asked for before, or damaged or taken away since the run began
            self.engine.make([task], lambda _: None)
            found = self.store.arrays(kept)
        if found is None:
            raise OSError(f"{self.store.folder / kept.path}: what was just written cannot be read.")
        self._recent[kept] = found
        while len(self._recent) > 1 and sum(map(_bytes, self._recent.values())) > IN_MEMORY:
            self._recent.popitem(last=False)
        return found


def _bytes(arrays: Mapping[str, NDArray[Any]]) -> int:
    return sum(each.nbytes for each in arrays.values())


@dataclass(frozen=True)
class _Alone:
    """What tasks of samples need: nothing but these."""

    cache: SampleCache
