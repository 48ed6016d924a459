"""What the sweep is asked, as small picklable values: which change, on which samples, seen by which probe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.group import Group, Seen
from unit59.edit.tail import groups
from unit59.samples.checks import named
from unit59.samples.shards import GROUP
from unit59.store import Kept, key_of

#: Raised when the way changes are carried out or counted changes.
VERSION = 2


class Change(Protocol):
    """Something done to the network at one layer. `Edit` is the usual one."""

    @property
    def depends_on(self) -> str:
        """All that it depends on besides the samples, as text."""

    @property
    def inserts(self) -> bool:
        """Whether it sets units to the recipe's insertion levels."""

    def images(self, group: Group) -> tuple[Tensor, Tensor]:
        """Pictures float [N,3,H,W] of a group without and with it."""


class Probe(Protocol):
    """What is looked at; a frozen dataclass of plain values."""

    @property
    def depends_on(self) -> str:
        """All that it depends on besides samples and changes, as text."""

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """Numbers by name, each with one row a sample of the group."""


@dataclass(frozen=True)
class SampleBatch:
    """Samples that are changed together.

    Attributes:
        numbers: of the samples, one a row.
        rows: how many rows of what a probe gives count; the others only fill the batch up.
        seeds: of other noise inputs than the samples' own, one a row.
    """

    numbers: tuple[int, ...]
    rows: int
    seeds: tuple[int, ...] | None = None


def batches(numbers: Sequence[int], size: int = GROUP) -> list[SampleBatch]:
    """Samples in full groups."""
    return [SampleBatch(tuple(group), count) for group, count in groups(numbers, size)]


@dataclass(frozen=True)
class SweepTask:
    """A block of changes on one batch, seen by one probe.

    Attributes:
        units: name of the units that are changed.
        changes: E of them.
        probe: looks.
        batch: of samples.
        under: hash of what samples, segmentations and levels depend on.
    """

    small: ClassVar[bool] = True

    units: str
    changes: tuple[Change, ...]
    probe: Probe
    batch: SampleBatch
    under: str

    def __str__(self) -> str:
        return f"{len(self.changes)} changes of {self.units}, {named(self.batch.numbers)}"

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        key = key_of(
            version=VERSION,
            under=self.under,
            changes=[f"{type(each).__name__} {each.depends_on}" for each in self.changes],
            probe=f"{type(self.probe).__name__} {self.probe.depends_on}",
            batch=vars(self.batch),
        )
        return [Kept(f"edits/{self.units}/{type(self.probe).__name__}", key)]

    def make(self, bench: Any, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        yield wanted[0], bench.sweep(self.units).look(self)
