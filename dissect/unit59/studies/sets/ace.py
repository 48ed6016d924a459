"""Unit sets by the average causal effect of Bau et al. 2019 (GAN Dissection, section 3.2).

    delta(alpha) = E[s_c at P, x inserted at P] - E[s_c at P, x ablated at P]

over samples and places P, where each unit u goes to alpha_u of the way: insertion sets it to
(1 - alpha_u) x_u + alpha_u k_u, ablation to (1 - alpha_u) x_u. The set is the alpha in [0,1]^U that maximises
delta minus lambda |alpha|^2. s_c is the segmenter's soft share of the concept, taken at the very place where
the units were edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.attribution import at_once
from unit59.edit.edits import Levels
from unit59.edit.tail import Tail, groups
from unit59.foundation.random import stream
from unit59.samples.checks import Shortage
from unit59.samples.shards import GROUP
from unit59.segmenters import Segmenter
from unit59.stats.intervals import Mean, mean_interval

#: Edge of the place that is edited, as a part of the map.
PLACE = 8
RATE = 0.05
#: Lambda of the formula.
PENALTY = 0.005


@dataclass(frozen=True)
class Optimised:
    """What the optimisation found.

    Attributes:
        alpha: [U], how far each unit goes, 0..1.
        ace: delta at that alpha, at one new place a sample, with its interval.
        steps: of the optimisation.
    """

    alpha: NDArray[np.float64]
    ace: Mean
    steps: int

    @property
    def order(self) -> list[int]:
        """Units, strongest first; equals by number."""
        return [int(unit) for unit in np.argsort(-self.alpha, kind="stable")]


def optimise_set(
    tail: Tail,
    levels: Levels,
    concept: int,
    numbers: Sequence[int],
    seed: int,
    steps: int = 200,
    advance: Callable[[int], None] | None = None,
) -> Optimised | None:
    """Find the units whose insertion and ablation together move a concept most.

    Args:
        tail: of the layer.
        levels: its insertion levels are the k of the formula.
        concept: its number.
        numbers: samples to optimise on, in turn.
        seed: of the places.
        steps: of Adam, each on one group of samples.
        advance: is told how many steps are done.

    Returns:
        None where the segmenter has no differentiable scores for the concept.
    """
    share = _SoftShare(tail.cache.segmenter, concept)
    if not share.known:
        return None
    alpha = torch.full((len(levels.zero),), 0.5, device=levels.zero.device, requires_grad=True)
    optimiser = torch.optim.Adam([alpha], lr=RATE)
    batches = groups(numbers)

    def gradient(step: int) -> Tensor:
        found = 2 * PENALTY * alpha.detach()
        with torch.enable_grad():
            for delta in _deltas(tail, levels, share, alpha, batches[step % len(batches)][0], seed, step):
                found = found - torch.autograd.grad(delta.sum() / GROUP, alpha)[0]
        return found

    for step in range(steps):
        short = Shortage("gradients", at_once(tail.cache))
        alpha.grad = tail.cache.within(short, partial(gradient, step))
        optimiser.step()
        with torch.no_grad():
            alpha.clamp_(0, 1)
        if advance:
            advance(1)
    with torch.no_grad():
        deltas = [
            torch.cat(list(_deltas(tail, levels, share, alpha, group, seed, steps + number)))[:count]
            for number, (group, count) in enumerate(batches)
        ]
    values = torch.cat(deltas).double().cpu().numpy()
    return Optimised(alpha.detach().double().cpu().numpy(), mean_interval(values), steps)


def _deltas(
    tail: Tail,
    levels: Levels,
    share: _SoftShare,
    alpha: Tensor,
    group: Sequence[int],
    seed: int,
    step: int,
) -> Iterator[Tensor]:
    """The concept at random places after insertion there, minus after ablation there, few samples at once."""
    size = at_once(tail.cache)
    for first in range(0, len(group), size):
        state = tail.state(group[first : first + size])
        x = tail.read(state).detach()
        assert levels.insert is not None  # noqa: S101  # units with maps have one
        insert = levels.insert[None]
        place = _places(x, seed, step * GROUP + first)
        far = alpha[None, :, None, None] * place
        on = tail.image(tail.write(state, x, x * (1 - far) + insert * far))
        off = tail.image(tail.write(state, x, x * (1 - far)))
        yield share(on, place) - share(off, place)


def _places(x: Tensor, seed: int, draw: int) -> Tensor:
    """One box a sample somewhere on the map, {0,1} [N,1,h,w]; they depend on (seed, draw) alone."""
    generator = stream(seed, "places of unit sets", draw)
    places = torch.zeros(len(x), 1, *x.shape[2:], device=x.device)
    sides = [int(side) for side in x.shape[2:]]
    edges = [max(1, side // PLACE) for side in sides]
    for row in range(len(x)):
        top, left = (
            int(generator.integers(0, side - edge + 1)) for side, edge in zip(sides, edges, strict=True)
        )
        places[row, :, top : top + edges[0], left : left + edges[1]] = 1.0
    return places


class _SoftShare:
    """A concept's mean probability at a place of each picture."""

    def __init__(self, segmenter: Segmenter, concept: int) -> None:
        self.segmenter = segmenter
        name = segmenter.concepts[concept - 1].plane
        self.plane = segmenter.planes.index(name)
        numbers = [n for n, each in enumerate(segmenter.concepts, start=1) if each.plane == name]
        self.channel = 1 + numbers.index(concept)
        self.known = segmenter.logits(torch.zeros(1, 3, 64, 64))[self.plane] is not None

    def __call__(self, images: Tensor, places: Tensor) -> Tensor:
        """[N], from pictures [N,3,H,W] and places {0,1} [N,1,h,w]."""
        scores = self.segmenter.logits(images)[self.plane]
        assert scores is not None  # noqa: S101  # asked in __init__
        chance = scores.softmax(dim=1)[:, self.channel]
        there = F.interpolate(places, size=chance.shape[1:], mode="nearest-exact")[:, 0]
        return (chance * there).sum(dim=(1, 2)) / there.sum(dim=(1, 2)).clamp(min=1)
