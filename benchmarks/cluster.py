"""Two local Dask workers against one: how much sooner a run is done, and its steps.

    python -m benchmarks.cluster [SAMPLES]

A small DCGAN with random weights is dissected with effects of all units into an empty cache, once the
workers are there and have opened the recipe. Each computes on one thread, so two quiet processors are needed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from tests import tiny

from unit59.cluster.machines import local
from unit59.foundation.progress import Reporter
from unit59.recipe import read_recipe
from unit59.run import Options, dissect

MORE = "effects: {{samples: {}, extra: 0}}"
WIDTHS = (96, 64, 48)


def seconds(recipe: Path, folder: Path, workers: int) -> dict[str, float]:
    """How long a run takes, and each of its steps."""
    with local(workers, "cpu", Reporter(quiet=True)) as make:
        for name in ("warm", "timed"):
            place = folder / f"{workers}-{name}"
            report, began = Reporter(quiet=True), time.monotonic()
            samples = recipe.with_name("warm.yaml") if name == "warm" else recipe
            dissect(read_recipe(samples), Options(place / "results", place / "cache", engine=make), report)
    return {**report.seconds, "all": time.monotonic() - began}


def main() -> None:
    """Print one table."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        torch.save({"netG_state_dict": tiny.tensors(widths=WIDTHS)}, folder / "tiny.pth")
        tiny.write_recipe(folder, "warm.yaml", layers="[layer2]", samples=130)
        recipe = tiny.write_recipe(folder, layers="[layer2]", samples=samples, more=MORE.format(samples // 4))
        one, two = (seconds(recipe, folder, workers) for workers in (1, 2))
    print(f"Processors: {os.cpu_count()}; load average of five minutes: {os.getloadavg()[1]:.1f}.")
    print("| step | one worker, s | two, s | times as fast |")
    print("| --- | --- | --- | --- |")
    for step in sorted(one, key=lambda name: one[name]):
        print(f"| {step} | {one[step]:.1f} | {two[step]:.1f} | {one[step] / max(two[step], 1e-3):.2f} |")


if __name__ == "__main__":
    main()
