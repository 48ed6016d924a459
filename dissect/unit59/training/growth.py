"""Growing (Karras et al. 2018, section 3): which size is trained when, and how far its fade-in has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from unit59.networks import Network


class Phase(BaseModel):
    """One size of pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    side: Annotated[int, Field(ge=4, le=1024)]
    """Edge of the pictures, 4, 8, 16, …"""
    images: Annotated[int, Field(ge=1)]
    """How many real pictures are shown in this phase, its fade-in included."""
    fade: Annotated[int, Field(ge=0)] = 0
    """How many of them while the new layers are blended in."""
    batch: Annotated[int, Field(ge=2, le=4096)] = 16
    """Pictures a step."""
    penalty: Annotated[float, Field(ge=0)] = 1.0
    """Gamma of R1 (and R2); smaller pictures, and larger batches, want less of it."""

    @property
    def steps(self) -> int:
        """How many steps the phase takes."""
        return -(-self.images // self.batch)


@dataclass(frozen=True)
class Moment:
    """Where a step stands.

    Attributes:
        side: edge of the pictures.
        batch: pictures a step.
        alpha: share of the new layers, 1 when they are there for good.
        images: real pictures shown before this step.
        penalty: gamma of R1 (and R2).
    """

    side: int
    batch: int
    alpha: float
    images: int
    penalty: float


def moment(phases: Sequence[Phase], step: int) -> Moment:
    """Where the step (from 0) stands; past the end it is as in the last step."""
    images = 0
    for number, phase in enumerate(phases):
        if step < phase.steps or number == len(phases) - 1:
            shown = step * phase.batch
            alpha = min(1.0, (shown + phase.batch) / phase.fade) if phase.fade and number else 1.0
            return Moment(phase.side, phase.batch, alpha, images + shown, phase.penalty)
        step -= phase.steps
        images += phase.steps * phase.batch
    raise ValueError("no phases")


def shrink(images: Tensor, side: int, alpha: float) -> Tensor:
    """Real pictures [N,3,S,S] as the discriminator sees them: averaged down, blended like the generator's."""
    while images.shape[2] > side:
        images = F.avg_pool2d(images, 2)
    if alpha == 1:
        return images
    coarse = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2)
    return coarse + alpha * (images - coarse)


def grown_image(network: Network, smaller: Network | None, state: dict[str, Tensor], alpha: float) -> Tensor:
    """The picture from a state before the first stage.

    Args:
        network: for the size that is trained.
        smaller: for half that size, with the same layers below; only needed while `alpha` < 1.
        state: `network.start(…)`.
        alpha: see `Moment`.
    """
    if alpha == 1 or smaller is None:
        image: Tensor = network.run(state)["image"]
        return image
    last = list(smaller.layers)[-1]
    below = network.run(state, until=last)
    coarse = F.interpolate(smaller.run(below, after=last)["image"], scale_factor=2)
    fine = network.run(below, after=last)["image"]
    return torch.lerp(coarse, fine, alpha)
