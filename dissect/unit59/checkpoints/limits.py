"""What a pickle may cost: opcodes, text, keys that can be made to collide, nesting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from unit59.checkpoints.base import RefusedError
from unit59.checkpoints.records import PickledObject

MAX_NESTING = 200
_OPEN = -1


@dataclass
class Budget:
    """What one file may cost, over all the pickles inside it. Published files need a tenth of it.

    Attributes:
        opcodes: to run; reading an argument that is a container costs as many as writing it did.
        text: characters of strings.
        odd_keys: keys and set items that are no strings.
        copies: bytes that do not stay views of the file.
    """

    opcodes: int = 500_000
    text: int = 64 << 20
    odd_keys: int = 10_000
    copies: int = 1 << 20

    @classmethod
    def of(cls, size: int) -> Budget:
        """The budget of a file of `size` bytes, which may copy as many bytes as it has."""
        return cls(copies=cls.copies + size)

    def spend(self, what: str, amount: int = 1) -> None:
        """Take `amount` of `what`.

        Raises:
            RefusedError: nothing is left.
        """
        left = getattr(self, what) - amount
        setattr(self, what, left)
        if left < 0:
            raise RefusedError(f"the file asks for more {what.replace('_', ' ')} than any checkpoint needs")


def check_nesting(content: Any) -> None:
    """Refuse containers that hold themselves, or that are nested deeper than `MAX_NESTING`.

    Raises:
        RefusedError: one is.
    """
    heights: dict[int, int] = {}
    waiting: list[tuple[Any, bool]] = [(content, False)]
    depth = 0
    while waiting:
        value, done = waiting.pop()
        parts = _parts(value)
        if done:
            heights[id(value)] = 1 + max((heights.get(id(part), 0) for part in parts), default=0)
            depth -= 1
        elif parts and id(value) not in heights:
            heights[id(value)] = _OPEN
            waiting.append((value, True))
            depth += 1
            for part in parts:
                if heights.get(id(part)) == _OPEN:
                    raise RefusedError("a container holds itself")
                waiting.append((part, False))
        # A shared part may be found on a short way first, and its height be too much on a longer one.
        if max(depth, heights.get(id(value), 0)) > MAX_NESTING:
            raise RefusedError(f"containers are nested deeper than {MAX_NESTING}")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        found: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        found = value
    elif isinstance(value, PickledObject):
        found = (value.args, value.state)
    else:
        return []
    return [part for part in found if isinstance(part, dict | list | tuple | PickledObject)]
