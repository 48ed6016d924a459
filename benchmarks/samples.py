"""Passes, time beyond them, disk and memory against the number of samples: a small network, run by run.

    python -m benchmarks.samples [SAMPLES ...]

A DCGAN with random weights is dissected in a process of its own for each number of samples: its last layer or
all three, with masks by share or by IQR, all maps whole, or of large layers only the tails. The bare passes,
network and segmenter over the same samples with nothing kept, are timed in the same process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from tests import tiny

from unit59.foundation.progress import Reporter
from unit59.opened import Opened, Options, open_recipe
from unit59.recipe import read_recipe
from unit59.run import dissect
from unit59.samples.shards import GROUP, MakeShard

SAMPLES = 1_000, 10_000, 100_000
#: Layers, what else the recipe says.
CASES = {
    "1 layer": ("[layer3]", ""),
    "1 layer, tails": ("[layer3]", "cache: 1 B"),
    "3 layers": ("all", ""),
    "1 layer, by IQR": ("[layer3]", "threshold: iqr"),
}
WIDTHS = (48, 32, 16)


@torch.no_grad()
def bare(opened: Opened, samples: int) -> float:
    """Processor seconds of the passes alone."""
    cache = opened.bench.cache
    began = time.process_time()
    for first in range(0, samples, GROUP):
        image = cache.sampler.network.run(cache.sampler.start(range(first, first + GROUP)))["image"]
        cache.segment(image)
    return time.process_time() - began


def measured(folder: Path, case: str, samples: int) -> dict[str, Any]:
    """One run, in this process."""
    torch.set_num_threads(1)
    layers, more = CASES[case]
    torch.save({"netG_state_dict": tiny.tensors(widths=WIDTHS)}, folder / "tiny.pth")
    recipe = read_recipe(tiny.write_recipe(folder, layers=layers, samples=samples, more=more))
    options, passed = Options(folder / "results", folder / "cache"), 0
    group = MakeShard._group

    def counted(task: MakeShard, cache: Any, numbers: range, *more: Any) -> Any:
        nonlocal passed
        passed += len(numbers)
        return group(task, cache, numbers, *more)

    began = time.process_time()
    with mock.patch.object(MakeShard, "_group", counted):
        dissect(recipe, options, Reporter(quiet=True))
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    disk = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file())
    some = min(samples, 4_000)
    passes = bare(open_recipe(recipe, options, Reporter(quiet=True)), some) * samples / some
    return {"passes": passed, "seconds": seconds, "bare": passes, "disk": disk, "peak": peak}


def main() -> None:
    """Print one table."""
    if "--one" in sys.argv:
        case, samples = sys.argv[2], int(sys.argv[3])
        with tempfile.TemporaryDirectory() as home:
            print(json.dumps(measured(Path(home), case, samples)))
        return
    print("| measured | samples | passes a sample | time of bare passes | disk, kB a sample | peak MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in CASES:
        for samples in map(int, sys.argv[1:] or SAMPLES):
            command = [sys.executable, "-m", "benchmarks.samples", "--one", case, str(samples)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(
                f"| {case} | {samples:,} | {found['passes'] / samples:.3f} | "
                f"{found['seconds'] / found['bare']:.1f} | {found['disk'] / samples / 1e3:.1f} | "
                f"{found['peak'] / 1e6:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
