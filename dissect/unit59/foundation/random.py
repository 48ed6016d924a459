"""Random numbers: every use has a stream of its own, by its name, and no two streams share a draw.

A stream depends on (seed, use, number) alone, through counter-based generators (Philox), so that sample i's
numbers are the same whatever is drawn before or beside them, on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Uses that had keys of their own before streams had names: they keep them, so that numbers stay. The key of
#: number i is (seed, first + i); the ranges are 2^56 apart and more.
_FIRST = {
    "bootstrap over samples": 0,
    "low-ranked units": 1 << 60,
    "orders of units": 1 << 61,
    "shifts": 1 << 63,
}
_WIDTH = 1 << 56
#: Parts of a sample; they too keep the words that they were hashed under.
_OF_SAMPLES = {"latent": "0", "class": "1", "noise": "2"}


def stream(seed: int, use: str, number: int = 0) -> np.random.Generator:
    """The random numbers of one use.

    Args:
        seed: of the recipe.
        use: what they are for, in words; equal words give equal numbers.
        number: of a sample, a layer, a draw: tells streams of one use apart; from 0, below 2^56.
    """
    if not 0 <= number < _WIDTH:
        raise ValueError(f"stream {use!r}: number {number}")
    if use in _FIRST:
        key = np.array([seed % 2**64, _FIRST[use] + number], np.uint64)
    else:
        digest = hashlib.blake2b(f"{seed}/{use}/{number}".encode(), digest_size=16).digest()
        key = np.frombuffer(digest, np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def seed_of_sample(seed: int, part: str, number: int) -> int:
    """A 56-bit seed for one part of a sample: ``latent``, ``class`` or ``noise``."""
    text = f"{seed}/{number}/{_OF_SAMPLES[part]}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest(), "little")


def normal_draw(seed: int, number: int, shape: Sequence[int]) -> NDArray[np.float32]:
    """Standard normal float32 numbers that depend on (seed, number) alone, on every machine and device."""
    bits = np.random.Philox(key=np.array([seed % 2**64, number % 2**64], dtype=np.uint64))
    return np.random.Generator(bits).standard_normal(tuple(shape), dtype=np.float32)


@dataclass(frozen=True)
class Bootstrap:
    """Draws of a bootstrap over samples, in which each counts with a Poisson(1) weight.

    Attributes:
        seed: of the recipe.
        draws: how many.
    """

    seed: int
    draws: int

    def weights(self, numbers: Iterable[int]) -> NDArray[np.int64]:
        """Of some samples, [draws,n]; those of sample i depend on (seed, i) alone."""
        columns = [
            stream(self.seed, "bootstrap over samples", int(i)).poisson(1.0, self.draws) for i in numbers
        ]
        return np.stack(columns, axis=1).astype(np.int64)


def poisson_draws(seed: int, samples: int, draws: int) -> NDArray[np.int64]:
    """A bootstrap's weights of the first samples, all at once: [draws,samples]."""
    return Bootstrap(seed, draws).weights(range(samples))


def null_shifts(seed: int, samples: int, shuffles: int) -> NDArray[np.int64]:
    """Distinct cyclic shifts of the sample order, none of them 0; fewer where there are few samples."""
    order = stream(seed, "shifts").permutation(np.arange(1, samples))
    return np.sort(order[: min(shuffles, samples - 1)])


def permutation(seed: int, use: str, number: int, items: int | Sequence[int]) -> list[int]:
    """The items (or 0 … items - 1) in random order."""
    return [int(item) for item in stream(seed, use, number).permutation(items)]
