"""What stands for a pickle's globals, and for what they make, while it is being read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Known:
    """A global that a format uses, as an inert entry of a table.

    Attributes:
        name: as the pickle names it, e.g. ``numpy.dtype``.
        call: what REDUCE makes of its arguments; None if it cannot be called.
        make: what NEWOBJ makes of its arguments; None if it has no instances here.
        copies: whether calling it copies the bytes or text it is given.
    """

    name: str
    call: Callable[[tuple[Any, ...]], Any] | None = None
    make: Callable[[tuple[Any, ...]], Any] | None = None
    copies: bool = False


class Unfinished:
    """An object that a pickle makes in two steps; `build` gives the finished one, which takes its place."""

    def __init__(self) -> None:
        self.memo_keys: list[int] = []

    def build(self, state: Any) -> Any:
        """The finished object.

        Raises:
            RefusedError: the state is not what this object pickles.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class PickledPairs:
    """A call's result that becomes an OrderedDict."""

    pairs: list[list[Any] | tuple[Any, Any]]


@dataclass(frozen=True)
class Items:
    """A call's result that becomes a set or frozenset."""

    items: list[Any]
    kind: type[set[Any]] | type[frozenset[Any]]
