"""The sweep: change the network at one layer, run its tail again, look, count. One machine does this.

What is looked at is a probe's affair, what is changed a change's; both are small picklable values, so that a
block of changes on a group of samples is a task. Counts are integers, so that sums over samples do not depend
on their order. What ran is kept by everything that it depends on: the same question is never answered twice,
and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import Edit, Levels
from unit59.edit.group import Group, Pass, Seen, Share
from unit59.edit.outcome import Outcome, Plain
from unit59.edit.probes import Areas, Unedited
from unit59.edit.questions import Change, Probe, SampleBatch, SweepTask, batches
from unit59.edit.tail import Tail, held_states, rows_apart
from unit59.engine import Here, results_of
from unit59.networks.base import chosen_rows
from unit59.samples.cache import SampleCache
from unit59.samples.checks import Shortage
from unit59.store import key_of

#: Changes whose counts stand in one file.
BLOCK = 32
_T = TypeVar("_T")
Arrays = dict[str, NDArray[Any]]


class Sweep:
    """Changes at the units of one layer.

    Args:
        cache: of the samples.
        tail: behind the units.
        levels: what the units can be set to.
        key: hash of what samples, segmentations and levels depend on, but for insertion levels.
        insert_key: hash of what these depend on.

    Attributes:
        layer: name of the layer in the results.
        units: how many there are.
        engine: runs the tasks.
    """

    def __init__(
        self, cache: SampleCache, tail: Tail, levels: Levels, key: str, insert_key: str = ""
    ) -> None:
        self.cache, self.tail, self.levels, self.key, self.insert_key = cache, tail, levels, key, insert_key
        self.layer, self.units = tail.units.name, tail.units.count
        self.engine = cache.engine
        self._apart = rows_apart(cache.sampler.network, tail.units)
        self._group = lru_cache(maxsize=2)(self._make_group)

    @classmethod
    def here(cls, cache: SampleCache, tail: Tail, levels: Levels, key: str) -> Self:
        """A sweep that stands for itself: it runs in this process, whatever engine the samples have."""
        sweep = cls(cache, tail, levels, key)
        sweep.engine = Here(cache.store, _One(sweep))
        return sweep

    # ---- pictures

    @torch.no_grad()
    def pictures(self, change: Change, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pictures float [n,3,H,W] of the samples without and with a change, from the same tail."""

        def images(batch: SampleBatch) -> tuple[Tensor, Tensor]:
            return self._within(batch, lambda: change.images(self.group(batch)))

        pairs = [(batch, images(batch)) for batch in batches(numbers, self.cache.group)]
        before, after = ([pair[at][: batch.rows] for batch, pair in pairs] for at in (0, 1))
        return torch.cat(before), torch.cat(after)

    def group(self, batch: SampleBatch) -> Group:
        """The unedited samples of a batch."""
        return self._group(batch.numbers, batch.seeds)

    @torch.no_grad()
    def edited(self, edit: Edit, numbers: Sequence[int]) -> Tensor:
        """Pictures float [n,3,H,W] of the samples with an edit: half the work, where it is known without."""

        def images(batch: SampleBatch) -> Tensor:
            return self._within(batch, lambda: self.group(batch).with_edit(edit)[: batch.rows])

        return torch.cat([images(batch) for batch in batches(numbers, self.cache.group)])

    @torch.no_grad()
    def edited_each(self, asked: Sequence[tuple[Edit, Sequence[int]]]) -> list[Tensor]:
        """For each edit pictures float [n,3,H,W] of its own samples, as `edited` gives; full passes only."""
        if not self._apart:
            return [self.edited(edit, numbers) for edit, numbers in asked]
        pairs = [(edit, number) for edit, numbers in asked for number in numbers]
        size, made = self.cache.group, []

        def images(some: Sequence[tuple[Edit, int]], filled: tuple[int, ...]) -> Tensor:
            group = Group(self.tail, self.levels, filled, state=held_states(self.tail).of(filled))
            return self._passed(group, [(edit, row) for row, (edit, _) in enumerate(some)], size)

        for first in range(0, len(pairs), size):
            some = pairs[first : first + size]
            batch = batches([number for _, number in some], size)[0]
            made.append(self._within(batch, partial(images, some, tuple(batch.numbers)))[: len(some)])
        ends = np.cumsum([len(numbers) for _, numbers in asked])[:-1]
        return list(torch.tensor_split(torch.cat(made), ends.tolist())) if made else []

    # ---- counts

    def plain(self, numbers: Sequence[int]) -> Plain:
        """Areas of every concept in the unedited samples."""
        probe = Unedited(len(self.cache.segmenter.concepts))
        counts = self.all([Edit.ablate([])], numbers, probe)["counts"][0].astype(np.int64)
        height, width = self.cache.grid
        return Plain([int(number) for number in numbers], counts, height * width)

    def areas(
        self, edits: Sequence[Edit], numbers: Sequence[int], advance: Callable[[int], None] | None = None
    ) -> Iterator[tuple[slice, Outcome]]:
        """What many edits do to areas and pictures, block by block; see `run`."""
        height, width = self.cache.sampler.network.resolution
        for block, seen in self.run(edits, numbers, Areas(len(self.cache.segmenter.concepts)), advance):
            plain = {name: values.astype(np.int64) for name, values in seen.items()}
            yield block, Outcome(**plain, picture=height * width)

    def counts(self, edits: Sequence[Edit], numbers: Sequence[int]) -> NDArray[np.int64]:
        """Pixels of every concept after many edits, int64 [E,n,C], all at once in memory."""
        return np.concatenate([outcome.counts for _, outcome in self.areas(edits, numbers)])

    def area(self, edit: Edit, numbers: Sequence[int]) -> Outcome:
        """What one edit does to areas and pictures; E is 1."""
        return next(outcome for _, outcome in self.areas([edit], numbers))

    def run(
        self,
        changes: Sequence[Change],
        numbers: Sequence[int] | Sequence[SampleBatch],
        probe: Probe,
        advance: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[slice, Arrays]]:
        """What many changes do, a block of at most `BLOCK` of them at a time.

        Args:
            changes: each is carried out on every sample.
            numbers: the samples, or batches of them.
            probe: looks.
            advance: is told how many (change, sample) pairs are done.

        Yields:
            Which changes, and what the probe saw: arrays [changes, samples, …].
        """
        given = [each for each in numbers if isinstance(each, SampleBatch)]
        rows = given or batches(
            [int(each) for each in numbers if not isinstance(each, SampleBatch)], self.cache.group
        )
        blocks = [slice(i, min(i + BLOCK, len(changes))) for i in range(0, len(changes), BLOCK)]
        tick = advance or (lambda _: None)
        # Batches outside, blocks inside: a group's state is made once and serves all changes.
        tasks = [self._task(changes[block], probe, batch) for batch in rows for block in blocks]
        self.engine.make(tasks, lambda number: tick(len(tasks[number].changes) * tasks[number].batch.rows))
        for block in blocks:
            wanted = [self._task(changes[block], probe, batch) for batch in rows]
            parts = list(results_of(wanted, self.engine, self.cache.store))
            yield (
                block,
                {
                    name: np.concatenate(
                        [part[name][:, : batch.rows] for part, batch in zip(parts, rows, strict=True)], axis=1
                    )
                    for name in parts[0]
                },
            )

    def all(
        self,
        changes: Sequence[Change],
        numbers: Sequence[int] | Sequence[SampleBatch],
        probe: Probe,
        advance: Callable[[int], None] | None = None,
    ) -> Arrays:
        """What many changes do, all at once in memory; see `run`."""
        found = [arrays for _, arrays in self.run(changes, numbers, probe, advance)]
        return {name: np.concatenate([each[name] for each in found]) for name in found[0]}

    def _task(self, changes: Sequence[Change], probe: Probe, batch: SampleBatch) -> SweepTask:
        inserts = any(change.inserts for change in changes)
        under = key_of(sweep=self.key, insert=self.insert_key) if inserts else self.key
        return SweepTask(self.layer, tuple(changes), probe, batch, under)

    @torch.no_grad()
    def look(self, task: SweepTask) -> Arrays:
        """What a task's probe sees: arrays [changes, rows, …]."""

        def seen() -> dict[int, Mapping[str, Any]]:
            return {place: task.probe.look(each) for place, each in self._seen(task.batch, task.changes)}

        found = self._within(task.batch, seen)
        return {name: np.stack([found[place][name] for place in sorted(found)]) for name in found[0]}

    # ---- the parts

    def _within(self, batch: SampleBatch, work: Callable[[], _T]) -> _T:
        """A pass of the tail; batches that a study makes of its own are no smaller for want of memory."""
        rows = len(batch.numbers)
        return self.cache.within(Shortage("network", rows) if rows <= self.cache.group else None, work)

    def _make_group(self, numbers: tuple[int, ...], seeds: tuple[int, ...] | None) -> Group:
        return Group(self.tail, self.levels, numbers, seeds)

    def _seen(self, batch: SampleBatch, changes: Sequence[Change]) -> Iterator[tuple[int, Seen]]:
        """(place of a change, what is seen of it), in any order.

        Rows that a change leaves as they are, and those that repeat another, are not made again: what is left
        of several changes shares a pass, which has the same shape as ever.
        """
        group, partly = self.group(batch), dict[int, tuple[Edit, list[int]]]()
        drawn = list(zip(batch.numbers, batch.seeds or batch.numbers, strict=True))
        first = [drawn.index(each) for each in drawn]
        apart = self._apart and len(drawn) == self.cache.group
        for place, change in enumerate(changes):
            if not (isinstance(change, Edit) and apart):
                yield place, Seen(group, *change.images(group))
                continue
            moved = [row for row in group.moved(change) if first[row] == row]
            if len(moved) == len(drawn):
                yield place, Seen(group, *change.images(group))
            elif moved:
                partly[place] = change, moved
            else:
                yield place, Seen(group, group.image, group.image)
        size = len(batch.numbers)
        for together in packed({place: len(moved) for place, (_, moved) in partly.items()}, size):
            at = {
                pair: number
                for number, pair in enumerate((place, row) for place in together for row in partly[place][1])
            }
            made = Pass(group, self._passed(group, [(partly[place][0], row) for place, row in at], size))
            for place in together:
                share = Share(made, {row: at[place, q] for row, q in enumerate(first) if (place, q) in at})
                yield place, Seen(group, group.image, share.among(group.image, made.image), share)

    def _passed(self, group: Group, pairs: Sequence[tuple[Edit, int]], size: int) -> Tensor:
        """Pictures of at most so many rows of a group, each with an edit of its own, from one full pass."""
        rows = [row for _, row in pairs]
        filled = rows + rows[:1] * (size - len(rows))
        state = chosen_rows([group.state], [(0, row) for row in filled], size)
        old = group.values[filled]
        new = old.clone()
        for edit, those in groupby(range(len(pairs)), key=lambda at: pairs[at][0]):
            places = list(those)
            new[places] = group.values_with(edit)[[rows[place] for place in places]]
        return self.tail.image(self.tail.write(state, old, new))


def packed(sizes: Mapping[int, int], most: int) -> list[list[int]]:
    """Things of these sizes in boxes of the same size: the largest first, each into the first with room."""
    boxes: list[tuple[int, list[int]]] = []
    for thing, size in sorted(sizes.items(), key=lambda each: -each[1]):
        for number, (used, things) in enumerate(boxes):
            if used + size <= most:
                boxes[number] = used + size, [*things, thing]
                break
        else:
            boxes.append((size, [thing]))
    return [things for _, things in boxes]


@dataclass(frozen=True)
class _One:
    """A bench of one sweep."""

    of: Sweep

    def sweep(self, units: str) -> Sweep:
        """That one."""
        return self.of
