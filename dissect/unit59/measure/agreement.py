"""How well each unit agrees with each concept, and what chance alone would give: integer pixel counts.

Everything is counted in one pass over the samples: the masks against their own segmentations, per sample
(for the bootstrap), and against other samples' segmentations (the null), in total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.arrays import Counts
from unit59.foundation.random import Bootstrap
from unit59.measure import kernels
from unit59.measure.grid import Grid, Hits
from unit59.results import INTERPRETABLE_IOU
from unit59.stats.intervals import central

#: One step of the pass: number of its first sample, activations [n,U,h,w].
Steps = Iterable[tuple[int, Tensor]]
#: Segmentations (integers of any size) [n,P,pixels of the grid] of the given samples.
Segmentations = Callable[[NDArray[np.int64]], Tensor]


@dataclass(frozen=True)
class Agreement:
    """Pixel counts over all samples; U units, C concepts, B bootstrap draws, S shuffles.

    Attributes:
        pixels: grid pixels of all samples together.
        mask: [U], pixels in the unit's mask.
        area: [C], pixels of the concept.
        both: [U,C], pixels of both.
        mask_drawn: [B,U], as `mask`, each sample counted with its Poisson weight.
        area_drawn: [B,C].
        both_drawn: [B,U,C].
        both_shuffled: [S,U,C], pixels of both when each mask meets another sample's segmentation.
    """

    pixels: int
    mask: Counts
    area: Counts
    both: Counts
    mask_drawn: Counts
    area_drawn: Counts
    both_drawn: Counts
    both_shuffled: Counts

    @property
    def masks_shuffled(self) -> Counts:
        """Pixels in the mask under each shuffle: a fixed mask has as many under all."""
        return self.mask[None]

    def bound(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """What one more shuffle's score exceeds in 1 % of cases, from those of the shuffles [S,...]."""
        return bound_99(scores)

    def arrays(self) -> dict[str, Any]:
        """The counts by name, for storing; the class makes of them the same again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def count_agreement(
    steps: Steps,
    segmentations: Segmentations,
    grid: Grid,
    thresholds: Tensor,
    concepts: int,
    samples: int,
    bootstrap: Bootstrap,
    shifts: NDArray[np.int64],
) -> Agreement:
    """Count over all samples.

    Args:
        steps: all samples' activations in order.
        segmentations: see `Segmentations`; called once a shift and step.
        grid: the compared grid.
        thresholds: float32 [U].
        concepts: C; concept v of a segmentation is column v - 1.
        samples: how many there are.
        bootstrap: over the samples, of B draws.
        shifts: [S], cyclic shifts of the sample order for the null.
    """
    units, device = len(thresholds), thresholds.device
    total = Totals(bootstrap.draws, (units,), (units, concepts), device)
    shuffled = torch.zeros(units, len(shifts), concepts + 1, dtype=torch.int64, device=device)
    for start, activations in steps:
        numbers = start + np.arange(len(activations))
        own = segmentations(numbers)
        others = [segmentations((numbers + int(shift)) % samples) for shift in shifts]
        labels = torch.stack([own, *others]).to(device)
        both = torch.zeros(len(numbers), units, concepts + 1, dtype=torch.int64, device=device)
        mask = torch.zeros(len(numbers) * units, dtype=torch.int64, device=device)
        for hits in grid.hits(activations, thresholds):
            mask[hits.begin : hits.begin + len(hits.ends)] += hits.sizes
            (_tally_compiled if grid.compiled else _tally)(hits, labels, both, shuffled)
        area = torch.stack([areas(each, concepts) for each in own]).to(device)
        weights = torch.from_numpy(bootstrap.weights(numbers)).to(device)
        total.add(mask.view(len(numbers), units), area, both[:, :, 1:], weights)
    return Agreement(
        pixels=samples * grid.pixels,
        both_shuffled=plain(shuffled.transpose(0, 1)[:, :, 1:]),
        **total.plain(),
    )


def _tally_compiled(hits: Hits, labels: Tensor, own: Tensor, others: Tensor) -> None:
    """Count hits by the labels at their pixels, in one compiled loop; see `kernels.tally`."""
    ends, pixels = hits.ends.numpy(), hits.pixel.numpy()
    kernels.tally(hits.begin, ends, pixels, labels.numpy(), own.numpy(), others.numpy())


def _tally(hits: Hits, labels: Tensor, own: Tensor, others: Tensor) -> None:
    """The same by torch's operations."""
    row, pixel, width = hits.row, hits.pixel.long(), own.shape[2]
    sample, unit = row // hits.units, row % hits.units
    for plane in range(labels.shape[2]):
        _add(own, row * width + labels[0, sample, plane, pixel].long())
        for shuffle in range(others.shape[1]):
            column = (unit * others.shape[1] + shuffle) * width
            _add(others, column + labels[shuffle + 1, sample, plane, pixel].long())


