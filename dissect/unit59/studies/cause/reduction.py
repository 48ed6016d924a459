"""From a set that does something to a smallest one: bisection along an order, then delta debugging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

#: Whether a set of units does what is wanted.
Test = Callable[[Sequence[int]], bool]


def shortest_prefix(order: Sequence[int], sizes: Sequence[int], test: Test) -> int | None:
    """The size of a shortest prefix of `order` that passes.

    Sizes are tried in order until one passes; bisection between it and the one before then finds a size that
    passes while the next smaller one does not. (Where passing is not monotone, shorter ones may pass too.)

    Returns:
        The size, or None where no tried prefix passes.
    """
    below = 0
    for size in sizes:
        if test(order[:size]):
            above = size
            while above - below > 1:
                middle = (above + below) // 2
                if test(order[:middle]):
                    above = middle
                else:
                    below = middle
            return above
        below = size
    return None


def minimise(units: Sequence[int], test: Test, most: int) -> tuple[list[int], bool]:
    """A subset that still passes while without any one of its members it does not.

    Delta debugging (Zeller and Hildebrandt 2002, "Simplifying and isolating failure-inducing input",
    algorithm ddmin).

    Args:
        units: pass the test.
        test: what the subset must pass.
        most: tests to spend at most.

    Returns:
        The subset, and whether it was minimised to the end.
    """
    kept, parts, spent = list(units), 2, 0
    while len(kept) >= 2:
        chunks = _split(kept, parts)
        candidates = [*chunks, *(_without(kept, chunk) for chunk in chunks if parts > 2)]
        for index, candidate in enumerate(candidates):
            if spent >= most:
                return kept, False
            spent += 1
            if test(candidate):
                kept, parts = candidate, 2 if index < len(chunks) else max(parts - 1, 2)
                break
        else:
            if parts >= len(kept):
                return kept, True
            parts = min(2 * parts, len(kept))
    return kept, True


def _split(units: Sequence[int], parts: int) -> list[list[int]]:
    edges = [len(units) * part // parts for part in range(parts + 1)]
    return [list(units[a:b]) for a, b in pairwise(edges) if a < b]


def _without(units: Sequence[int], chunk: Sequence[int]) -> list[int]:
    gone = set(chunk)
    return [unit for unit in units if unit not in gone]
