"""Networks built by hand, in which the truth is known: what each unit draws, alone or with others.

Whatever claims to find causes has to find these. A planted network draws *things*: flat bars in colours of
their own, each in a band of rows that it has to itself, present or not, of varying place and length, all by
the latent code. Its two layers hold maps of one size: the units of ``layer1`` as planted, and in ``layer2``
one unit a thing, which the thing's rule makes of them. `tests.planted.segmenter` names its pixels without
error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from tests.planted.things import BACKGROUND, THINGS, Thing
from unit59.foundation.random import normal_draw
from unit59.networks.base import Batch, Layer, Stage, State, edited, noise_seeds
from unit59.networks.sampling import Noisy
from unit59.networks.styled import OutputStyles

#: Edge of the maps in cells; a cell is `CELL` x `CELL` pixels of the picture.
SIDE, CELL = 16, 2
#: Shortest and longest bar, in cells.
SHORTEST, LONGEST = 3, 8
#: Largest deviation that noise puts on a picture is about 4 of these; colours are far further apart.
NOISE = 0.01


class Planted(OutputStyles):
    """A network that draws `things`.

    Args:
        things: at most `SIDE` / 2, see `Thing`.
        units: of ``layer1``; those that no thing uses fire at random places.
        fixed: units that fire at one place in every sample: {unit: (row, column)}.
    """

    family = "planted"
    rows_apart = True
    SAMPLING = Noisy

    def __init__(
        self,
        things: Sequence[Thing] = THINGS,
        units: int = 32,
        fixed: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        self.things, self.units = tuple(things), units
        self.fixed = {0: (1, 1)} if fixed is None else dict(fixed)
        self.latent_size = 3 * len(self.things)
        self.resolution = (SIDE * CELL, SIDE * CELL)
        self.noise_const: Tensor
        self.register_buffer("noise_const", torch.from_numpy(normal_draw(0, 0, (1, 1, *self.resolution))))
        self._colours: Tensor
        self.register_buffer("_colours", torch.tensor([thing.colour for thing in self.things]))
        band = SIDE // len(self.things)
        rows = torch.arange(SIDE)[None, :, None].expand(len(self.things), SIDE, SIDE) // band
        self.bands: Tensor
        self.register_buffer("bands", rows == torch.arange(len(self.things))[:, None, None])

    def describe(self) -> Iterable[Layer]:
        """The planted layer, and the one behind it."""
        yield Layer("layer1", 0, self.units, SIDE, SIDE, "planted")
        yield Layer("layer2", 1, len(self.things), SIDE, SIDE, "things")

    @property
    def styled(self) -> Collection[str]:
        """The planted layer."""
        return ["layer1"]

    def stages(self) -> Sequence[Stage]:
        """Units, things, picture."""
        return [
            Stage("layer1", self._fire),
            Stage("layer2", self._combine),
            Stage("output", self._paint, layer=False),
        ]

    def start(self, batch: Batch) -> State:
        """Where each thing is meant to be, neutral styles as in StyleGAN, and noise for the picture."""
        inputs = batch.inputs
        seeds = noise_seeds(batch.noise, len(inputs))
        drawn = self.noise_const if batch.noise == "const" else torch.zeros_like(self.noise_const)
        if seeds is not None:
            drawn = torch.cat(
                [torch.from_numpy(normal_draw(seed, 0, self.noise_const.shape)) for seed in seeds]
            ).to(inputs.device)
        styles = (inputs.new_zeros(len(inputs), 2, self.units),)
        return {"scene": self.scene(inputs), "styles": styles, "noise": drawn, "z": inputs}

    def scene(self, inputs: Tensor) -> Tensor:
        """Where each thing is meant to be: {0,1} [N,things,SIDE,SIDE], from codes [N,latent_size]."""
        shows, place, length = torch.special.ndtr(inputs.double()).view(len(inputs), -1, 3).unbind(2)
        chance = shows.new_tensor([thing.chance for thing in self.things])
        cells = SHORTEST + (length * (LONGEST - SHORTEST + 1)).long().clamp(max=LONGEST - SHORTEST)
        first = (place * (SIDE - cells + 1)).long()
        column = torch.arange(SIDE, device=inputs.device)
        bar = (column >= first[..., None]) & (column < (first + cells)[..., None])
        drawn = bar[:, :, None, :] & self.bands & (shows < chance)[..., None, None]
        scene: Tensor = drawn.to(inputs.dtype)
        return scene

    def _fire(self, state: State) -> State:
        scene, z = state["scene"], state["z"]
        x = scene.new_zeros(len(scene), self.units, SIDE, SIDE)
        used = {unit for thing in self.things for unit in thing.units}
        for unit in range(self.units):
            if unit in self.fixed:
                x[:, unit, self.fixed[unit][0], self.fixed[unit][1]] = 1.0
            elif unit not in used:
                cell = (z[:, unit % z.shape[1]].abs() * 997 * (unit + 1)).long() % (SIDE * SIDE)
                x[:, unit].view(len(x), -1).scatter_(1, cell[:, None], 1.0)
        for index, thing in enumerate(self.things):
            for unit in thing.units:
                if thing.rule == "remote":
                    x[:, unit, -1, -1] = scene[:, index].amax(dim=(1, 2))
                else:
                    x[:, unit] = scene[:, index]
        scale, offset = state["styles"][0][:, :, :, None, None].unbind(dim=1)
        return edited(state, x * (scale + 1) + offset)

    def _combine(self, state: State) -> State:
        x, made = state["x"], []
        for index, thing in enumerate(self.things):
            own, meant = x[:, list(thing.units)], state["scene"][:, index]
            if thing.rule == "remote":
                made.append(own.amax(dim=(1, 2, 3))[:, None, None] * meant)
            elif thing.rule == "free":
                made.append(meant)
            elif thing.rule == "mean":
                made.append(own.mean(dim=1) * self.bands[index])
            else:
                joined = own.amax(dim=1) if thing.rule == "any" else own.amin(dim=1)
                made.append(joined * self.bands[index])
        return edited(state, torch.stack(made, dim=1))

    def _paint(self, state: State) -> State:
        cover = (state["x"] * self.bands).clamp(0, 1)  # [N,things,SIDE,SIDE]; bands do not overlap
        free = torch.tensor([thing.rule == "free" for thing in self.things], device=cover.device)
        cover = torch.where(free[:, None, None], state["scene"], cover)
        background = cover.new_tensor(BACKGROUND)
        cells = torch.einsum("nthw,tc->nchw", cover, self._colours - background)
        image = (background[:, None, None] + cells).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3)
        return {**state, "image": image + NOISE * state["noise"]}
