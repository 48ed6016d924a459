"""What a training recipe may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unit59.results.record import Name
from unit59.training.growth import Phase

Units = Annotated[int, Field(ge=1, le=4096)]


class _Training(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: Name
    """Names the folder below the trainings' folder."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 59
    """Everything random derives from this and the step's number."""
    save_seconds: Annotated[float, Field(gt=0)] = 120
    """Seconds between two checkpoints."""
    sheet_every: Annotated[int, Field(ge=1)] = 10_000
    """Pictures shown between two sheets of samples."""

    def settings(self, step: int) -> dict[str, Any]:
        """What the weights after `step` steps depend on: not how often things are saved.

        Defaults are left out, so that an option added later does not part a training from its checkpoint.
        """
        unimportant = {"name", "save_seconds", "sheet_every"}
        return self.model_dump(mode="json", exclude=unimportant, exclude_defaults=True)


class GanRecipe(_Training):
    """A generator that starts from latent codes."""

    data: Any = "bedrooms"
    """`bedrooms` (the bundled world), or pictures as under `inputs:` of a recipe."""

    family: Literal["progan", "stylegan"]
    """The architecture."""
    channels: Annotated[list[Units | tuple[Units, Units]], Field(min_length=2, max_length=9)]
    """Units of the two layers for 4x4, 8x8, … pictures; the list's length gives the size of the pictures."""
    critic_channels: Annotated[list[Units], Field(min_length=2, max_length=9)]
    """Units of the discriminator's blocks for 4x4, 8x8, … pictures."""
    latent: Annotated[int, Field(ge=1, le=4096)] = 128
    """Length of z (and of w)."""
    mapping_rate: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Learning rate of StyleGAN's mapping network, relative to the others'; a short training wants more."""
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.0025
    """Learning rate of Adam."""
    loss: Literal["logistic", "relativistic"] = "logistic"
    """`relativistic` compares pictures in pairs, and adds R2 to R1 (Huang et al. 2024)."""
    penalty_every: Annotated[int, Field(ge=1)] = 16
    """R1 (and R2) is applied at every so many steps, that much stronger (Karras et al. 2020)."""
    half_life: Annotated[int, Field(ge=1)] = 10_000
    """Of the averaged weights, in pictures."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the convolutions; weights and losses are float32 in either case."""
    phases: Annotated[list[Phase], Field(min_length=1)]
    """The sizes in the order they are trained in; the last one goes on to the end."""

    def settings(self, step: int) -> dict[str, Any]:
        """As of every recipe; phases to come do not count, so that their plan may still change."""
        settings, phases = super().settings(step), []
        for phase in self.phases:
            begun = phase.model_dump(mode="json", exclude_defaults=True)
            if step <= phase.steps:
                phases.append(begun | {"images": step * phase.batch})
                break
            phases.append(begun)
            step -= phase.steps
        return settings | {"phases": phases}

    @property
    def side(self) -> int:
        """Edge of the finished pictures."""
        return 1 << (len(self.channels) + 1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.critic_channels) != len(self.channels):
            raise ValueError("critic_channels: as many as channels")
        return self


class Pix2PixRecipe(_Training):
    """A U-Net that makes pictures from pictures, with a PatchGAN."""

    family: Literal["pix2pix"]
    """The architecture."""
    data: Any = "bedrooms"
    """`bedrooms` (label maps and scenes), or pairs as under `inputs:` of a recipe."""
    levels: Annotated[int, Field(ge=2, le=10)] = 6
    """Halvings on the way down: the pictures' edge is two to this power."""
    channels: Annotated[int, Field(ge=1, le=1024)] = 16
    """Units of the first layer; each deeper one has twice as many, up to `widest` times these."""
    widest: Annotated[int, Field(ge=1, le=64)] = 8
    """See `channels`."""
    dropout: bool = True
    """Whether half of the units of the deep levels are dropped while it trains."""
    critic_channels: Annotated[int, Field(ge=1, le=1024)] = 32
    """Units of the discriminator's first layer."""
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.0002
    """Learning rate of Adam."""
    l1: Annotated[float, Field(ge=0)] = 100.0
    """Weight of the mean absolute difference beside the adversarial loss."""
    images: Annotated[int, Field(ge=1)]
    """How many pairs are shown."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 8
    """Pairs a step."""


class SegmenterRecipe(_Training):
    """The segmenter of the drawn bedrooms."""

    family: Literal["segmenter"]
    """A small U-Net; its data are always the drawn bedrooms."""
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.003
    """Learning rate of Adam at the start."""
    images: Annotated[int, Field(ge=1)]
    """How many scenes are shown."""
    batch: Annotated[int, Field(ge=1, le=4096)] = 16
    """Scenes a step."""


TrainingRecipe = GanRecipe | Pix2PixRecipe | SegmenterRecipe
