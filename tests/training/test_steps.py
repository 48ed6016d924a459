"""One step at a time: gradients, averages, penalties, the optimiser, and that losses go the right way."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.training.tiny import Random
from unit59.training.data import BedroomScenes
from unit59.training.gan import GanTrainer, losses
from unit59.training.growth import moment
from unit59.training.optimiser import Adam
from unit59.training.pix2pix import Pix2PixTrainer
from unit59.training.recipe import GanRecipe, Pix2PixRecipe


def trainer(family: str = "stylegan", **more: Any) -> GanTrainer:
    settings = {
        "name": "tiny",
        "family": family,
        "channels": [6, 5],
        "critic_channels": [4, 4],
        "latent": 5,
        "phases": [{"side": 8, "images": 10_000, "batch": 4}],
    }
    recipe = GanRecipe.model_validate(settings | more)
    return GanTrainer(recipe, Random(8), "cpu")  # type: ignore[arg-type]  # numbers are ranges here


@pytest.mark.parametrize("family", ["stylegan", "progan"])
def test_a_step_reaches_every_weight(family: str) -> None:
    made = trainer(family)
    before = {name: tensor.detach().clone() for name, tensor in made.raw.items()}
    for number in range(3):  # the first gives the output colours, the second the rest
        made.step(number)
    for name, tensor in made.raw.items():
        still = name.endswith(".noise") or name.startswith("output.4.")
        assert torch.equal(before[name], tensor) == still, name


def test_the_average_follows_at_its_half_life() -> None:
    made = trainer(half_life=4)
    name = "output.8.bias"
    expected = made.average[name].clone()
    for number in range(3):
        made.step(number)
        half_life = min(4.0, 0.05 * 4 * (number + 1))
        expected = expected.lerp(made.raw[name].detach(), 1 - 0.5 ** (4 / half_life))
    assert torch.allclose(made.average[name], expected)


def test_the_penalty_is_the_squared_slope_at_real_pictures() -> None:
    phase = {"side": 8, "images": 400, "batch": 4, "penalty": 3.0}
    made = trainer(phases=[phase])
    real = made.data.load(range(4))
    expected = 0.0
    step = 1e-2
    for index in range(4):  # central differences, one number at a time, in double precision
        critic = made.critic.double()
        picture = real.double().clone()
        slope = []
        for flat in range(picture[index].numel()):
            values = []
            for sign in (1, -1):
                moved = picture.clone()
                moved[index].view(-1)[flat] += sign * step
                values.append(critic(moved).sum().item())
            slope.append((values[0] - values[1]) / (2 * step))
        expected += sum(value**2 for value in slope) / 4
    found = made._penalty(real.double(), moment(made.recipe.phases, 0)).item()
    assert found == pytest.approx(3.0 / 2 * expected, rel=0.05)


def test_relativistic_losses_compare_pairs() -> None:
    fake, real = torch.tensor([0.5, -1.0, 3.0]), torch.tensor([1.0, 2.0, -0.5])
    shown = [(f, r) for f, r in zip(fake.tolist(), real.tolist(), strict=True)]
    generator_loss, critic_loss = losses("relativistic", fake, real)
    assert generator_loss.item() == pytest.approx(sum(math.log(1 + math.exp(r - f)) for f, r in shown) / 3)
    assert critic_loss.item() == pytest.approx(sum(math.log(1 + math.exp(f - r)) for f, r in shown) / 3)


def test_relativistic_training_penalises_generated_pictures_too() -> None:
    phase = {"side": 8, "images": 400, "batch": 4, "penalty": 3.0}
    plain, paired = (trainer(phases=[phase], loss=loss) for loss in ("logistic", "relativistic"))
    real, now = plain.data.load(range(4)), moment(plain.recipe.phases, 0)
    fake = plain._make(now, 0)
    r1, r2 = plain._penalty(real, now), plain._penalty(fake, now)
    assert r2 > 0
    assert torch.equal(plain._penalties(real, fake, now), r1)
    assert torch.equal(paired._penalties(real, fake, now), r1 + r2)
    assert all(math.isfinite(value) for value in paired.step(0).values())


def test_every_step_is_repeatable_and_its_own() -> None:
    first, second = trainer(), trainer()
    assert first.step(7) == second.step(7)
    assert first.step(8) != second.step(9)


def test_the_critic_learns_to_tell_them_apart() -> None:
    made = trainer(rate=0.03, phases=[{"side": 8, "images": 400, "batch": 4, "penalty": 0}])
    made._generator_adam.scale_rate(0)
    scores = [made.step(number) for number in range(40)]
    assert scores[-1]["real_score"] - scores[-1]["fake_score"] > 0.3


def test_bfloat16() -> None:
    made = trainer(precision="bfloat16")
    losses = made.step(1)
    assert abs(losses["critic_loss"] - trainer().step(1)["critic_loss"]) < 0.05


def test_adam_is_torchs() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.randn(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    theirs.data.copy_(ours.data)
    adam, reference = Adam({"x": ours}, 0.1, (0.5, 0.9)), torch.optim.Adam([theirs], 0.1, (0.5, 0.9))
    for _ in range(3):
        adam.step(ours.square().sum())
        (theirs.grad,) = torch.autograd.grad(theirs.square().sum(), theirs)
        reference.step()
    assert torch.equal(ours, theirs)
    other = torch.zeros(4, requires_grad=True)
    resumed = Adam({"x": other}, 0.1, (0.5, 0.9))
    other.data.copy_(ours.data)
    resumed.load(adam.state())
    adam.step(ours.square().sum())
    resumed.step(other.square().sum())
    assert torch.equal(ours, other)


def test_pix2pix_learns_what_it_is_shown() -> None:
    recipe = Pix2PixRecipe(
        name="tiny", family="pix2pix", channels=4, critic_channels=2, images=240, batch=4, rate=0.003
    )
    made = Pix2PixTrainer(recipe, BedroomScenes(64), "cpu")
    losses = [made.step(number)["l1"] for number in range(made.steps)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
