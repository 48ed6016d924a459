"""The cheap ranking: what each unit's ablation or insertion would do to first order.

The soft area of a concept is the mean over the picture of the segmenter's softmax. Its gradient at a layer's
activation, times the change that an edit makes there, estimates the effect of every unit of every layer from
one forward pass and one backward pass a concept (attribution patching; Nanda 2023, and Kramár et al. 2024 on
what it misses). It is a ranking, no measurement: what it says is checked by measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from unit59.edit.edits import Levels
from unit59.foundation.arrays import Numbers
from unit59.networks import State
from unit59.samples.cache import SampleCache
from unit59.samples.checks import Shortage
from unit59.segmenters import Segmenter
from unit59.stats.ranks import relative_sizes

#: Pixels of the pictures in one pass with gradients: it keeps every activation, so that few large ones fit.
PIXELS = 2 * 256 * 256


@dataclass(frozen=True)
class Attribution:
    """First-order effects of a layer's U units on C concepts, in shares of the picture.

    Attributes:
        ablate: [U,C], of setting the unit to 0; NaN where the concept was left out or has no scores.
        insert: [U,C], of setting it to its insertion level.
    """

    ablate: Numbers
    insert: Numbers


def at_once(cache: SampleCache) -> int:
    """How many samples go through the network in one pass with gradients."""
    height, width = cache.sampler.network.resolution
    return max(1, min(cache.group, cache.batches.gradients, PIXELS // (height * width)))


def can_attribute(segmenter: Segmenter) -> bool:
    """Whether any plane of the segmenter has differentiable scores."""
    return any(scores is not None for scores in segmenter.logits(torch.zeros(1, 3, 64, 64)))


def has_scores(segmenter: Segmenter, concept: int) -> bool:
    """Whether the concept of this number has differentiable scores."""
    scores = segmenter.logits(torch.zeros(1, 3, 64, 64))
    return scores[segmenter.planes.index(segmenter.concepts[concept - 1].plane)] is not None


def attribute(
    cache: SampleCache,
    levels: Mapping[str, Levels],
    numbers: Sequence[int],
    concepts: Container[int] | None = None,
    advance: Callable[[int], None] | None = None,
) -> dict[str, Attribution]:
    """First-order effects of all units of the layers.

    Args:
        cache: of the samples (its activations are not used: gradients need the whole pass).
        levels: layer to its levels; these layers are attributed.
        numbers: the samples to average over.
        concepts: numbers of the concepts to attribute, each a backward pass; by default all.
        advance: is told how many samples are done.
    """
    count = len(cache.segmenter.concepts)
    sums = {name: torch.zeros(2, cache.units[name].count, count, dtype=torch.float64) for name in levels}
    known = torch.zeros(count, dtype=torch.bool)
    step = at_once(cache)
    for first in range(0, len(numbers), step):
        some = list(numbers[first : first + step])
        work = partial(_effects, cache, levels, some, concepts)
        effects = cache.within(Shortage("gradients", len(some)), work)
        for concept, parts in effects.items():
            known[concept - 1] = True
            for name, part in parts.items():
                sums[name][:, :, concept - 1] += part
        if advance:
            advance(len(some))
    unknown = torch.where(known, 0.0, torch.nan)
    means = {name: (total / len(numbers) + unknown).numpy() for name, total in sums.items()}
    return {name: Attribution(mean[0], mean[1]) for name, mean in means.items()}


def _effects(
    cache: SampleCache,
    levels: Mapping[str, Levels],
    numbers: Sequence[int],
    concepts: Container[int] | None,
) -> dict[int, dict[str, Tensor]]:
    """By concept and layer, the sums over a few samples: [2,U]; see `_first_order`."""
    image, activations = _forward(cache, numbers, list(levels))
    found: dict[int, dict[str, Tensor]] = {}
    for concept, area in soft_areas(cache.segmenter, image):
        if concepts is not None and concept not in concepts:
            continue
        gradients = torch.autograd.grad(
            area.sum(), list(activations.values()), retain_graph=True, allow_unused=True
        )
        found[concept] = {}
        for (name, x), gradient in zip(activations.items(), gradients, strict=True):
            if gradient is not None:
                insert = levels[name].insert
                assert insert is not None  # noqa: S101  # units with maps have one
                found[concept][name] = _first_order(gradient, x, insert.flatten())
    return found


def soft_areas(segmenter: Segmenter, image: Tensor) -> list[tuple[int, Tensor]]:
    """(number of a concept, its soft area [N] in 0..1) for every concept whose plane has scores.

    Args:
        segmenter: with `logits`.
        image: [N,3,H,W].
    """
    found = []
    for plane, scores in zip(segmenter.planes, segmenter.logits(image), strict=True):
        if scores is None:
            continue
        numbers = [n for n, concept in enumerate(segmenter.concepts, start=1) if concept.plane == plane]
        areas = scores.softmax(dim=1)[:, 1:].mean(dim=(2, 3))
        found += [(number, areas[:, row]) for row, number in enumerate(numbers)]
    return found


def score(found: Mapping[str, Attribution]) -> dict[str, Numbers]:
    """One number a unit, comparable over layers: its largest estimate, of any edit on any concept.

    A concept's estimates are taken relative to their root mean square over all units of all layers.
    """
    both = {name: np.stack([each.ablate, each.insert]) for name, each in found.items()}
    everything = np.nan_to_num(np.concatenate(list(both.values()), axis=1))
    return {
        name: relative_sizes(np.nan_to_num(values), everything).max(axis=(0, 2))
        for name, values in both.items()
    }


def _forward(
    cache: SampleCache, group: Sequence[int], wanted: Sequence[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The pictures, with the values of the wanted layers' units in their graph."""
    network, units = cache.sampler.network, [cache.units[name] for name in wanted]
    state: State = cache.sampler.start(group)
    values: dict[str, Tensor] = {}
    with torch.enable_grad():
        for stage in network.stages():
            state = stage.run(state)
            for each in (each for each in units if each.layer.name == stage.name):
                old = each.read(network, state)
                # A tensor of its own: two layers may hand on the same one, with different readers behind.
                new = old.view_as(old) if values else old.detach().requires_grad_()
                values[each.name] = new
                state = each.write(network, state, old, new)
    image: Tensor = state["image"]
    return image, {name: values[name] for name in wanted}


def _first_order(gradient: Tensor, x: Tensor, insert: Tensor) -> Tensor:
    """[2,U]: the estimated change of the area when a unit is set to 0, or to its insertion level."""
    gradient, x = gradient.double(), x.detach().double()
    off = -(gradient * x).sum(dim=(0, 2, 3))
    on = off + (gradient.sum(dim=(0, 2, 3)) * insert.double().to(gradient.device))
    return torch.stack([off, on]).cpu()
