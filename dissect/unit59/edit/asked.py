"""How much of what a picture-to-picture model was asked to draw is there after changes inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.group import Group, Seen
from unit59.foundation.random import poisson_draws
from unit59.measure.asked import asked_area, count_asked, request_of
from unit59.measure.boundaries import count_boundaries
from unit59.samples.cache import SampleCache
from unit59.stats.scores import Scorer


@dataclass(frozen=True)
class AskedAreas:
    """What was asked for, in the changed pictures; what a network's inputs ask for is known.

    ``both`` and ``either`` [N,C]: pixels of a concept asked for and shown, or either; ``lines`` [N,4]:
    see `count_boundaries`; ``change`` [N]: sum over pixels and colours of the absolute difference from the
    unchanged picture, in levels of 0..255.
    """

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return repr(self)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        plane, wanted = asked_of(seen.group)
        concepts = seen.group.tail.cache.segmenter.concepts
        found = counted(wanted, seen.labels[:, plane].cpu(), len(concepts))
        return {**found, "change": seen.difference.sum(dim=(1, 2)).cpu().numpy()}


def asked_of(group: Group) -> tuple[int, Tensor]:
    """The plane in which something was asked for, and what of the group's samples: labels [N,h,w]."""
    if "asked" not in group.notes:
        request = request_of(group.tail.cache)
        group.notes["asked"] = request.plane, request.of_samples(group.numbers)
    plane, wanted = group.notes["asked"]
    return plane, wanted


def counted(asked: Tensor, shown: Tensor, concepts: int) -> dict[str, NDArray[Any]]:
    """Counts of label maps [n,h,w]; see `AskedAreas`."""
    both, either = count_asked(asked.flatten(1).numpy(), shown.flatten(1).numpy(), concepts)
    return {"both": both, "either": either, "lines": count_boundaries(asked, shown)}


def count_by_chance(cache: SampleCache, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
    """The same of one "change": each unchanged picture held against what the next sample was asked for."""
    asked = request_of(cache)
    height, width = cache.grid
    shown = cache.labels(np.array(numbers))[:, asked.plane].view(-1, height, width)
    others = asked.of_samples([*numbers[1:], numbers[0]])
    found = counted(others, shown, len(cache.segmenter.concepts))
    return {name: values[None] for name, values in found.items()}


def scorer_of(cache: SampleCache, numbers: Sequence[int], seed: int, draws: int) -> Scorer:
    """Scores counts of these samples, with the recipe's bootstrap draws."""
    return Scorer(poisson_draws(seed, len(numbers), draws), asked_area(cache, numbers))
