"""Real pictures by number, for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from unit59.bedrooms.inputs import TRAINED, label_maps, pictures
from unit59.bedrooms.scenes import draw
from unit59.foundation.sources import InputError
from unit59.samples.forms import load_inputs
from unit59.samples.inputs import Inputs, Pairs
from unit59.samples.label_maps import SegmentedPictures
from unit59.training.randomness import generator


class Data(Protocol):
    """Pictures without an end: number i, for any i."""

    def load(self, numbers: Sequence[int]) -> Tensor:
        """float32 [N,3,S,S] in [-1,1]."""


class PairedData(Protocol):
    """Pairs without an end."""

    def pairs(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """What the network is given and what it should make, float32 [N,3,S,S] each, in [-1,1]."""


class BedroomScenes:
    """The drawn bedrooms: every number is another scene.

    Args:
        size: edge of the pictures.
        seed: of the world.
    """

    def __init__(self, size: int, seed: int = TRAINED) -> None:
        self.size, self.seed = size, seed

    def load(self, numbers: Sequence[int]) -> Tensor:
        """See `Data.load`."""
        return pictures(draw(numbers, self.seed, self.size))

    def pairs(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Label maps in the concepts' colours, and the scenes; see `PairedData.pairs`."""
        scenes = draw(numbers, self.seed, self.size)
        return label_maps(scenes), pictures(scenes)


class Own:
    """A user's pictures, round after round, each round in another order.

    Args:
        inputs: what `unit59.samples.inputs.load_inputs` opened.
        seed: of the order.
    """

    def __init__(self, inputs: Inputs, seed: int) -> None:
        self.inputs, self.seed = inputs, seed

    def load(self, numbers: Sequence[int]) -> Tensor:
        """See `Data.load`."""
        return self.inputs.load(self._shuffled(numbers))

    def pairs(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """See `PairedData.pairs`."""
        if not isinstance(self.inputs, Pairs | SegmentedPictures):
            what = "name `pairs:`, `labels:` and `images:`, or `segmented:` and `by:`"
            raise InputError(f"data: pix2pix trains on pairs: {what}.")
        chosen = self._shuffled(numbers)
        return self.inputs.load(chosen), self.inputs.wanted.load(chosen)

    def _shuffled(self, numbers: Sequence[int]) -> list[int]:
        size = len(self.inputs)
        rounds = {number // size for number in numbers}
        order = {r: torch.randperm(size, generator=generator(self.seed, "order", r)).tolist() for r in rounds}
        return [order[number // size][number % size] for number in numbers]


def open_data(spec: Any, base: Path, size: int, seed: int) -> BedroomScenes | Own:
    """What a training recipe names under ``data``.

    Args:
        spec: ``bedrooms``, or pictures as under ``inputs`` of a recipe.
        base: the folder that relative paths start from.
        size: edge of the pictures.
        seed: of the recipe.

    Raises:
        InputError: nothing to read there.
    """
    return BedroomScenes(size) if spec == "bedrooms" else Own(load_inputs(spec, base, (size, size)), seed)
