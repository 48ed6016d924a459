"""Each (unit, concept) at the best of many levels: that of the largest information quality ratio (IQR).

One look over the samples counts, for all levels of a unit at once, what its masks share with each concept, in
the samples' own segmentations and in those of other samples: a pixel counts once, by the first level that its
value exceeds, and sums over levels give the masks, each of which holds those before it. From these counts the
level of every pair follows, and so does one for every pair under every shuffle: chance may choose, too. A
second look counts by samples at the chosen levels, for the bootstrap, whose intervals take them as given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.arrays import Counts
from unit59.foundation.random import Bootstrap
from unit59.measure import kernels
from unit59.measure.agreement import Agreement, Segmentations, Steps, Totals, bound_99, iqr, plain
from unit59.measure.grid import Grid, Hits
from unit59.measure.levels import level_of, padded, turns

#: Counts in memory at once; where a layer's are more, its units take turns, with a look each.
ROOM = 1 << 24
#: Two IQRs are the same when they do not differ in so many decimals: rounding decides nothing.
DECIMALS = 12


@dataclass(frozen=True)
class LevelAgreement(Agreement):
    """As `Agreement`, with a mask for each (unit, concept): `mask` is [U,C], `mask_drawn` [B,U,C].

    Attributes:
        level: [U,C], number of the level.
        mask_shuffled: [S,U,C], pixels in the mask at the level that is best under each shuffle.
    """

    level: Counts
    mask_shuffled: Counts

    @property
    def masks_shuffled(self) -> Counts:
        """See `Agreement.masks_shuffled`."""
        return self.mask_shuffled

    def bound(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Agreement.bound`: a chosen level's IoU may jump, so that no shuffle may lie above, either."""
        bound: NDArray[np.float64] = np.maximum(bound_99(scores), scores.max(axis=0))
        return bound

    def null_iqr(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The best level's IQR with other samples' segmentations, [U,C] each: mean, and 99 % bound.

        The largest of many IQRs has a long tail; its logarithm is close to normal, so the bound is the
        logarithm's.
        """
        found = iqr(self.both_shuffled, self.mask_shuffled, self.area, self.pixels)
        return found.mean(axis=0), np.exp(bound_99(np.log(found.clip(10.0**-DECIMALS)))).clip(max=1)


def count_level_agreement(
    steps: Callable[[], Steps],
    segmentations: Segmentations,
    grid: Grid,
    levels: Tensor,
    concepts: int,
    samples: int,
    bootstrap: Bootstrap,
    shifts: NDArray[np.int64],
) -> LevelAgreement:
    """Choose a level for every pair, and count at it.

    Args:
        steps: gives all samples' activations in order; called once a look.
        segmentations: see `Segmentations`.
        grid: the compared grid.
        levels: float32 [U,L], falling thresholds.
        concepts: C; concept v of a segmentation is column v - 1.
        samples: how many there are.
        bootstrap: over the samples, of B draws.
        shifts: [S], cyclic shifts of the sample order for the null.
    """
    labels = _Labels(segmentations, concepts, samples, [0, *shifts.tolist()])
    chosen = []
    for units in turns(len(levels), ROOM // ((levels.shape[1] + 1) * labels.columns)):
        shape = (units.stop - units.start, levels.shape[1] + 1, labels.columns)
        counts = torch.zeros(shape, dtype=torch.int64, device=levels.device)
        for start, x in steps():
            places = labels.places(start + np.arange(len(x)))
            _tally(x[:, units], places, grid, levels[units], counts)
        chosen += [_choose(unit, labels, samples * grid.pixels) for unit in plain(counts)]
    level, mask_shuffled, both_shuffled = (np.stack(each, axis=-2) for each in zip(*chosen, strict=True))
    total = _count_at(steps, _Labels(segmentations, concepts, samples, [0]), grid, levels, level, bootstrap)
    return LevelAgreement(
        pixels=samples * grid.pixels,
        level=level,
        mask_shuffled=mask_shuffled,
        both_shuffled=both_shuffled,
        **total.plain(),
    )


class _Labels:
    """At which columns of the counts a pixel counts, under each shift of the samples.

    Args:
        segmentations: see `Segmentations`.
        concepts: C; a shift has C + 1 columns, the first of them for pixels without a concept.
        samples: how many there are.
        shifts: of the sample order.
    """

    def __init__(
        self, segmentations: Segmentations, concepts: int, samples: int, shifts: Sequence[int]
    ) -> None:
        self._segmentations, self._samples, self._shifts = segmentations, samples, shifts
        self.shape = (len(shifts), concepts + 1)
        self.columns = len(shifts) * (concepts + 1)
        self.planes = segmentations(np.arange(1)).shape[1]

    def places(self, numbers: NDArray[np.int64]) -> Tensor:
        """Of samples, [n,pixels,J] with a column for each shift and plane."""
        dtype = torch.int16 if self.columns <= torch.iinfo(torch.int16).max else torch.int32
        shown = [
            self._segmentations((numbers + shift) % self._samples).to(dtype) + first * self.shape[1]
            for first, shift in enumerate(self._shifts)
        ]
        return torch.stack(shown).permute(1, 3, 0, 2).flatten(2).contiguous()


def _tally(x: Tensor, places: Tensor, grid: Grid, levels: Tensor, counts: Tensor) -> None:
    """Count the pixels of maps [n,U,h,w] in `counts` [groups,L + 1,columns]; see `kernels.tally_levels`."""
    edges, everything = padded(levels), levels.new_full((len(levels),), -torch.inf)
    for hits in grid.hits(x, everything):
        if grid.compiled:
            found = (each.numpy() for each in (hits.ends, hits.value, hits.pixel, edges, places, counts))
            kernels.tally_levels(hits.begin, *found)
        else:
            _tally_plainly(hits, edges, places.to(x.device), counts)


def _tally_plainly(hits: Hits, edges: Tensor, places: Tensor, counts: Tensor) -> None:
    """By torch's operations."""
    level = level_of(hits.value, edges, hits.unit)
    first = (hits.row % len(counts) * counts.shape[1] + level) * counts.shape[2]
    one = torch.ones_like(first)
    for column in places[hits.sample, hits.pixel.long()].unbind(1):
        counts.view(-1).index_add_(0, first + column, one)


def _choose(counts: Counts, labels: _Labels, pixels: int) -> tuple[Counts, Counts, Counts]:
    """One unit's best level for each concept [C]; the pixels in mask and both under each shuffle [S,C].

    Of levels that are equally good, the one with the smallest share is taken.

    Args:
        counts: [L + 1,columns].
        labels: of the own segmentations, and of the shuffles'.
        pixels: of all samples together.
    """
    within = counts.reshape(len(counts), *labels.shape).cumsum(axis=0)  # [L + 1,1 + S,1 + C]
    mask = within[:-1, 0].sum(axis=1) // labels.planes
    both = within[:-1, :, 1:].swapaxes(0, 1)
    ratio = iqr(both, mask, within[-1, 0, 1:], pixels)
    best = ratio.round(DECIMALS).argmax(axis=1)  # [1 + S,C]
    return best[0], mask[best[1:]], np.take_along_axis(both, best[:, None], axis=1)[1:, 0]


def _count_at(
    steps: Callable[[], Steps],
    labels: _Labels,
    grid: Grid,
    levels: Tensor,
    level: Counts,
    bootstrap: Bootstrap,
) -> Totals:
    """Sums over samples at the chosen levels [U,C], plain and weighted."""
    total = Totals(bootstrap.draws, level.shape, level.shape, levels.device)
    at = torch.from_numpy(level).to(levels.device)
    most = ROOM // (len(levels) * (levels.shape[1] + 1) * labels.columns)
    for start, x in steps():
        numbers = start + np.arange(len(x))
        parts = [_by_sample(x[some], labels, numbers[some], grid, levels, at) for some in turns(len(x), most)]
        mask, area, both = (torch.cat(each) for each in zip(*parts, strict=True))
        total.add(mask, area, both, torch.from_numpy(bootstrap.weights(numbers)).to(at.device))
    return total


def _by_sample(
    x: Tensor, labels: _Labels, numbers: NDArray[np.int64], grid: Grid, levels: Tensor, at: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of each sample mask [n,U,C], area [n,C] and both [n,U,C], at levels [U,C]."""
    shape = (len(x), len(levels), levels.shape[1] + 1, labels.columns)
    counts = torch.zeros(shape, dtype=torch.int64, device=at.device)
    _tally(x, labels.places(numbers), grid, levels, counts.flatten(0, 1))
    within = counts.cumsum(2)  # [n,U,L + 1,1 + C]
    mask = (within.sum(3) // labels.planes).gather(2, at.expand(len(x), -1, -1))
    both = within[..., 1:].gather(2, at[:, None].expand(len(x), -1, -1, -1))[:, :, 0]
    return mask, within[:, 0, -1, 1:], both
