"""A unit's own values: range, mean, distribution, and the samples where it is strongest and weakest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from unit59.measure import kernels

#: (number of the first sample, activations [n,U,h,w]) of all samples in order; called anew for every pass.
Steps = Callable[[], Iterable[tuple[int, Tensor]]]

HISTOGRAM_BINS = 48


@dataclass(frozen=True)
class Activity:
    """Of U units over all samples, on their native maps.

    Attributes:
        low: float32 [U], smallest value.
        high: float32 [U], largest value.
        mean: float32 [U].
    """

    low: Tensor
    high: Tensor
    mean: Tensor


@dataclass(frozen=True)
class Exemplars:
    """The samples in which U units are strongest and weakest.

    A sample's peak is the unit's largest value in it; among equal peaks the smaller sample number comes
    first, so that the choice does not depend on batches.

    Attributes:
        strongest: int64 [U,K], samples with the largest peaks, strongest first.
        strongest_peaks: float32 [U,K].
        weakest: int64 [U,K], samples with the smallest peaks, weakest first.
    """

    strongest: Tensor
    strongest_peaks: Tensor
    weakest: Tensor


def measure_activity(steps: Steps) -> Activity:
    """One pass over all samples."""
    low = high = total = torch.empty(0)
    size = 0
    for _, x in steps():
        # Double precision, shard by shard in order: rounded to float32 below, the order does not show.
        parts = x.amin(dim=(0, 2, 3)), x.amax(dim=(0, 2, 3)), x.double().sum(dim=(0, 2, 3))
        if size == 0:
            low, high, total = parts
        else:
            low, high, total = torch.minimum(low, parts[0]), torch.maximum(high, parts[1]), total + parts[2]
        size += len(x) * x.shape[2] * x.shape[3]
    return Activity(low, high, (total / size).float())


def find_exemplars(steps: Steps, count: int) -> Exemplars:
    """One pass over all samples.

    Args:
        steps: see `Steps`.
        count: K, how many samples to name at either end (fewer where there are fewer samples).
    """
    strongest, weakest = _Best(count, largest=True), _Best(count, largest=False)
    for start, x in steps():
        peaks, numbers = x.amax(dim=(2, 3)), torch.arange(start, start + len(x), device=x.device)
        strongest.add(numbers, peaks)
        weakest.add(numbers, peaks)
    return Exemplars(strongest.numbers, strongest.peaks, weakest.numbers)


def histogram(steps: Steps, activity: Activity) -> Tensor:
    """Counts int64 [U,bins] of native values in equal bins between each unit's smallest and largest."""
    low = activity.low.double()
    width = (activity.high.double() - low).clamp(min=1e-300)
    counts = torch.zeros(len(low), HISTOGRAM_BINS, dtype=torch.int64, device=low.device)
    for _, x in steps():
        (_count_compiled if x.device.type == "cpu" else _count)(x.flatten(2), low, width, counts)
    return counts


def _count_compiled(x: Tensor, low: Tensor, width: Tensor, counts: Tensor) -> None:
    """Count values [n,U,pixels] by their bins, in one compiled loop."""
    kernels.histogram(x.contiguous().numpy(), low.numpy(), width.numpy(), counts.numpy())


def _count(x: Tensor, low: Tensor, width: Tensor, counts: Tensor) -> None:
    """The same by torch's operations."""
    units, bins = counts.shape
    offset = torch.arange(units, device=x.device)[:, None] * bins
    place = ((x.double() - low[:, None]) / width[:, None] * bins).long().clamp(0, bins - 1) + offset
    counts += torch.bincount(place.reshape(-1), minlength=counts.numel()).view_as(counts)


class _Best:
    """The `count` best (peak, sample) pairs of every unit so far."""

    def __init__(self, count: int, *, largest: bool) -> None:
        self.count, self.largest = count, largest
        self.peaks = self.numbers = torch.empty(0)

    def add(self, numbers: Tensor, peaks: Tensor) -> None:
        numbers = numbers[None, :].expand(peaks.shape[1], -1)
        peaks = peaks.T
        if len(self.peaks):
            peaks, numbers = torch.cat([self.peaks, peaks], 1), torch.cat([self.numbers, numbers], 1)
        # Stable, and earlier samples stand first: ties go to the smaller number.
        order = torch.sort(peaks, dim=1, descending=self.largest, stable=True).indices[:, : self.count]
        self.peaks, self.numbers = peaks.gather(1, order), numbers.gather(1, order)
