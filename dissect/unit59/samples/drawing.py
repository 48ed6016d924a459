"""Numbered samples: a network run on latent codes, classes and noise that a sample's number gives.

Sample i is the same picture whatever the batch, the shard or the interruption: everything that it is made
of comes from (seed, i) alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unit59.foundation.random import normal_draw, seed_of_sample
from unit59.networks import Batch, Network, Sampling, State
from unit59.networks.base import Noise
from unit59.samples.inputs import Inputs
from unit59.samples.transfer import to_device


class Sampler:
    """Runs a network on numbered samples.

    Args:
        network: the generator.
        seed: everything random derives from it and a sample's number.
        sampling: the knobs of the network's family; None is their defaults.
        inputs: what a picture-to-picture network is given.
        device: where it runs.
    """

    def __init__(
        self,
        network: Network,
        seed: int,
        sampling: Sampling | None = None,
        inputs: Inputs | None = None,
        device: str = "cpu",
    ) -> None:
        self.network, self.seed, self.inputs, self.device = network, seed, inputs, device
        self.sampling = network.SAMPLING() if sampling is None else sampling

    def start(self, numbers: Sequence[int], noise: Noise | None = None) -> State:
        """The network's state before its first stage, for the numbered samples.

        Args:
            numbers: of the samples.
            noise: other noise inputs than the samples' own.
        """
        if self.inputs is None:
            latents = np.stack([self._draw(i, "latent", self.network.latent_size) for i in numbers])
            given = torch.from_numpy(latents)
        else:
            given = self.inputs.load(numbers)
        own = self.sampling.noise_inputs([seed_of_sample(self.seed, "noise", i) for i in numbers])
        return self.network.start(
            Batch(
                to_device(given, self.device),
                self._labels(numbers),
                own if noise is None else noise,
                self.sampling,
            )
        )

    def _labels(self, numbers: Sequence[int]) -> Tensor | None:
        size = self.network.label_size
        if not size:
            return None
        drawn = [int(np.argmax(self._draw(i, "class", size))) for i in numbers]
        classes = torch.tensor(list(self.sampling.classes(drawn)), device=self.device)
        return F.one_hot(classes, size).float()

    def _draw(self, number: int, part: str, size: int) -> NDArray[np.float32]:
        return normal_draw(seed_of_sample(self.seed, part, number), number, (size,))
