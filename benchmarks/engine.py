"""What measuring a layer costs beyond the passes, beside a plain dense count: in one run, as ratios.

    python -m benchmarks.engine [SAMPLES]

The layer has 256 units of 8x8, the grid is 128x128, there are 20 concepts, 20 shuffles, 200 bootstrap draws.
The dense count upsamples every map, compares it with a threshold that is known, and multiplies masks by
concepts: it looks for no threshold, and has neither shuffles nor draws. With `threshold: iqr`, of 64 samples,
the two last measurements stand in the place of threshold and agreement.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure.agreement import count_agreement
from unit59.measure.exemplars import find_exemplars
from unit59.measure.grid import Grid
from unit59.measure.level_agreement import count_level_agreement
from unit59.measure.levels import find_levels
from unit59.measure.thresholds import find_thresholds
from unit59.samples.shards import GROUP
from unit59.samples.summary import Summary

UNITS, NATIVE, SIZE, CONCEPTS, SHUFFLES, DRAWS, SHARD = 256, (8, 8), (128, 128), 20, 20, 200, 64


def maps(kind: str, samples: int) -> Tensor:
    """Activations [N,U,h,w]: of independent noise, the worst case, or smooth as a network's."""
    random = torch.Generator().manual_seed(0)
    if kind == "noise":
        return torch.randn(samples, UNITS, *NATIVE, generator=random)
    coarse = torch.randn(samples, UNITS, 4, 4, generator=random)
    return F.interpolate(coarse, size=NATIVE, mode="bilinear")


def segmentations(samples: int) -> Tensor:
    """Labels uint8 [N,1,pixels], in patches of 16x16."""
    random = torch.Generator().manual_seed(1)
    coarse = torch.randint(0, CONCEPTS + 1, (samples, 1, 8, 8), generator=random)
    return F.interpolate(coarse.float(), size=SIZE).to(torch.uint8).flatten(2)


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of a run, and what it gave; it has run once before."""
    run()
    began = time.process_time()
    found = run()
    return time.process_time() - began, found


def measure(x: Tensor, labels: Tensor) -> dict[str, float]:
    """Processor milliseconds a sample of each measurement."""
    samples = len(x)

    def steps() -> Iterator[tuple[int, Tensor]]:
        return ((first, x[first : first + SHARD]) for first in range(0, samples, SHARD))

    def quantile(grid: Grid, q: float) -> Any:
        return find_thresholds(
            lambda _: (part for _, part in steps()), x[:SHARD], grid, samples, low, high, q
        )

    def dense() -> None:
        both = torch.zeros(UNITS, CONCEPTS + 1)
        for first, part in steps():
            shown = F.one_hot(labels[first : first + SHARD, 0].long(), CONCEPTS + 1).float()
            for each, concepts in zip(part, shown, strict=True):
                up = F.interpolate(each[None], size=SIZE, mode="bilinear", align_corners=False)
                both += (up > thresholds.value[:, None, None]).flatten(2)[0].float() @ concepts

    grid = Grid(NATIVE, SIZE)
    found = {}

    def summaries() -> list[Summary]:
        maps = x.numpy()
        return [Summary.of(maps[first : first + GROUP]) for first in range(0, samples, GROUP)]

    found["range and distribution"], made = seconds(summaries)
    found["of all samples"], whole = seconds(lambda: reduce(Summary.without_peaks, made))
    found["strongest samples"], _ = seconds(lambda: find_exemplars((part.peaks for part in made), 8))
    low, high = torch.from_numpy(whole.low), torch.from_numpy(whole.high)
    found["insertion level"], _ = seconds(lambda: quantile(Grid(NATIVE, NATIVE), 0.005))
    found["threshold"], thresholds = seconds(lambda: quantile(grid, 0.01))
    draws, shifts = Bootstrap(0, DRAWS), null_shifts(0, samples, SHUFFLES)

    def shown(numbers: Any) -> Tensor:
        return labels[torch.from_numpy(numbers)]

    what = CONCEPTS, samples, draws, shifts
    found["agreement, null, bootstrap"], _ = seconds(
        lambda: count_agreement(steps(), shown, grid, thresholds.value, *what)
    )
    found["all of these"] = sum(found.values())
    found["the dense count"], _ = seconds(dense)
    some, few = x[:SHARD], (CONCEPTS, SHARD, draws, null_shifts(0, SHARD, SHUFFLES))
    by_iqr = {}
    by_iqr["by IQR: levels"], levels = seconds(
        lambda: find_levels(lambda: [some], grid, SHARD, some.amin((0, 2, 3)), some.amax((0, 2, 3)))
    )
    by_iqr["by IQR: agreement, null, bootstrap"], _ = seconds(
        lambda: count_level_agreement(lambda: [(0, some)], shown, grid, levels, *few)
    )
    return {name: 1000 * value / samples for name, value in found.items()} | {
        name: 1000 * value / SHARD for name, value in by_iqr.items()
    }


def main() -> None:
    """Print one table."""
    torch.set_num_threads(1)
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    labels = segmentations(samples)
    print("| maps | measured | processor ms a sample | of the dense count |")
    print("| --- | --- | --- | --- |")
    for kind in ("smooth", "noise"):
        found = measure(maps(kind, samples), labels)
        for name, value in found.items():
            print(f"| {kind} | {name} | {value:.2f} | {np.round(value / found['the dense count'], 3)} |")


if __name__ == "__main__":
    main()
