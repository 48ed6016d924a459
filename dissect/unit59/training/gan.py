"""Training Progressive GAN and StyleGAN: two losses, R1 and R2, growing, averaged weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from unit59.networks import Network, State
from unit59.networks.files import save
from unit59.networks.stylegan import StyleGAN
from unit59.training.checkpoint import joined, separated
from unit59.training.critic import GrowingCritic
from unit59.training.data import Data
from unit59.training.growth import Moment, grown_image, moment, shrink
from unit59.training.memory import arrange, channels_last
from unit59.training.optimiser import Adam
from unit59.training.randomness import generator, stream
from unit59.training.recipe import GanRecipe
from unit59.training.weights import Growing, GrowingProGAN, GrowingStyleGAN, Tensors

#: Weight of the newest batch in StyleGAN's average w (Karras et al. 2019, appendix B).
AVERAGE_W = 0.005
#: Share of the samples whose later layers take another w (their section 3.1).
MIXING = 0.9
#: The averaged weights' half-life is this share of the pictures shown so far, up to the recipe's.
RAMP = 0.05


class GanTrainer:
    """One generator in training.

    Args:
        recipe: what to train.
        data: real pictures.
        device: where.
    """

    def __init__(self, recipe: GanRecipe, data: Data, device: str) -> None:
        self.recipe, self.data, self.device = recipe, data, device
        self.growing: Growing = (
            GrowingStyleGAN(recipe.channels, recipe.latent, mapping_rate=recipe.mapping_rate)
            if recipe.family == "stylegan"
            else GrowingProGAN(recipe.channels, recipe.latent)
        )
        self.raw = self._moved(self.growing.fresh(generator(recipe.seed, "generator")))
        self.average = {name: tensor.clone() for name, tensor in self.raw.items()}
        self._trained = [name for name in self.raw if name not in self.growing.fixed]
        for name in self._trained:
            self.raw[name].requires_grad_()
        random = generator(recipe.seed, "critic")
        self.critic = GrowingCritic(recipe.critic_channels, random)
        self.critic.to(device)
        arrange(self.critic)
        betas = (0.0, 0.99)
        self._generator_adam = Adam({name: self.raw[name] for name in self._trained}, recipe.rate, betas)
        self._critic_adam = Adam(dict(self.critic.named_parameters()), recipe.rate, betas)
        self._frames: dict[int, _Frame] = {}

    @property
    def steps(self) -> int:
        """How many steps the recipe takes."""
        return sum(phase.steps for phase in self.recipe.phases)

    def step(self, number: int) -> dict[str, float]:
        """Train on one batch.

        Returns:
            What the log keeps: ``side``, ``alpha``, ``images``, losses and mean scores.
        """
        now = moment(self.recipe.phases, number)
        real = self.data.load(range(now.images, now.images + now.batch)).to(self.device)
        real = channels_last(shrink(real, now.side, now.alpha))
        with self._precision():
            fake = self._make(now, number)
            shown = fake.detach().requires_grad_()
            fake_scores = self.critic(shown, now.alpha)
            real_scores = self.critic(real, now.alpha)
            generator_loss, critic_loss = losses(self.recipe.loss, fake_scores, real_scores)
        # One pass of the critic serves both losses: its slope at the pictures leads on into the generator.
        (wanted,) = torch.autograd.grad(generator_loss, shown, retain_graph=True)
        if number % self.recipe.penalty_every == 0:
            critic_loss = critic_loss + self.recipe.penalty_every * self._penalties(real, fake, now)
        self._critic_adam.step(critic_loss)
        self._generator_adam.step(fake, wanted)
        self._update_average(now)
        return {
            "side": now.side,
            "alpha": round(now.alpha, 4),
            "images": now.images + now.batch,
            "batch": now.batch,
            "generator_loss": generator_loss.item(),
            "critic_loss": critic_loss.item(),
            "real_score": real_scores.float().mean().item(),
            "fake_score": fake_scores.float().mean().item(),
        }

    def network(self, side: int | None = None) -> Network:
        """The generator with averaged weights (for smaller pictures, if wanted)."""
        return self.growing.network(self.average, side or self.growing.side).requires_grad_(False).eval()

    def export(self, path: Path) -> None:
        """Write the finished generator for `unit59.networks.load`."""
        save(self.network(), path)

    def sheet(self, number: int, count: int) -> Tensor:
        """Pictures [count,3,s,s] of the averaged generator, from the same latent codes every time."""
        now = moment(self.recipe.phases, max(number - 1, 0))
        z = torch.randn(count, self.recipe.latent, generator=generator(self.recipe.seed, "sheet"))
        network = self.network(now.side).to(self.device)
        smaller = self.network(now.side // 2).to(self.device) if now.alpha < 1 else None
        start = network.batch(z.to(self.device), noise=0)
        with torch.no_grad():
            return grown_image(network, smaller, network.start(start), now.alpha).cpu()

    # ---- checkpoints

    def tensors(self) -> Tensors:
        """Everything that a later process needs to go on."""
        return joined(
            raw=self.raw,
            average=self.average,
            critic=self.critic.state_dict(),
            generator_adam=self._generator_adam.state(),
            critic_adam=self._critic_adam.state(),
        )

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from `tensors`."""
        parts = separated(tensors)
        with torch.no_grad():
            for name, tensor in self.raw.items():
                tensor.copy_(parts["raw"][name])
                self.average[name].copy_(parts["average"][name])
        self.critic.load_state_dict(parts["critic"])
        self._generator_adam.load(parts["generator_adam"])
        self._critic_adam.load(parts["critic_adam"])

    # ---- parts of a step

    def _make(self, now: Moment, number: int) -> Tensor:
        """A batch of pictures, by way of the network class, with gradients to the raw weights."""
        random = generator(self.recipe.seed, "latent", number)
        z = torch.randn(2, now.batch, self.recipe.latent, generator=random).to(self.device)
        frame = self._frame(now.side)
        smaller = self._frame(now.side // 2) if now.alpha < 1 else None

        def run() -> Tensor:
            network = frame.network
            state = network.start(network.batch(z[0], noise=stream(self.recipe.seed, "noise", number)))
            if isinstance(network, StyleGAN):
                state = self._mixed(network, state, z[1], random)
            return grown_image(network, smaller.network if smaller else None, state, now.alpha)

        pair = nn.ModuleList([frame] if smaller is None else [frame, smaller])
        tensors = {f"0.network.{k}": v for k, v in self.growing.tensors(self.raw, now.side).items()}
        if smaller is not None:
            below = self.growing.tensors(self.raw, now.side // 2)
            tensors |= {f"1.network.{k}": v for k, v in below.items()}
        image: Tensor = functional_call(_Caller(pair), {f"parts.{k}": v for k, v in tensors.items()}, (run,))
        return image

    def _mixed(self, network: StyleGAN, state: State, z: Tensor, random: torch.Generator) -> State:
        """Style mixing, and the running average of w."""
        w: Tensor = state["w"]
        with torch.no_grad():
            mean = w[:, 0].float().mean(dim=0)
            for held in (self.raw, self.average):
                held["w_average"].lerp_(mean, AVERAGE_W)
        layers = w.shape[1]
        cut = torch.randint(1, layers, (len(w),), generator=random)
        kept = torch.rand(len(w), generator=random) >= MIXING
        cut = torch.where(kept, layers, cut).to(w.device)
        later = torch.arange(layers, device=w.device) >= cut[:, None]
        w = torch.where(later[:, :, None], network.start(network.batch(z, noise="none"))["w"], w)
        return {**state, "w": w, "styles": network.styles_from(w)}

    def _penalties(self, real: Tensor, fake: Tensor, now: Moment) -> Tensor:
        """R1, and with the relativistic loss R2 beside it: the same at generated pictures."""
        found = self._penalty(real, now)
        return found + self._penalty(fake, now) if self.recipe.loss == "relativistic" else found

    def _penalty(self, pictures: Tensor, now: Moment) -> Tensor:
        """Half gamma times the squared slope of the scores at the pictures (Mescheder et al. 2018)."""
        pictures = pictures.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(pictures, now.alpha).sum(), pictures, create_graph=True)
        return now.penalty / 2 * slope.square().sum(dim=(1, 2, 3)).mean()

    def _update_average(self, now: Moment) -> None:
        half_life = min(float(self.recipe.half_life), RAMP * (now.images + now.batch))
        keep = 0.5 ** (now.batch / half_life)
        with torch.no_grad():
            for name in self._trained:
                self.average[name].lerp_(self.raw[name], 1 - keep)

    def _frame(self, side: int) -> _Frame:
        """The network class's object for a size; its weights are replaced at every call."""
        if side not in self._frames:
            self._frames[side] = _Frame(self.growing.network(self.raw, side).to(self.device))
        return self._frames[side]

    def _precision(self) -> Any:
        if self.recipe.precision == "float32":
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def _moved(self, tensors: Tensors) -> Tensors:
        return {name: tensor.to(self.device) for name, tensor in tensors.items()}


def losses(kind: str, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """The generator's and the critic's loss from the scores [N] of generated and real pictures.

    ``logistic`` judges each picture alone (Goodfellow et al. 2014, non-saturating); ``relativistic`` asks
    which of a pair, a real and a generated picture, looks more real (Huang et al. 2024, section 2): a
    generator that makes one kind of picture only cannot win against all real ones.
    """
    if kind == "relativistic":
        return F.softplus(real - fake).mean(), F.softplus(fake - real).mean()
    return F.softplus(-fake).mean(), F.softplus(fake).mean() + F.softplus(-real).mean()


class _Frame(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network


class _Caller(nn.Module):
    """`functional_call` replaces a module's tensors during its forward pass: this one runs a function."""

    def __init__(self, parts: nn.ModuleList) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, run: Callable[[], Tensor]) -> Tensor:
        return run()
