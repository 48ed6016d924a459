"""Probes: what is looked at when a change has been made. The usual one counts every concept's area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.edit.group import Seen


@dataclass(frozen=True)
class Areas:
    """Area of every concept, and how much of the picture changed where.

    Per sample and concept: ``counts``, pixels of the concept on the compared grid; ``inside``, the change in
    the region where the concept was or came; ``region``, pixels of that region on the picture. Per sample:
    ``change``, the change of the whole picture. A change is the sum over pixels and colours of the absolute
    difference in levels of 0..255.

    Attributes:
        concepts: C.
    """

    concepts: int

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return repr(self)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        inside, pixels = _inside(seen.difference, seen.group.labels, seen.labels, self.concepts)
        return {
            "counts": tally(seen.labels, None, self.concepts).cpu().numpy().astype(np.int32),
            "change": seen.difference.sum(dim=(1, 2)).cpu().numpy(),
            "inside": inside,
            "region": pixels,
        }


@dataclass(frozen=True)
class Unedited:
    """Area of every concept in the unedited samples: ``counts``, int32 [N,C].

    Attributes:
        concepts: C.
    """

    concepts: int

    @property
    def depends_on(self) -> str:
        """See `Probe.depends_on`."""
        return repr(self)

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        """See `Probe.look`."""
        return {"counts": tally(seen.group.labels, None, self.concepts).cpu().numpy().astype(np.int32)}


def _inside(
    difference: Tensor, before: Tensor, after: Tensor, concepts: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Per sample and concept: the difference in the region where the concept was or came, and its pixels.

    Args:
        difference: int64 [N,H,W].
        before: segmentations int64 [N,P,h,w].
        after: segmentations int64 [N,P,h,w].
        concepts: how many.
    """
    size = int(difference.shape[1]), int(difference.shape[2])
    before, after = resized(before, size), resized(after, size)
    came = torch.where(before == after, 0, after)
    sums, pixels = (
        tally(before, weights, concepts) + tally(came, weights, concepts) for weights in (difference, None)
    )
    return sums.cpu().numpy(), pixels.cpu().numpy().astype(np.int32)


def tally(labels: Tensor, weights: Tensor | None, concepts: int) -> Tensor:
    """Per sample and concept the pixels, or the sum of the weights [N,H,W] there: int64 [N,C].

    Args:
        labels: [N,P,h,w].
        weights: integers, or None to count pixels.
        concepts: C.
    """
    count = len(labels)
    places = labels.flatten(2) + (concepts + 1) * torch.arange(count, device=labels.device)[:, None, None]
    given = None
    if weights is not None:
        # Sums of integers below 2^53 are exact in double precision.
        given = weights.flatten(1)[:, None].expand(places.shape).reshape(-1).double()
    found = torch.bincount(places.reshape(-1), given, minlength=count * (concepts + 1))
    return found.view(count, concepts + 1)[:, 1:].long()


def resized(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels [N,P,h,w] at another size, by nearest neighbour."""
    if (labels.shape[2], labels.shape[3]) == size:
        return labels
    return F.interpolate(labels.double(), size=size, mode="nearest-exact").long()
