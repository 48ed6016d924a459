"""Compiled loops on the processor: what torch's operations would do in many passes over large arrays.

They hold no rule of their own: `unit59.measure.grid` and its neighbours say what is computed and do the same
with torch's operations on other devices; the tests compare both with a slow reference. Floating point is
plain IEEE double and single precision in the order written, so that a value's bytes are those of torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.foundation.arrays import Counts
from unit59.foundation.compiled import compiled


@compiled
def upsample(
    maps: NDArray[np.float32],
    floors: NDArray[np.float32],
    begin: int,
    rows: tuple[Counts, Counts, NDArray[np.float64]],
    columns: tuple[Counts, Counts, NDArray[np.float64]],
    width: int,
    ends: Counts,
    pixels: NDArray[np.int32],
    values: NDArray[np.float32],
) -> int:
    """Values on the grid above their unit's floor, map by map, until the space may not hold another map's.

    Args:
        maps: [rows,U,h,w]; row r is unit r % U of sample r // U.
        floors: [U].
        begin: row to begin with.
        rows: per cell of the vertical axis the first grid position, how many there are, and how far each
            lies from the cell's first corner to its second.
        columns: the same of the horizontal axis.
        width: of the grid.
        ends: filled: where each row's hits end.
        pixels: filled: row-major position on the grid.
        values: filled.

    Returns:
        The row to go on with.
    """
    samples, units, height, across = maps.shape
    stop: int = samples * units
    room, found = len(pixels), 0
    most = columns[2].shape[1]
    largest = rows[2].shape[1] * most * (height + 1) * (across + 1)
    top, bottom = np.empty(most), np.empty(most)
    for row in range(begin, stop):
        if found + largest > room and row > begin:
            return row
        sample, unit = row // units, row % units
        floor = floors[unit]
        for cell in range(height + 1):
            first, deep = rows[0][cell], rows[1][cell]
            above, below = max(cell - 1, 0), min(cell, height - 1)
            for other in range(across + 1):
                start, wide = columns[0][other], columns[1][other]
                left, right = max(other - 1, 0), min(other, across - 1)
                a, b = maps[sample, unit, above, left], maps[sample, unit, above, right]
                c, d = maps[sample, unit, below, left], maps[sample, unit, below, right]
                # A bilinear value never exceeds the largest of its corners.
                if not (a > floor or b > floor or c > floor or d > floor):
                    continue
                p, q, r, s = np.float64(a), np.float64(b), np.float64(c), np.float64(d)
                slack = 1e-15 * max(abs(p), abs(q), abs(r), abs(s))
                for i in range(wide):
                    x = columns[2][other, i]
                    top[i] = p * (1 - x) + q * x
                    bottom[i] = r * (1 - x) + s * x
                for j in range(deep):
                    y = rows[2][cell, j]
                    # Nor does a row's exceed its larger end, but for rounding.
                    if max(p * (1 - y) + r * y, q * (1 - y) + s * y) + slack <= floor:
                        continue
                    place = (first + j) * width + start
                    for i in range(wide):
                        value = np.float32(top[i] * (1 - y) + bottom[i] * y) + np.float32(0)
                        pixels[found] = place + i
                        values[found] = value
                        found += value > floor
        ends[row - begin] = found
    return stop


@compiled
def select(
    maps: NDArray[np.float32],
    floors: NDArray[np.float32],
    begin: int,
    ends: Counts,
    pixels: NDArray[np.int32],
    values: NDArray[np.float32],
) -> int:
    """As `upsample`, of maps [rows,U,pixels] that have the grid's size."""
    samples, units, size = maps.shape
    stop: int = samples * units
    room, found = len(pixels), 0
    for row in range(begin, stop):
        if found + size > room and row > begin:
            return row
        floor = floors[row % units]
        for pixel in range(size):
            value = maps[row // units, row % units, pixel] + np.float32(0)
            pixels[found] = pixel
            values[found] = value
            found += value > floor
        ends[row - begin] = found
    return stop


@compiled
def tally(
    begin: int,
    ends: Counts,
    pixels: NDArray[np.int32],
    labels: NDArray[Any],
    own: Counts,
    others: Counts,
) -> None:
    """Count hits by the labels that stand at their pixels.

    Hits come in runs along a grid row, and so do equal labels: a run is counted label by label, not pixel by
    pixel.

    Args:
        begin: row of the first of `ends`; row r is unit r % U of sample r // U.
        ends: where each row's hits end.
        pixels: positions on the grid.
        labels: [1 + S,samples,planes,pixels], the samples' own segmentations and S times those of others.
        own: [samples,U,C + 1], grows by the hits with the own segmentation.
        others: [U,S,C + 1], grows by the hits with the others'.
    """
    units, shuffles = others.shape[:2]
    hit = 0
    for number in range(len(ends)):
        sample, unit = (begin + number) // units, (begin + number) % units
        while hit < ends[number]:
            first = pixels[hit]
            last = first
            hit += 1
            while hit < ends[number] and pixels[hit] == last + 1:
                last += 1
                hit += 1
            for shuffle in range(shuffles + 1):
                for plane in range(labels.shape[2]):
                    shown = labels[shuffle, sample, plane]
                    start = first
                    while start <= last:
                        label, stop = shown[start], start + 1
                        while stop <= last and shown[stop] == label:
                            stop += 1
                        if shuffle == 0:
                            own[sample, unit, label] += stop - start
                        else:
                            others[unit, shuffle - 1, label] += stop - start
                        start = stop


@compiled
def narrow(
    begin: int,
    ends: Counts,
    values: NDArray[np.float32],
    starts: Counts,
    stops: Counts,
    widths: Counts,
    counts: Counts,
    kept: NDArray[np.int32],
    of: NDArray[np.int32],
) -> int:
    """Count values in their unit's range of keys (start, stop] by bins, and keep these keys.

    Args:
        begin: row of the first of `ends`; row r is unit r % U of a sample.
        ends: where each row's values end.
        values: no NaN, and one zero.
        starts: [U].
        stops: [U].
        widths: [U], of a bin.
        counts: [U,bins], grows.
        kept: filled with the keys.
        of: filled with their units.

    Returns:
        How many are kept.
    """
    units = len(starts)
    bits = values.view(np.int32)
    found = first = 0
    for number in range(len(ends)):
        unit = (begin + number) % units
        start, stop, width = starts[unit], stops[unit], widths[unit]
        for k in range(first, ends[number]):
            key = np.int64(bits[k])
            if key < 0:
                key = -(key & 0x7FFFFFFF)
            if start < key <= stop:
                counts[unit, (key - start - 1) // width] += 1
                kept[found] = key
                of[found] = unit
                found += 1
        first = ends[number]
    return found


@compiled
def narrow_kept(
    keys: NDArray[np.int32],
    of: NDArray[np.int32],
    starts: Counts,
    stops: Counts,
    widths: Counts,
    counts: Counts,
    kept: NDArray[np.int32],
    kept_of: NDArray[np.int32],
) -> int:
    """As `narrow`, of keys that an earlier look kept."""
    found = 0
    for k in range(len(keys)):
        unit, key = of[k], np.int64(keys[k])
        start = starts[unit]
        if start < key <= stops[unit]:
            counts[unit, (key - start - 1) // widths[unit]] += 1
            kept[found] = keys[k]
            kept_of[found] = unit
            found += 1
    return found


@compiled
def bin_levels(
    begin: int,
    ends: Counts,
    values: NDArray[np.float32],
    limits: Counts,
    starts: Counts,
    shifts: Counts,
    chosen: NDArray[np.uint8],
    counts: Counts,
) -> None:
    """Count values by bins of bins that were chosen in the looks before; a look has as many for each level.

    Args:
        begin: row of the first of `ends`; row r is unit r % U of a sample.
        ends: where each row's values end.
        values: no NaN, and one zero.
        limits: [U,2], the keys (least, most] that are the unit's.
        starts: [K,U,L], where the levels' ranges begin in each look.
        shifts: [K,U,L], logarithm of a bin's width.
        chosen: [K - 1,U,L x bins], the level at which a bin's own bins count, or a number beyond all.
        counts: [U,L x bins], grows.
    """
    looks, units, levels = starts.shape
    bins = counts.shape[1] // levels
    bits = values.view(np.int32)
    first = 0
    for number in range(len(ends)):
        unit = (begin + number) % units
        least, most, found = limits[unit, 0], limits[unit, 1], counts[unit]
        for k in range(first, ends[number]):
            key = np.int64(bits[k])
            if key < 0:
                key = -(key & 0x7FFFFFFF)
            if key <= least or key > most:
                continue
            place = (key - least - 1) >> shifts[0, unit, 0]
            for look in range(1, looks):
                level = np.int64(chosen[look - 1, unit, place])
                if level >= levels:
                    break
                place = level * bins + ((key - starts[look, unit, level] - 1) >> shifts[look, unit, level])
            else:
                found[place] += 1
        first = ends[number]


@compiled
def tally_levels(
    begin: int,
    ends: Counts,
    values: NDArray[np.float32],
    pixels: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    places: NDArray[Any],
    counts: Counts,
) -> None:
    """Count hits by the first threshold that they exceed, and by what is at their pixels.

    Args:
        begin: row of the first of `ends`; row r is unit r % U of sample r // U.
        ends: where each row's hits end.
        values: of the hits.
        pixels: their positions on the grid.
        thresholds: [U,2^k], falling; more than there are levels, and the last are less than any value.
        places: [samples,pixels,J], the J columns of `counts` at which a pixel counts.
        counts: [groups,L + 1,columns], grows; row r belongs to group r % groups.
    """
    units, half = len(thresholds), thresholds.shape[1] // 2
    groups, width = len(counts), places.shape[2]
    first = 0
    for number in range(len(ends)):
        row = begin + number
        edges, found, there = thresholds[row % units], counts[row % groups], places[row // units]
        for k in range(first, ends[number]):
            value, pixel = values[k], pixels[k]
            level, step = 0, half
            while step:
                level += step if value <= edges[level + step - 1] else 0
                step >>= 1
            for column in range(width):
                found[level, there[pixel, column]] += 1
        first = ends[number]
