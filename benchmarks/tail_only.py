"""An effect sweep costs only the network's tail: measured as a ratio, in one run.

    python -m benchmarks.tail_only [LAYER [UNITS]]

The official StyleGAN of 256x256 with random weights, `layer6` (512 units at 32x32). CPU time on one thread,
of one picture: the whole forward pass, the part of it behind the layer, and one edit of the sweep over single
units (the edit, the tail, and counting what changed; the segmenter answers at once and costs nothing).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import torch
from tests.published import fullsize_stylegan
from torch import Tensor

from unit59.edit.edits import Edit, Levels
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.networks import load
from unit59.samples.cache import SampleCache
from unit59.samples.drawing import Sampler
from unit59.samples.shards import GROUP
from unit59.segmenters import Concept, Segmenter
from unit59.store import Store


class Instant(Segmenter):
    """Takes no time."""

    planes = ("object",)
    concepts = (Concept("thing", "object", "#000000"),)

    def segment(self, images: Tensor) -> Tensor:
        """Everything is a thing."""
        return torch.ones(len(images), 1, 32, 32, dtype=torch.int64)


@torch.no_grad()
def main(layer: str = "layer6", units: int = 8) -> None:
    """Print the costs and the ratio."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        network = load(fullsize_stylegan(Path(folder) / "stylegan.pkl", copies=1))
        cache = SampleCache(
            Store(Path(folder)),
            Sampler(network, 59),
            Instant(),
            GROUP,
            [layer],
            None,
            {"samples": "samples", "segmentations": "segmentations"},
        )
        cache.fill(lambda _: None)
        count = network.layers[layer].units
        silent, insert = torch.zeros(count, 1, 1), torch.ones(count, 1, 1)
        levels = Levels(silent, silent, insert)
        edits = Sweep.here(cache, Tail(cache, layer), levels, "benchmark")
        edits.plain(range(GROUP))  # the group's own pictures, made once for all edits
        whole = tail = sweep = 0.0
        for unit in range(units):  # interleaved, so that a busy machine slows all three alike
            began = time.process_time()
            state = network.run(cache.sampler.start(range(GROUP)), until=layer)
            middle = time.process_time()
            network.run(state, after=layer)
            ended = time.process_time()
            whole, tail = whole + ended - began, tail + ended - middle
            edits.area(Edit.ablate([unit]), range(GROUP))
            sweep += time.process_time() - ended
    pictures = units * GROUP
    print(f"StyleGAN 256, {layer}, {pictures} pictures, CPU ms a picture")
    print(f"  whole forward pass  {1000 * whole / pictures:8.1f}")
    print(f"  behind the layer    {1000 * tail / pictures:8.1f}   {tail / whole:.3f} of the pass")
    print(f"  one edit            {1000 * sweep / pictures:8.1f}   {sweep / whole:.3f} of the pass")
    print(f"  one edit over the tail alone: {sweep / tail:.3f}")


if __name__ == "__main__":
    chosen = [*sys.argv[1:], *("layer6", "8")[len(sys.argv) - 1 :]]
    main(chosen[0], int(chosen[1]))
