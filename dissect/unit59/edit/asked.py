"""How much of what a picture-to-picture model was asked to draw is there after changes inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.tail import Tail, groups
from unit59.measure.agreement import poisson_draws
from unit59.measure.asked import asked_area, count_asked, request_of
from unit59.measure.boundaries import count_boundaries
from unit59.networks import State
from unit59.samples.cache import SampleCache, to_uint8
from unit59.stats.scores import Scorer

#: Pictures [n,3,H,W] of a changed network, from the state right after a layer and the samples' numbers.
Change = Callable[[State, Sequence[int]], Tensor]


@torch.no_grad()
def count_changed(
    cache: SampleCache,
    layer: str,
    changes: Sequence[Change],
    numbers: Sequence[int],
    advance: Callable[[int], None],
) -> dict[str, NDArray[Any]]:
    """Change the network behind a layer, and count in its pictures what was asked for.

    Args:
        cache: filled; what its inputs ask for is known.
        layer: whose state the changes get.
        changes: E of them.
        numbers: the samples, n of them.
        advance: is told how many pictures are done.

    Returns:
        ``both`` and ``either``, int64 [E,n,C]: pixels of a concept asked for and shown, asked for or shown;
        ``lines``, int64 [E,n,4]: see `count_boundaries`; ``change``, int64 [E,n]: sum over pixels and colours
        of the absolute difference from the unchanged picture, in levels of 0..255.
    """
    asked, tail = request_of(cache), Tail(cache, layer)
    rows: list[list[dict[str, NDArray[Any]]]] = [[] for _ in changes]
    for group, count in groups(numbers):
        state, wanted = tail.state(group), asked.of_samples(group)
        plain = to_uint8(tail.image(state)).to(torch.int16)
        for row, change in zip(rows, changes, strict=True):
            image = change(state, group)
            shown = cache.segment(image)[:, asked.plane].cpu().long()
            difference = (to_uint8(image).to(torch.int16) - plain).abs().sum(dim=(1, 2, 3)).long()
            found = counted(wanted, shown, len(cache.segmenter.concepts)) | {"change": difference.numpy()}
            row.append({name: values[:count] for name, values in found.items()})
        advance(len(changes) * count)
    joined = [{k: np.concatenate([part[k] for part in row]) for k in row[0]} for row in rows]
    return {name: np.stack([each[name] for each in joined]) for name in joined[0]}


def counted(asked: Tensor, shown: Tensor, concepts: int) -> dict[str, NDArray[Any]]:
    """Counts of label maps [n,h,w]; see `count_changed`."""
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
