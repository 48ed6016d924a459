"""What a shard's maps say in a few numbers a unit: range, sum, each sample's peak, and a histogram.

It is made while the maps are there, so that nothing has to look at them again, and any number of shards join
into what one look at all samples gives. The bins of a histogram are as wide as a power of two and begin at a
multiple of it: neighbours join exactly when another shard's values reach further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any, Self

import numpy as np

from unit59.foundation.arrays import Counts, Numbers, Singles
from unit59.foundation.compiled import compiled

#: A unit's values lie in at most so many bins, and in more than half as many where it has enough values.
BINS = 64
#: Bins are no finer than single precision at the largest magnitude.
_PRECISION, _FINEST = 23, -149


@dataclass(frozen=True)
class Summary:
    """Of U units in n samples.

    Attributes:
        size: values of each unit.
        low: float32 [U], smallest value.
        high: float32 [U], largest.
        total: float64 [U], sum of the values.
        peaks: float32 [n,U], largest value in each sample.
        exponent: int64 [U], bins are 2^exponent wide.
        first: int64 [U], the first bin begins at first 2^exponent; it holds the smallest value.
        counts: int64 [U,BINS], values in each bin.
    """

    size: int
    low: Singles
    high: Singles
    total: Numbers
    peaks: Singles
    exponent: Counts
    first: Counts
    counts: Counts

    @classmethod
    def of(cls, maps: Singles) -> Self:
        """Of finite maps [n,U,h,w]."""
        samples, units, height, width = maps.shape
        flat = np.ascontiguousarray(maps).reshape(samples, units, height * width)
        low, high = np.full((2, units), np.inf, np.float32) * np.array([[1], [-1]], np.float32)
        total, peaks = np.zeros(units), np.empty((samples, units), np.float32)
        _ranges(flat, low, high, total, peaks)
        exponent, first = _bins(low, high)
        counts = np.zeros((units, BINS), np.int64)
        _count(flat, np.ldexp(1.0, -exponent), first, counts)
        return cls(samples * height * width, low, high, total, peaks, exponent, first, counts)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Of all samples of the parts, in their order; the histogram is that of one look."""
        peaks = np.concatenate([part.peaks for part in parts])
        return replace(reduce(cls.without_peaks, parts), peaks=peaks)

    def without_peaks(self, other: Self) -> Self:
        """Of the samples of both, but for the peaks: of a size that does not grow."""
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        exponent, first = _bins(low, high)
        counts = self._binned(exponent, first) + other._binned(exponent, first)
        total = self.total + other.total
        peaks = np.empty((0, len(low)), np.float32)
        return type(self)(self.size + other.size, low, high, total, peaks, exponent, first, counts)

    def _binned(self, exponent: Counts, first: Counts) -> Counts:
        """The counts in bins that are as wide as these or wider."""
        place = (self.first[:, None] + np.arange(BINS)) >> (exponent - self.exponent)[:, None]
        counts = np.zeros_like(self.counts)
        # Bins without a value may lie beyond the last one.
        np.add.at(
            counts,
            (np.arange(len(counts))[:, None], np.minimum(place - first[:, None], BINS - 1)),
            self.counts,
        )
        return counts

    def arrays(self) -> dict[str, Any]:
        """By name, for storing."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """What `arrays` gave."""
        return cls(**dict(arrays, size=int(arrays["size"])))

    @property
    def mean(self) -> Singles:
        """[U]; sums of doubles rounded to single precision, so that their order does not show."""
        return (self.total / self.size).astype(np.float32)

    @property
    def edges(self) -> tuple[Numbers, Numbers]:
        """Left edge of the first bin [U], and a bin's width [U]."""
        width: Numbers = np.ldexp(1.0, self.exponent)
        return self.first * width, width

    @property
    def used(self) -> Counts:
        """[U], bins up to the one that holds the largest value."""
        last = np.floor(np.ldexp(self.high.astype(np.float64), -self.exponent)).astype(np.int64)
        used: Counts = last - self.first + 1
        return used


def _bins(low: Singles, high: Singles) -> tuple[Counts, Counts]:
    """The finest bins that hold each range: exponent of their width, and number of the first.

    A part of a range never needs wider bins than the whole, so that parts can join.
    """
    least, most = low.astype(np.float64), high.astype(np.float64)
    largest = np.frexp(np.maximum(np.abs(least), np.abs(most)))[1].astype(np.int64)
    finest = np.maximum(largest - _PRECISION, _FINEST)
    exponent = np.maximum(finest, np.frexp(most - least)[1].astype(np.int64) - BINS.bit_length())
    while True:
        first = np.floor(np.ldexp(least, -exponent)).astype(np.int64)
        wide = np.floor(np.ldexp(most, -exponent)).astype(np.int64) - first >= BINS
        if not wide.any():
            return exponent, first
        exponent += wide


@compiled
def _ranges(maps: Singles, low: Singles, high: Singles, total: Numbers, peaks: Singles) -> None:
    """Fill the ranges, sums and peaks of maps [n,U,pixels]; there is one zero."""
    samples, units, size = maps.shape
    for sample in range(samples):
        for unit in range(units):
            least, most, added = np.float32(np.inf), np.float32(-np.inf), 0.0
            for pixel in range(size):
                value = maps[sample, unit, pixel] + np.float32(0)
                least, most, added = min(least, value), max(most, value), added + np.float64(value)
            low[unit], high[unit] = min(low[unit], least), max(high[unit], most)
            total[unit] += added
            peaks[sample, unit] = most


@compiled
def _count(maps: Singles, scale: Numbers, first: Counts, counts: Counts) -> None:
    """Count the values of maps [n,U,pixels] by bins; `counts` [U,BINS] grows."""
    samples, units, size = maps.shape
    for sample in range(samples):
        for unit in range(units):
            times, begin = scale[unit], first[unit]
            for pixel in range(size):
                counts[unit, np.int64(np.floor(maps[sample, unit, pixel] * times)) - begin] += 1
