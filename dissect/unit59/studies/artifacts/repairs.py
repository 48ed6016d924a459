"""What becomes of bad regions, and of everything else, when sets of units are switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.asked import asked_of
from unit59.edit.group import Seen
from unit59.edit.probes import tally
from unit59.foundation.arrays import Counts, Numbers
from unit59.stats.scores import Score
from unit59.store import key_of


@dataclass(frozen=True)
class Repairs:
    """Counts of E edits on n samples; C concepts.

    Attributes:
        bad: int64 [n], bad pixels before, on the grid.
        left: int64 [E,n], pixels that show something else than asked for, after; none without known labels.
        spoiled: int64 [E,n], of those, the ones that were good before.
        inside: int64 [E,n], absolute change in the bad region, summed over pixels and colours, 0..255.
        outside: int64 [E,n], the same in the rest of the picture.
        inside_pixels: int64 [n], of the picture.
        outside_pixels: int64 [n].
        before: int64 [n,C], pixels of each concept, on the grid.
        after: int64 [E,n,C].
        pixels: of the grid.
    """

    bad: Counts
    left: Counts
    spoiled: Counts
    inside: Counts
    outside: Counts
    inside_pixels: Counts
    outside_pixels: Counts
    before: Counts
    after: Counts
    pixels: int

    def scores(self, weights: Counts) -> dict[str, Score]:
        """What the edits did, with the same over bootstrap draws.

        Args:
            weights: int64 [B,n], of the draws.

        Returns:
            ``gone``: share of the bad area that is gone, less what is newly bad. ``spoiled``: share of the
            good area that is newly bad. ``inside``, ``outside``: mean absolute change of the picture in the
            bad regions and outside, 0..255. ``excess``: inside less outside.
        """
        plain = np.ones((1, len(self.bad)), np.int64)
        one, many = (self._ratios(each) for each in (plain, weights))
        return {name: Score(one[name][0], many[name]) for name in one}

    def _ratios(self, weights: Counts) -> dict[str, Numbers]:
        """By name [B,E]."""

        def ratio(over: Counts, under: Counts) -> Numbers:
            total = (weights @ under)[:, None]
            found: Numbers = np.where(total > 0, weights @ over.T / np.maximum(total, 1), np.nan)
            return found

        inside = ratio(self.inside, 3 * self.inside_pixels)
        outside = ratio(self.outside, 3 * self.outside_pixels)
        return {
            "gone": ratio(self.bad - self.left, self.bad),
            "spoiled": ratio(self.spoiled, self.pixels - self.bad),
            "inside": inside,
            "outside": outside,
            "excess": inside - outside,
        }

    def moved(self, edit: int) -> Numbers:
        """Change of each concept's share of each picture, [n,C]."""
        found: Numbers = (self.after[edit] - self.before) / self.pixels
        return found


@dataclass(frozen=True)
class BadRegions:
    """What becomes of bad regions: the arrays of `Repairs`, with one row a sample.

    Attributes:
        regions: number of a sample, and what is bad in it, packed bit by bit in rows.
        labels: whether the inputs' labels say what is bad afterwards.
    """

    regions: tuple[tuple[int, bytes], ...]
    labels: bool

    @classmethod
    def of(cls, bad: Tensor, numbers: Sequence[int], *, labels: bool) -> Self:
        """Of bool [samples,h,w], of all samples."""
        return cls(tuple((i, np.packbits(bad[i].numpy()).tobytes()) for i in sorted(numbers)), labels)

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return key_of(regions=[(number, bits.hex()) for number, bits in self.regions], labels=self.labels)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        group, cache = seen.group, seen.group.tail.cache
        region = self._regions(group.numbers, cache.grid)
        difference, labels = seen.difference.cpu(), seen.labels.cpu()
        size = difference.shape[1:]
        wide = F.interpolate(region[:, None].double(), size=size, mode="nearest-exact")[:, 0] > 0
        wrong = torch.zeros_like(region)
        if self.labels:
            plane, wanted = asked_of(group)
            wrong = torch.ne(labels[:, plane], wanted)
        concepts = len(cache.segmenter.concepts)
        found = {
            "left": wrong.sum(dim=(1, 2)),
            "spoiled": (wrong & ~region).sum(dim=(1, 2)),
            "inside": (difference * wide).sum(dim=(1, 2)),
            "outside": (difference * ~wide).sum(dim=(1, 2)),
            "after": tally(labels, None, concepts),
            "bad": region.sum(dim=(1, 2)),
            "inside_pixels": wide.sum(dim=(1, 2)),
            "outside_pixels": (~wide).sum(dim=(1, 2)),
            "before": tally(group.labels.cpu(), None, concepts),
        }
        return {name: values.numpy() for name, values in found.items()}

    def _regions(self, numbers: Sequence[int], grid: tuple[int, int]) -> Tensor:
        """Bool [N,h,w]."""
        known, (height, width) = dict(self.regions), grid
        rows = [np.frombuffer(known[number], np.uint8) for number in numbers]
        bits = np.stack([np.unpackbits(row, count=height * width) for row in rows])
        return torch.from_numpy(bits.reshape(-1, height, width).astype(np.bool_))


def repairs_of(found: Mapping[str, NDArray[Any]], pixels: int) -> Repairs:
    """What a sweep with `BadRegions` saw; what holds before an edit is the same in each."""
    before = {name: found[name][0] for name in ("bad", "inside_pixels", "outside_pixels", "before")}
    return Repairs(**{**found, **before}, pixels=pixels)
