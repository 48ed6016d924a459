"""A part: everything that a run makes. A layer, its effects, a search, unit sets, quality, a study.

A recipe is asked for parts; each is measured (kept under a key, no prose), and what was measured is told
(pure, without torch, every time). A part names exactly the other parts whose change makes it stale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from unit59.foundation.errors import Unit59Error
from unit59.store import key_of
from unit59.studies.tables import Tables

if TYPE_CHECKING:
    from unit59.studies.dissected import Dissected


@dataclass(frozen=True)
class Cost:
    """What measuring a part takes at most, as far as nothing of it is kept yet; full groups are counted.

    Attributes:
        passes: samples that go through the whole network.
        tails: by layer, samples that go through the network behind it.
        segmented: pictures that are segmented.
        disk: bytes that the cache grows by.
    """

    passes: int = 0
    tails: Mapping[str, int] | None = None
    segmented: int = 0
    disk: int = 0


class Part(ABC):
    """One part of a model's results; see `unit59.studies.dissected.Dissected` for what it is measured from.

    Attributes:
        name: its folder in the model's results.
        kind: how it is told, without torch: see `unit59.studies.telling.KINDS`.
        needs: the parts that it is measured from.
    """

    #: Raised when its numbers change, never for its words.
    version: ClassVar[int] = 1
    kind: ClassVar[str]

    name: str
    needs: tuple[str, ...] = ()

    @abstractmethod
    def depends_on(self) -> Mapping[str, Any]:
        """Everything that its numbers depend on, besides its version and its needs."""

    def unread(self) -> Mapping[str, Any]:
        """What only those of its tables and pictures depend on that parts which need it do not read."""
        return {}

    @abstractmethod
    def measure(self, model: Dissected) -> Tables:
        """Measure it, and write no prose; resumable; the same recipe gives the same bytes."""

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """By file name, the columns of its tables; by default as they are."""
        return {name: frame.schema for name, frame in tables.frames.items()}

    def cost(self) -> Cost | None:
        """See `Cost`; None where nobody can tell beforehand."""
        return Cost()


class PartError(Unit59Error):
    """Parts that do not go together."""


def in_order(parts: Iterable[Part]) -> list[Part]:
    """Parts with those that they need before them; else as they come.

    Raises:
        PartError: two have one name, one is needed and not there, or they need each other.
    """
    named: dict[str, Part] = {}
    for part in parts:
        if part.name in named:
            raise PartError(f"two parts are named {part.name!r}.")
        named[part.name] = part
    ordered: dict[str, Part] = {}

    def place(part: Part, waiting: tuple[str, ...]) -> None:
        if part.name in waiting:
            raise PartError(f"{part.name!r} needs itself: {' needs '.join([*waiting, part.name])}.")
        for name in part.needs:
            if name not in named:
                raise PartError(f"{part.name!r} needs {name!r}, which is not measured.")
            if name not in ordered:
                place(named[name], (*waiting, part.name))
        ordered.setdefault(part.name, part)

    for part in named.values():
        place(part, ())
    return list(ordered.values())


def keys_of(parts: Sequence[Part]) -> dict[str, str]:
    """By name the hash of everything that a part depends on; `parts` are in order (see `in_order`)."""
    read: dict[str, str] = {}
    keys: dict[str, str] = {}
    for part in parts:
        read[part.name] = key_of(
            part=f"{type(part).__module__}.{type(part).__qualname__}",
            version=part.version,
            depends_on=dict(part.depends_on()),
            needs={name: read[name] for name in part.needs},
        )
        keys[part.name] = key_of(read=read[part.name], unread=dict(part.unread()))
    return keys
