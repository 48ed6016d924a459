"""Unit sets by the average causal effect of Bau et al. 2019 (GAN Dissection, section 3.2).

    delta(alpha) = E[s_c at P, x inserted at P] - E[s_c at P, x ablated at P]

over samples and places P, where each unit u goes to alpha_u of the way: insertion sets it to
(1 - alpha_u) x_u + alpha_u k_u, ablation to (1 - alpha_u) x_u. The set is the alpha in [0,1]^U that maximises
delta minus lambda |alpha|^2. s_c is the segmenter's soft share of the concept, taken at the very place where
the units were edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dissect.intervene.edits import Levels
from dissect.intervene.tail import Tail, groups
from dissect.segmenters import Segmenter

#: Edge of the place that is edited, as a part of the map.
PLACE = 8
RATE = 0.05


@dataclass(frozen=True)
class Optimised:
    """What the optimisation found.

    Attributes:
        alpha: [U], how far each unit goes, 0..1.
        ace: delta at that alpha, over the last pass through the samples.
        steps: of the optimisation.
    """

    alpha: NDArray[np.float64]
    ace: float
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
    penalty: float = 0.005,
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
        penalty: lambda.
        advance: is told how many steps are done.

    Returns:
        None where the segmenter has no differentiable scores for the concept.
    """
    segmenter = tail.cache.segmenter
    plane = segmenter.planes.index(segmenter.concepts[concept - 1].plane)
    level = levels.insert[None, :, None, None]
    alpha = torch.full((len(levels.insert),), 0.5, device=level.device, requires_grad=True)
    optimiser = torch.optim.Adam([alpha], lr=RATE)
    batches = groups(numbers)
    deltas = []
    for step in range(steps):
        state = tail.state(batches[step % len(batches)][0])
        x = state["x"].detach()
        place = _place((int(x.shape[2]), int(x.shape[3])), seed, step).to(x.device)
        share = alpha[None, :, None, None] * place
        with torch.enable_grad():
            on = tail.image({**state, "x": x * (1 - share) + level * share})
            off = tail.image({**state, "x": x * (1 - share)})
            areas = [_soft_share(segmenter, plane, concept, image, place) for image in (on, off)]
            if areas[0] is None or areas[1] is None:
                return None
            delta = areas[0] - areas[1]
            loss = -delta + penalty * alpha.square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimiser.step()
        with torch.no_grad():
            alpha.clamp_(0, 1)
        deltas.append(float(delta.detach()))
        if advance:
            advance(1)
    found = alpha.detach().double().cpu().numpy()
    return Optimised(found, float(np.mean(deltas[-len(batches) :])), steps)


def _place(size: tuple[int, int], seed: int, step: int) -> Tensor:
    """One box somewhere on the map, {0,1} [1,1,h,w]; it depends on (seed, step) alone."""
    bits = np.random.Philox(key=np.array([seed % 2**64, 2**62 + step], np.uint64))
    generator = np.random.Generator(bits)
    place = torch.zeros(1, 1, *size)
    edges = [max(1, side // PLACE) for side in size]
    top, left = (int(generator.integers(0, side - edge + 1)) for side, edge in zip(size, edges, strict=True))
    place[:, :, top : top + edges[0], left : left + edges[1]] = 1.0
    return place


def _soft_share(
    segmenter: Segmenter, plane: int, concept: int, image: Tensor, place: Tensor
) -> Tensor | None:
    """The concept's mean probability at the place, over the pictures."""
    scores = segmenter.logits(image)[plane]
    if scores is None:
        return None
    numbers = [
        n for n, each in enumerate(segmenter.concepts, start=1) if each.plane == segmenter.planes[plane]
    ]
    chance = scores.softmax(dim=1)[:, 1 + numbers.index(concept)]
    there = torch.nn.functional.interpolate(place, size=chance.shape[1:], mode="nearest-exact")[:, 0]
    return (chance * there).sum() / (there.sum() * len(chance))
