"""Which sets of units are tried: sizes that grow, random sets and orders. Never imports torch."""

from __future__ import annotations

from collections.abc import Sequence

from unit59.foundation.random import permutation, stream

#: Random sets, or orders, that stand beside what was chosen.
RANDOM_SETS = 20


def ladder(largest: int, *, between: bool = True) -> list[int]:
    """Set sizes from 1 to `largest`, closer at the small end.

    Args:
        largest: the last size, at least 1.
        between: with the sizes halfway (1, 2, 3, 4, 6, 8, 12, 16, 24, …), or each twice the one before.
    """
    sizes, step = {1}, 2
    while step < largest:
        sizes |= {step, step + step // 2} if between else {step}
        step *= 2
    return sorted({size for size in sizes if size < largest} | {largest})


def halvings(units: int) -> list[int]:
    """Set sizes down from half of the units, each half of the one above, to 1; smallest first."""
    return sorted({round(units / 2**k) for k in range(1, units.bit_length())} - {0, units})


def random_sets(pool: Sequence[int], size: int, count: int, seed: int) -> list[list[int]]:
    """`count` random sets of `size` units of the pool (all of it, where it is smaller); each is sorted."""
    generator = stream(seed, "random sets of units", size)
    return [sorted(int(unit) for unit in generator.permutation(pool)[:size]) for _ in range(count)]


def random_orders(units: int, count: int, seed: int) -> list[list[int]]:
    """`count` random orders of a layer's units."""
    generator = stream(seed, "orders of units")
    return [[int(unit) for unit in generator.permutation(units)] for _ in range(count)]


def order_of_sample(seed: int, use: str, number: int, units: int) -> tuple[int, ...]:
    """A random order of a layer's units, each sample's its own."""
    return tuple(permutation(seed, f"{use}: order of units", number, units))
