"""What the threshold's place does to the counts: taken on the native map, and on the compared grid.

Run after `make faces`; prints the table of the method page. Earlier tools take the top 1 % of the native
map's values; after upsampling these thresholds select fewer pixels, and other units pass the cut.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from unit59.foundation.progress import Reporter
from unit59.foundation.random import Bootstrap, null_shifts
from unit59.measure.agreement import count_agreement, iou
from unit59.measure.grid import Grid
from unit59.measure.thresholds import find_thresholds
from unit59.recipe.sections import read_recipe
from unit59.results import INTERPRETABLE_IOU
from unit59.run import Options, Run


def main() -> None:
    """Print one row a layer, plane and way of taking the threshold."""
    file = read_recipe(Path("recipes/faces.yaml"))
    run = Run(file, Options(Path("results"), Path(".unit59")), Reporter(quiet=True))
    run.fill()
    measurer, cache, samples = run.bench.measurer, run.bench.cache, file.recipe.samples
    concepts = cache.segmenter.concepts
    print("| layer | threshold on | on-share | plane | IoU ≥ 0.05 | shuffled | best unit |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for layer in cache.layers:
        activity, grid = measurer.activity(layer), measurer.grid(layer)
        native = find_thresholds(
            lambda _, layer=layer: (x for _, x in cache.steps(layer)),  # type: ignore[misc]
            cache.first_maps(layer),
            Grid(grid.native, grid.native),
            samples,
            torch.from_numpy(activity.low),
            torch.from_numpy(activity.high),
            file.recipe.quantile,
        )
        for name, limits in (("native map", native.value), ("grid", measurer.thresholds(layer).value)):
            counts = count_agreement(
                cache.steps(layer),
                cache.labels,
                grid,
                limits,
                len(concepts),
                samples,
                Bootstrap(0, 2),
                null_shifts(file.recipe.seed, samples, file.recipe.shuffles),
            )
            share = counts.mask.sum() / (counts.pixels * len(counts.mask))
            scores = iou(counts.both, counts.mask, counts.area)
            shuffled = iou(counts.both_shuffled, counts.mask[None], counts.area[None])
            for plane in cache.segmenter.planes:
                inside = np.array([concept.plane == plane for concept in concepts])
                print(
                    _row(
                        layer,
                        name,
                        share,
                        plane,
                        scores[:, inside],
                        shuffled[:, :, inside],
                        [c.name for c in concepts if c.plane == plane],
                    )
                )


def _row(
    layer: str,
    name: str,
    share: float,
    plane: str,
    scores: NDArray[np.float64],
    shuffled: NDArray[np.float64],
    names: list[str],
) -> str:
    passing = int((scores.max(axis=1) >= INTERPRETABLE_IOU).sum())
    by_chance = (shuffled.max(axis=2) >= INTERPRETABLE_IOU).sum(axis=1).mean()
    unit, concept = np.unravel_index(scores.argmax(), scores.shape)
    best = f"{unit}: {names[concept]} {scores.max():.3f} (shuffled {shuffled[:, unit, concept].mean():.4f})"
    cells = (layer, name, f"{share:.2%}", plane, f"{passing} of {len(scores)}", f"{by_chance:.1f}", best)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
