"""What becomes of bad regions, and of everything else, when sets of units are switched off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.edits import set_units
from unit59.edit.tail import Tail, groups
from unit59.measure.asked import request_of
from unit59.samples.cache import SampleCache, to_uint8
from unit59.stats.scores import Counts, Numbers, Score


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


@torch.no_grad()
def switch_off(
    cache: SampleCache,
    layer: str,
    sets: Sequence[Sequence[int]],
    bad: Tensor,
    numbers: Sequence[int],
    *,
    labels: bool,
    advance: Callable[[int], None],
) -> dict[str, NDArray[Any]]:
    """Switch sets of units off, one after the other.

    Args:
        cache: filled.
        layer: of the units.
        sets: E of them.
        bad: bool [samples,h,w], of all samples.
        numbers: the samples, n of them.
        labels: whether the inputs' labels say what is bad afterwards.
        advance: is told how many pictures are done.

    Returns:
        The arrays of `Repairs`.
    """
    asked = request_of(cache) if labels else None
    tail, concepts = Tail(cache, layer), len(cache.segmenter.concepts)
    parts: list[dict[str, NDArray[Any]]] = []
    for group, count in groups(numbers):
        state = tail.state(group)
        region, plain = bad[group], tail.image(state)
        wanted = asked.of_samples(group) if asked else None
        levels = to_uint8(plain).to(torch.int16)
        wide = F.interpolate(region[:, None].double(), size=levels.shape[1:3], mode="nearest-exact")[:, 0] > 0
        rows = []
        for units in sets:
            image = tail.image({**state, "x": set_units(state["x"], units, 0.0)})
            shown = cache.segment(image).cpu().long()
            change = (to_uint8(image).to(torch.int16) - levels).abs().sum(dim=3).long()
            wrong = torch.zeros_like(region)
            if asked is not None and wanted is not None:
                wrong = torch.ne(shown[:, asked.plane], wanted)
            rows.append(
                {
                    "left": wrong.sum(dim=(1, 2)),
                    "spoiled": (wrong & ~region).sum(dim=(1, 2)),
                    "inside": (change * wide).sum(dim=(1, 2)),
                    "outside": (change * ~wide).sum(dim=(1, 2)),
                    "after": _areas(shown, concepts),
                }
            )
        found = {name: torch.stack([row[name] for row in rows], dim=1) for name in rows[0]}
        found |= {
            "bad": region.sum(dim=(1, 2)),
            "inside_pixels": wide.sum(dim=(1, 2)),
            "outside_pixels": (~wide).sum(dim=(1, 2)),
            "before": _areas(cache.segment(plain).cpu().long(), concepts),
        }
        parts.append({name: values[:count].numpy() for name, values in found.items()})
        advance(len(sets) * count)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    by_edit = {"left", "spoiled", "inside", "outside", "after"}
    return {name: np.swapaxes(v, 0, 1) if name in by_edit else v for name, v in joined.items()}


def _areas(labels: Tensor, concepts: int) -> Tensor:
    """Pixels of each concept: int64 [N,C] of labels [N,P,h,w]."""
    count = len(labels)
    places = labels.flatten(1) + (concepts + 1) * torch.arange(count)[:, None]
    found = torch.bincount(places.flatten(), minlength=count * (concepts + 1))
    return found.view(count, concepts + 1)[:, 1:]
