"""Training the segmenter of the drawn bedrooms, and how good it is on scenes that it never saw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from unit59.bedrooms.concepts import NAMES
from unit59.bedrooms.confusion import Confusion
from unit59.bedrooms.inputs import HELD_OUT, TRAINED, label_maps, pictures
from unit59.bedrooms.scenes import Scenes, draw
from unit59.bedrooms.segmenter import UNet
from unit59.foundation.files import write_atomically
from unit59.segmenters.base import Segmenter
from unit59.training.augment import augment
from unit59.training.checkpoint import joined, separated
from unit59.training.memory import arrange, channels_last
from unit59.training.optimiser import Adam
from unit59.training.randomness import generator, stream
from unit59.training.recipe import SegmenterRecipe


class SegmenterTrainer:
    """The U-Net in training.

    Args:
        recipe: how.
        device: where.
    """

    def __init__(self, recipe: SegmenterRecipe, device: str) -> None:
        self.recipe, self.device = recipe, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(recipe.seed, "segmenter"))
            self._network = UNet().to(device)
        arrange(self._network)
        self._adam = Adam(dict(self._network.named_parameters()), recipe.rate, (0.9, 0.99))

    @property
    def steps(self) -> int:
        """How many steps the recipe takes."""
        return -(-self.recipe.images // self.recipe.batch)

    def step(self, number: int) -> dict[str, float]:
        """Train on one batch; the learning rate falls to zero along half a cosine."""
        batch = self.recipe.batch
        scenes = draw(range(number * batch, (number + 1) * batch), TRAINED)
        images = augment(pictures(scenes), generator(self.recipe.seed, "augment", number))
        wanted = torch.from_numpy(scenes.labels).long().to(self.device) - 1
        self._network.train()
        scores = self._network(channels_last(images.to(self.device)))
        loss = F.cross_entropy(scores, wanted)
        self._adam.scale_rate(self.recipe.rate * (1 + math.cos(math.pi * number / self.steps)) / 2)
        self._adam.step(loss)
        right = (scores.argmax(dim=1) == wanted).float().mean()
        return {"images": (number + 1) * batch, "batch": batch, "loss": loss.item(), "right": right.item()}

    def export(self, path: Path) -> None:
        """Write the weights for `unit59.bedrooms.segmenter.Bedrooms`."""
        tensors = {name: tensor.contiguous().cpu() for name, tensor in self._network.state_dict().items()}
        write_atomically(path, save(tensors, {"licence": "MIT"}))

    def sheet(self, number: int, count: int) -> Tensor:
        """Augmented scenes and, in the row below each, what the network says."""
        random = generator(self.recipe.seed, "sheet")
        scenes = draw(range(count // 2), HELD_OUT)
        images = augment(pictures(scenes), random)
        self._network.eval()
        with torch.no_grad():
            said = self._network(images.to(self.device)).argmax(dim=1).cpu()
        shown = label_maps(Scenes(scenes.pictures, (said + 1).numpy().astype(np.uint8)))
        rows = zip(torch.split(images, 10), torch.split(shown, 10), strict=True)
        return torch.cat([row for pair in rows for row in pair])

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a later process needs to go on."""
        return joined(network=self._network.state_dict(), adam=self._adam.state())

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from `tensors`."""
        parts = separated(tensors)
        self._network.load_state_dict(parts["network"])
        self._adam.load(parts["adam"])


def accuracy(segmenter: Segmenter, count: int, *, augmented: bool = False) -> dict[str, float]:
    """Intersection over union per concept over `count` held-out scenes, and their ``mean``.

    Args:
        segmenter: of the drawn bedrooms' concepts.
        count: scenes.
        augmented: whether they are blurred, recoloured and so on as in training.
    """
    counts = Confusion(NAMES)
    for first in range(0, count, 50):
        scenes = draw(range(first, min(first + 50, count)), HELD_OUT)
        images = pictures(scenes)
        if augmented:
            images = augment(images, generator(HELD_OUT, "accuracy", first))
        counts.add(scenes.labels, segmenter.segment(images)[:, 0].numpy())
    return counts.iou()
