"""How good the bundled models are: `unit59.training.bundle` writes it to ``weights/quality.json``.

It holds ``segmenter`` (IoU per concept on held-out scenes, plain and augmented) and, per model, what
`unit59.stats.comparison.Comparison` says; for pix2pix also ``agreement``: how well its pictures, segmented
again, show what its label maps asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unit59.bedrooms.concepts import NAMES
from unit59.bedrooms.confusion import Confusion
from unit59.bedrooms.inputs import HELD_OUT, label_maps, pictures
from unit59.bedrooms.scenes import Scenes, draw
from unit59.bedrooms.segmenter import Bedrooms
from unit59.networks import Network, load
from unit59.samples.drawing import Sampler
from unit59.stats.comparison import Comparison, Shares, area_shares, compare
from unit59.training.segmenter import accuracy

WEIGHTS = Path(__file__).parents[1] / "bedrooms" / "weights"
MODELS = ("stylegan", "progan", "pix2pix")
#: Generated pictures, and half of the real ones.
SAMPLES = 2000
#: Pictures made at once.
STEP = 50


def real_shares(segmenter: Bedrooms, count: int) -> Shares:
    """The segmenter's reading of `count` held-out scenes, [count,C]."""
    return np.concatenate([_shares(segmenter, pictures(_scenes(i))) for i in range(0, count, STEP)])


def model_quality(network: Network, segmenter: Bedrooms, real: Shares, count: int = SAMPLES) -> Comparison:
    """How good a generator of bedrooms is, over `count` of its pictures."""
    sampler = Sampler(network, 0)
    shares = []
    for first in range(0, count, STEP):
        with torch.no_grad():
            if network.takes == "image":
                images = network.generate(label_maps(_scenes(first)))
            else:
                images = network.run(sampler.start(range(first, first + STEP)))["image"]
        shares.append(_shares(segmenter, images))
    return compare(NAMES, np.concatenate(shares), real)


def pix2pix_agreement(network: Network, segmenter: Bedrooms, count: int = SAMPLES) -> dict[str, float]:
    """IoU per concept between the label maps given and the pictures' segmentations, and their ``mean``."""
    counts = Confusion(NAMES)
    for first in range(0, count, STEP):
        scenes = _scenes(first)
        images = network.generate(label_maps(scenes))
        counts.add(scenes.labels, segmenter.segment(images)[:, 0].numpy())
    return counts.iou()


def measure(count: int = SAMPLES) -> dict[str, Any]:
    """Everything that `quality.json` holds."""
    segmenter = Bedrooms()
    found: dict[str, Any] = {
        "segmenter": {
            "scenes": count,
            "iou": accuracy(segmenter, count),
            "iou_augmented": accuracy(segmenter, count, augmented=True),
        }
    }
    real = real_shares(segmenter, 2 * count)
    for name in MODELS:
        path = WEIGHTS / f"{name}.safetensors"
        if not path.exists():
            continue
        network = load(path)
        found[name] = as_record(model_quality(network, segmenter, real, count))
        if network.takes == "image":
            found[name]["agreement"] = pix2pix_agreement(network, segmenter, count)
    return found


def as_record(quality: Comparison) -> dict[str, Any]:
    """A comparison as JSON has it, rounded to what its samples tell."""
    return {
        "generated": quality.generated,
        "real": quality.real,
        "distance": round(quality.distance, 3),
        "distance_of_halves": round(quality.halves, 3),
        "concepts": [
            {key: value if isinstance(value, str) else round(value, 5) for key, value in row.items()}
            for row in quality.table.iter_rows(named=True)
        ],
    }


def _scenes(first: int) -> Scenes:
    return draw(range(first, first + STEP), HELD_OUT)


def _shares(segmenter: Bedrooms, images: Tensor) -> Shares:
    return area_shares(segmenter.segment(images.clamp(-1, 1)).cpu().numpy(), len(NAMES))
