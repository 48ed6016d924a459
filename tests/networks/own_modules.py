"""Modules as users write them, for the tests of `unit59.networks.own`."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from tests.planted.network import Planted
from unit59.networks import Batch, Network, State
from unit59.networks.sampling import Noisy


class Skipping(nn.Module):
    """In-place activations, a skip connection that is changed in place, and a random draw."""

    latent_size = 6

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.ConvTranspose2d(6, 5, 4)
        self.second = nn.Conv2d(5, 5, 3, padding=1)
        self.unused = nn.Conv2d(1, 1, 1)
        self.third = nn.Conv2d(10, 4, 3, padding=1)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.rgb = nn.Conv2d(4, 3, 1)
        self.relu = nn.LeakyReLU(0.2, inplace=True)
        self.dropout = nn.Dropout(0.5)

    def forward(self, z: Tensor) -> Tensor:
        skip = self.relu(self.first(z[:, :, None, None]))
        x = self.relu(self.second(skip))
        skip.mul_(0.5).add_(torch.randn(skip.shape[1:]))
        x = self.relu(self.third(torch.cat([x, skip], 1)))
        x = self.dropout(self.twice(self.twice(x)))
        image: Tensor = torch.tanh_(self.rgb(x))
        return image


class Conditional(nn.Module):
    """A picture and a label in, a grey picture out."""

    image_size = (8, 10)
    label_size = 2
    layers = ("body.0",)

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 1))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        image: Tensor = self.body(x) + labels.sum(1).view(-1, 1, 1, 1)
        return image


class Dimmer(Noisy):
    """A knob of its own beside one that other families have."""

    light: Annotated[float, Field(gt=0, le=1)] = 1.0
    """How bright the pictures are."""

    def words(self, network: Network) -> dict[str, str]:
        return {**super().words(network), "light": f"{self.light:.0%}"}


class Dimmed(Planted):
    """A family of its own."""

    family = "dimmed"
    SAMPLING = Dimmer

    def start(self, batch: Batch) -> State:
        return {**super().start(batch), "light": batch.knobs(Dimmer).light}

    def _paint(self, state: State) -> State:
        state = super()._paint(state)
        return {**state, "image": (state["image"] + 1) * state["light"] - 1}


def without_a_size() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 3, 1))


def no_module() -> int:
    return 5


def failing() -> nn.Module:
    raise RuntimeError("no weights here")


def flat() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4))


text = "not callable"