def _add(counts: Tensor, places: Tensor) -> None:
    counts.view(-1).add_(torch.bincount(places, minlength=counts.numel()))


class Totals:
    """Sums over samples, plain and weighted.

    Args:
        draws: B.
        mask: the shape of a sample's mask counts: [U], or [U,C] where each concept has a mask of its own.
        both: that of what mask and concept share: [U,C].
        device: where the counts are.
    """

    def __init__(
        self, draws: int, mask: tuple[int, ...], both: tuple[int, int], device: torch.device
    ) -> None:
        shapes = {"mask": mask, "area": both[1:], "both": both}
        self.sums = {k: torch.zeros(s, dtype=torch.int64, device=device) for k, s in shapes.items()}
        # Sums of integers below 2^53: exact in double precision, and a matrix product is quick in it.
        self.drawn = {
            k: torch.zeros((draws, *s), dtype=torch.float64, device=device) for k, s in shapes.items()
        }

    def add(self, mask: Tensor, area: Tensor, both: Tensor, weights: Tensor) -> None:
        """Counts of n samples [n,...], and their weights [B,n]."""
        for name, counts in (("mask", mask), ("area", area), ("both", both)):
            self.sums[name] += counts.sum(0)
            self.drawn[name] += torch.tensordot(weights.double(), counts.double(), dims=1)

    def plain(self) -> dict[str, Counts]:
        """The sums by name, as `Agreement` has them."""
        return {k: plain(v) for k, v in self.sums.items()} | {
            f"{k}_drawn": plain(v.long()) for k, v in self.drawn.items()
        }


def areas(segmentation: Tensor, concepts: int) -> Tensor:
    """Pixels of each concept in one sample [P,pixels]."""
    return torch.bincount(segmentation.reshape(-1), minlength=concepts + 1)[1:]


def plain(counts: Tensor) -> Counts:
    """As an array."""
    array: Counts = counts.contiguous().cpu().numpy()
    return array


# ---------------------------------------------------------------- scores from counts


