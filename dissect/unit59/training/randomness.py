"""Random numbers of a training step: they depend on the recipe's seed and the step's number alone.

So nothing about random numbers needs saving, and a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import hashlib

import torch


def generator(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """A CPU generator of its own for each (seed, purpose, step)."""
    return torch.Generator().manual_seed(stream(seed, purpose, step))


def stream(seed: int, purpose: str, step: int = 0) -> int:
    """A 63-bit number for each (seed, purpose, step)."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
