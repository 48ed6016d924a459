"""Training pix2pix (Isola et al. 2017): a U-Net and a PatchGAN, adversarial loss plus L1.

The network class is the one that loads published files, here with instance norm: for a batch of one picture,
as the authors train, it is what their batch norm does.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from unit59.networks.base import Network
from unit59.networks.files import save
from unit59.networks.pix2pix import Pix2Pix, Pix2PixSettings
from unit59.networks.weights import Weights
from unit59.training.checkpoint import joined, separated
from unit59.training.data import PairedData
from unit59.training.optimiser import Adam
from unit59.training.randomness import generator, stream
from unit59.training.recipe import Pix2PixRecipe

#: Standard deviation of the weights at the start (their appendix 6.2).
SPREAD = 0.02


class Pix2PixTrainer:
    """A U-Net in training.

    Args:
        recipe: what to train.
        data: label maps and pictures.
        device: where.
    """

    def __init__(self, recipe: Pix2PixRecipe, data: PairedData, device: str) -> None:
        self.recipe, self.data, self.device = recipe, data, device
        random = generator(recipe.seed, "generator")
        self.weights = {name: tensor.to(device) for name, tensor in _fresh(recipe, random).items()}
        self._frame = _Caller(self._network("official-test")).to(device)
        for tensor in self.weights.values():
            tensor.requires_grad_()
        self.critic = PatchCritic(recipe.critic_channels, generator(recipe.seed, "critic")).to(device)
        betas = (0.5, 0.999)
        self._generator_adam = Adam(self.weights, recipe.rate, betas)
        self._critic_adam = Adam(dict(self.critic.named_parameters()), recipe.rate, betas)

    @property
    def steps(self) -> int:
        """How many steps the recipe takes."""
        return -(-self.recipe.images // self.recipe.batch)

    def step(self, number: int) -> dict[str, float]:
        """Train on one batch; in the second half the learning rate falls to zero in a line."""
        batch = self.recipe.batch
        for adam in (self._generator_adam, self._critic_adam):
            adam.scale_rate(self.recipe.rate * min(1.0, 2 * (1 - number / self.steps)))
        pair = self.data.pairs(range(number * batch, (number + 1) * batch))
        given, real = (part.to(self.device) for part in pair)
        made = self._make(given, number)
        shown = made.detach().requires_grad_()
        fake_scores, real_scores = self.critic(given, shown), self.critic(given, real)
        critic_loss = (F.softplus(fake_scores).mean() + F.softplus(-real_scores).mean()) / 2
        generator_loss = F.softplus(-fake_scores).mean()
        difference = F.l1_loss(shown, real)
        # One pass of the critic serves both losses: its slope at the pictures leads on into the generator.
        (wanted,) = torch.autograd.grad(
            generator_loss + self.recipe.l1 * difference, shown, retain_graph=True
        )
        self._critic_adam.step(critic_loss)
        self._generator_adam.step(made, wanted)
        return {
            "images": (number + 1) * batch,
            "batch": batch,
            "generator_loss": generator_loss.item(),
            "critic_loss": critic_loss.item(),
            "l1": difference.item(),
        }

    def export(self, path: Path) -> None:
        """Write the network for `unit59.networks.load`."""
        save(self._network("eval"), path)

    def sheet(self, number: int, count: int) -> Tensor:
        """Rows of what is given, what is made of it, and the real picture."""
        columns = 10
        given, real = self.data.pairs(range(10**9, 10**9 + columns * (count // (3 * columns))))
        made = self._network("eval").to(self.device).generate(given.to(self.device)).cpu()
        rows = zip(*(torch.split(part, columns) for part in (given, made, real)), strict=True)
        return torch.cat([part for row in rows for part in row])

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a later process needs to go on."""
        return joined(
            weights=self.weights,
            critic=self.critic.state_dict(),
            generator_adam=self._generator_adam.state(),
            critic_adam=self._critic_adam.state(),
        )

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from `tensors`."""
        parts = separated(tensors)
        with torch.no_grad():
            for name, tensor in self.weights.items():
                tensor.copy_(parts["weights"][name])
        self.critic.load_state_dict(parts["critic"])
        self._generator_adam.load(parts["generator_adam"])
        self._critic_adam.load(parts["critic_adam"])

    def _make(self, given: Tensor, number: int) -> Tensor:
        """Pictures, by way of the network class, with gradients to the weights; dropout is on."""
        named = {f"network.{name}": tensor for name, tensor in self.weights.items()}
        made: Tensor = functional_call(
            self._frame, named, (given, stream(self.recipe.seed, "dropout", number))
        )
        return made

    def _network(self, mode: str) -> Pix2Pix:
        settings = Pix2PixSettings.model_validate(
            {"levels": self.recipe.levels, "norm": "instance", "mode": mode, "dropout": self.recipe.dropout}
        )
        return Pix2Pix(settings, Weights({name: tensor.detach() for name, tensor in self.weights.items()}))


class PatchCritic(nn.Module):
    """Scores of overlapping patches of a picture together with what it was made from.

    Args:
        channels: units of its first layer.
        random: draws the weights.
    """

    def __init__(self, channels: int, random: torch.Generator) -> None:
        super().__init__()
        units = (6, channels, 2 * channels, 4 * channels)
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(pairwise(units)):
            stride = 2 if index < 2 else 1
            layers.append(nn.Conv2d(inputs, outputs, 4, stride, 1))
            if index:
                layers.append(nn.InstanceNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, nn.Conv2d(units[-1], 1, 4, 1, 1))
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0, SPREAD, generator=random)
                else:
                    parameter.zero_()

    def forward(self, given: Tensor, picture: Tensor) -> Tensor:
        """[N,3,H,W] twice -> [N,1,h,w]."""
        scores: Tensor = self.layers(torch.cat([given, picture], dim=1))
        return scores


def _fresh(recipe: Pix2PixRecipe, random: torch.Generator) -> dict[str, Tensor]:
    """Weights N(0, 0.02) under the official names: see `unit59.networks.pix2pix`."""
    levels, widest = recipe.levels, recipe.channels * recipe.widest
    units = [min(recipe.channels * 2**level, widest) for level in range(levels)]
    made: dict[str, Tensor] = {}

    def add(path: str, shape: tuple[int, int], outputs: int) -> None:
        made[f"{path}.weight"] = SPREAD * torch.randn(*shape, 4, 4, generator=random)
        made[f"{path}.bias"] = torch.zeros(outputs)

    block = "model"
    for level in range(levels):
        inputs, own = (units[level - 1] if level else 3), units[level]
        outermost, innermost = level == 0, level == levels - 1
        outputs = inputs if level else 3
        add(f"{block}.model.{0 if outermost else 1}", (own, inputs), own)
        place = 3 if outermost or innermost else 5
        add(f"{block}.model.{place}", (own if innermost else 2 * own, outputs), outputs)
        block += ".model.1" if outermost else ".model.3"
    return made


class _Caller(nn.Module):
    """`functional_call` replaces a module's tensors during its forward pass: this one runs the network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, given: Tensor, seed: int) -> Tensor:
        image: Tensor = self.network.run(self.network.start(self.network.batch(given, noise=seed)))["image"]
        return image