def iou(both: NDArray[Any], mask: NDArray[Any], area: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union; 0 where both are empty.

    Args:
        both: [...,U,C].
        mask: [...,U], or [...,U,C] where each concept has a mask of its own.
        area: [...,C].
    """
    union = union_of(both, mask, area)
    return _ratio(both, union, union > 0)


def union_of(both: NDArray[Any], mask: NDArray[Any], area: NDArray[Any]) -> NDArray[Any]:
    """Pixels in mask or concept [...,U,C]; for the arguments see `iou`."""
    union: NDArray[Any] = _per_concept(mask, both) + area[..., None, :] - both
    return union


def _per_concept(mask: NDArray[Any], both: NDArray[Any]) -> NDArray[Any]:
    return mask if mask.ndim == both.ndim else mask[..., None]


def best_concepts(iou: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Per unit its label, the number of the concept with the largest IoU (0 where all are 0), and that IoU.

    Args:
        iou: [U,C].
    """
    score: NDArray[np.float64] = iou.max(axis=1)
    return np.where(score > 0, iou.argmax(axis=1) + 1, 0), score


def iqr(both: NDArray[Any], mask: NDArray[Any], area: NDArray[Any], pixels: int) -> NDArray[np.float64]:
    """Information quality ratio [...,U,C]: mutual information over joint entropy of the 2x2 pixel table.

    Args:
        both: [...,U,C].
        mask: as for `iou`.
        area: [C].
        pixels: of all samples together.
    """
    n = float(pixels)
    mask, area, both = _per_concept(mask, both) / n, area / n, both / n
    table = (
        (both, mask * area),
        (mask - both, mask * (1 - area)),
        (area - both, (1 - mask) * area),
        (1 - mask - area + both, (1 - mask) * (1 - area)),
    )
    shared = np.sum([_plogr(joint, joint, apart) for joint, apart in table], axis=0)
    entropy = -np.sum([_plogr(joint, joint, np.ones_like(joint)) for joint, _ in table], axis=0)
    return _ratio(shared, entropy, entropy > 1e-12)


def _ratio(over: NDArray[Any], under: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Over / under, 0 elsewhere."""
    quotient: NDArray[np.float64] = np.divide(over, under, out=np.zeros(where.shape), where=where)
    return quotient


def _plogr(p: NDArray[Any], over: NDArray[Any], under: NDArray[Any]) -> NDArray[np.float64]:
    """P log(over/under), 0 where p is 0 (or negative by rounding)."""
    fine = (p > 0) & (under > 0)
    ratio = np.divide(over, under, out=np.ones(np.broadcast(p, under).shape), where=fine)
    return np.where(fine, p * np.log(ratio), 0.0)


def interval(agreement: Agreement) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % bootstrap interval of the IoU: low and high, [U,C] each."""
    drawn = iou(agreement.both_drawn, agreement.mask_drawn, agreement.area_drawn)
    return central(drawn)


@dataclass(frozen=True)
class Null:
    """What chance gives: the IoU with other samples' segmentations.

    Attributes:
        best: [S,U], the largest IoU over concepts under each shuffle.
        mean: [U,C], mean over shuffles.
        bound: [U,C], 99 % bound.
        best_mean: [U], mean of `best`.
        best_bound: [U], 99 % bound of `best`.
    """

    best: NDArray[np.float64]
    mean: NDArray[np.float64]
    bound: NDArray[np.float64]
    best_mean: NDArray[np.float64]
    best_bound: NDArray[np.float64]


def agrees(score: NDArray[Any], bound: NDArray[Any]) -> NDArray[np.bool_]:
    """Where an IoU is evidence: it reaches the cut, and is above its null's 99 % bound."""
    evident: NDArray[np.bool_] = (score >= INTERPRETABLE_IOU) & (score > bound)
    return evident


def null_scores(agreement: Agreement) -> Null:
    """Summarise the shuffles; for the bounds see `Agreement.bound`."""
    scores = iou(agreement.both_shuffled, agreement.masks_shuffled, agreement.area)
    best = scores.max(axis=2)
    return Null(best, scores.mean(axis=0), agreement.bound(scores), best.mean(axis=0), agreement.bound(best))


def bound_99(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The one-sided prediction bound for one more shuffle, from those made [S,...].

    It is mean + t s sqrt(1 + 1/S) with Student's t of S - 1 degrees of freedom: a data set's IoU sums over
    many samples, so its spread between shuffles is close to normal, and twenty shuffles tell its 99th
    percentile better than their largest does.
    """
    from scipy.stats import t

    shuffles = len(values)
    factor = float(t.ppf(0.99, shuffles - 1)) * np.sqrt(1 + 1 / shuffles)
    limit: NDArray[np.float64] = values.mean(axis=0) + factor * values.std(axis=0, ddof=1)
    return limit
