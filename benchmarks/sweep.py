"""A sweep over all units costs its tails and its segmentations: CPU time, as ratios in one run.

    python -m benchmarks.sweep [SAMPLES]

The bundled networks, three layers each: every unit off, on the same samples, counted and kept as a run does
it. Beside it what of that time the network behind the layer took, and the segmenter.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from unit59.bedrooms.inputs import LabelMaps
from unit59.bedrooms.segmenter import BUNDLED, Bedrooms
from unit59.edit.edits import Edit, Levels
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.foundation.memory import keep_freed_memory
from unit59.networks import load
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.store import Store

LAYERS = {
    "stylegan": ("layer1", "layer4", "layer7"),
    "progan": ("layer1", "layer5", "layer8"),
    "pix2pix": ("layer3", "layer8", "layer11"),
}


def timed(spent: dict[str, float], what: str, run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same, and its CPU seconds are added up."""

    def timing(given: object) -> Tensor:
        began = time.process_time()
        found = run(given)
        spent[what] += time.process_time() - began
        return found

    return timing


def measure(model: str, layer: str, samples: int, folder: Path) -> dict[str, float]:
    """CPU seconds of a sweep over all units of a layer: of all of it, of its tails, of the segmenter."""
    network = load(BUNDLED.with_name(f"{model}.safetensors"))
    inputs = LabelMaps(samples, network.resolution[0]) if network.takes == "image" else None
    cache = SampleCache(
        Store(folder),
        Sampler(network, 59, inputs=inputs),
        Bedrooms(),
        samples,
        [layer],
        None,
        {"samples": model, "segmentations": model},
    )
    cache.fill(lambda _: None)
    silent = torch.zeros(network.layers[layer].units, 1, 1)
    sweep = Sweep.here(cache, Tail(cache, layer), Levels(silent, silent, silent + 1), "benchmark")
    edits = [Edit.ablate([unit]) for unit in range(sweep.units)]
    sweep.counts(edits[:2], range(samples))  # kernels are chosen and memory is taken
    spent = defaultdict[str, float](float)
    sweep.tail.image = timed(spent, "tails", sweep.tail.image)  # type: ignore[method-assign]
    cache.segment = timed(spent, "segmentations", cache.segment)  # type: ignore[method-assign]
    began = time.process_time()
    sweep.counts(edits, range(samples))
    spent["all"] += time.process_time() - began
    return spent


@torch.no_grad()
def main(samples: int = 16) -> None:
    """Print the costs and the ratios."""
    torch.set_num_threads(1)
    keep_freed_memory()
    print(f"{samples} samples, CPU seconds of a sweep over all units")
    print("network    layer      all   tails  segmentations  all over both")
    total = defaultdict[str, float](float)
    for model, layers in LAYERS.items():
        for layer in layers:
            with tempfile.TemporaryDirectory() as folder:
                spent = measure(model, layer, samples, Path(folder))
            for what, seconds in spent.items():
                total[what] += seconds
            _say(model, layer, spent)
    _say("together", "", total)


def _say(model: str, layer: str, spent: dict[str, float]) -> None:
    both = spent["tails"] + spent["segmentations"]
    print(
        f"{model:10} {layer:8} {spent['all']:5.2f} {spent['tails']:7.2f} {spent['segmentations']:14.2f}"
        f"  {spent['all'] / both:13.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
