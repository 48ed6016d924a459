"""The sweep: change the network at one layer, run its tail again, look, count. One machine does this.

What is looked at is a probe's affair, what is changed a change's; both are small picklable values, so that a
block of changes on a group of samples is a task. Counts are integers, so that sums over samples do not depend
on their order. What ran is kept by everything that it depends on: the same question is never answered twice,
and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import Edit, Levels
from unit59.edit.group import Group, Seen
from unit59.edit.outcome import Outcome, Plain
from unit59.edit.probes import Areas, Unedited
from unit59.edit.questions import Change, Probe, SampleBatch, SweepTask, batches
from unit59.edit.tail import Tail
from unit59.engine import Here, results_of
from unit59.networks.base import repeat_rows
from unit59.samples.cache import SampleCache
from unit59.samples.checks import Shortage
from unit59.store import key_of

#: Changes whose counts stand in one file.
BLOCK = 32
#: Edits of the same samples in one pass, by kind of device. On a processor eight pictures already fill it:
#: more at once were never faster, at any layer of the bundled networks.
AT_ONCE = {"cuda": 8}

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

        def rows() -> list[dict[str, NDArray[Any]]]:
            group = self.group(task.batch)
            return [dict(task.probe.look(Seen(group, *pair))) for pair in self._images(group, task.changes)]

        seen = self._within(task.batch, rows)
        return {name: np.stack([row[name] for row in seen]) for name in seen[0]}

    # ---- the parts

    def _within(self, batch: SampleBatch, work: Callable[[], _T]) -> _T:
        """A pass of the tail; batches that a study makes of its own are no smaller for want of memory."""
        rows = len(batch.numbers)
        own = Shortage("network", rows) if rows <= self.cache.group else None
        return self.cache.within(Shortage("edits", self._at_once) if self._at_once > 1 else own, work)

    @property
    def _at_once(self) -> int:
        """Edits in one pass."""
        most = AT_ONCE.get(torch.device(self.cache.sampler.device).type, 1)
        return min(most, self.cache.batches.edits) if self.cache.sampler.network.rows_apart else 1

    def _make_group(self, numbers: tuple[int, ...], seeds: tuple[int, ...] | None) -> Group:
        return Group(self.tail, self.levels, numbers, seeds)

    def _images(self, group: Group, changes: Sequence[Change]) -> Iterator[tuple[Tensor, Tensor]]:
        """Every change's pictures; several edits in one pass where that keeps the device busy."""
        at_once = self._at_once
        edits = [change for change in changes if isinstance(change, Edit)]
        if at_once == 1 or len(edits) < len(changes):
            yield from (change.images(group) for change in changes)
            return
        for first in range(0, len(edits), at_once):
            yield from self._several(group, edits[first : first + at_once], at_once)

    def _several(self, group: Group, edits: Sequence[Edit], at_once: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Several edits in one pass of a fixed shape; the unedited pictures come from such a pass too.

        So what an edit does never hangs on which others stood beside it.
        """
        rows = len(group.numbers)
        if "several" not in group.notes:
            whole = self.tail.image(repeat_rows(group.state, at_once, rows))
            group.notes["several"] = repeat_rows(group.state, at_once, rows)
            group.image = whole[:rows]
        state, old = group.notes["several"], group.values.repeat(at_once, 1, 1, 1)
        new = old.clone()
        for place, edit in enumerate(edits):
            changed = group.edited(edit)
            if changed is not None:
                new[place * rows : (place + 1) * rows] = self.tail.read(changed)
        image = self.tail.image(self.tail.write(state, old, new))
        for place in range(len(edits)):
            yield group.image, image[place * rows : (place + 1) * rows]


@dataclass(frozen=True)
class _One:
    """A bench of one sweep."""

    of: Sweep

    def sweep(self, units: str) -> Sweep:
        """That one."""
        return self.of
