"""Noise: does a StyleGAN's picture vary more over noise draws as units go silent, and by which mechanism?

StyleGAN adds noise to every layer before its nonlinearity and normalises the result. A map that gets less
from the silent units in front of it, and its noise as before, is rescaled to unit variance: the noise grows.
Whether that is what happens is measured, by taking the noise away, or the rescaling.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from unit59.edit.edits import set_units
from unit59.foundation.suggest import nearest
from unit59.networks import Network
from unit59.samples.cache import GROUP, key_of
from unit59.studies.base import Dissected, Study, StudyError
from unit59.studies.noise.cases import HALF, Case, Removed
from unit59.studies.noise.draws import levels, measure_sample, networks_without
from unit59.studies.noise.maps import NoiseMaps
from unit59.studies.noise.numbers import NoiseNumbers, facts_of
from unit59.studies.noise.tell import tell
from unit59.studies.tables import Report, Tables

#: Samples on the strips.
SHOWN = 6

Share = Annotated[float, Field(gt=0, le=1)]


class Noise(Study):
    """Switch off more and more units of each layer; measure how much the picture varies over noise draws."""

    version: ClassVar[int] = 1

    samples: Annotated[int, Field(ge=4, le=100_000)] = 16
    """How many, from the first on."""
    draws: Annotated[int, Field(ge=2, le=64)] = 4
    """Noise draws of each sample."""
    shares: Annotated[tuple[Share, ...], Field(max_length=32)] = (
        1 / 64,
        1 / 16,
        1 / 4,
        1 / 2,
        3 / 4,
        7 / 8,
        1,
    )
    """Shares of a layer's units that are switched off; none, half and all always are."""
    layers: list[str] | Literal["all"] = "all"
    """Which layers."""

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        if not network.noise_layers:
            raise StudyError(
                "noise is a study of networks with noise inputs, StyleGAN and StyleGAN2; this "
                f"{network.family} has none. Take it out of `studies:`."
            )
        for layer in self.layers if self.layers != "all" else []:
            if layer not in layers:
                raise StudyError(
                    f"noise: {layer!r} is none of the dissected layers{nearest(layer, layers)} "
                    f"These are {', '.join(layers)}."
                )

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        layers = [name for name in model.layers if self.layers == "all" or name in self.layers]
        numbers = list(range(min(self.samples, model.material.cache.samples)))
        cases = {layer: self._cases(model.network, layer) for layer in layers}
        with model.step("noise", len(layers) * len(numbers), "samples") as advance:
            values = {}
            for layer in layers:
                values[layer] = self._measure(model, layer, cases[layer], numbers)
                advance(len(numbers))
        found = NoiseNumbers(
            cases=cases,
            values=values,
            units={layer: model.network.layers[layer].units for layer in layers},
            draws=self.draws,
            seed=model.seed,
        )
        maps = self._maps(model, found.noisiest, numbers[:SHOWN])
        return Tables(
            {name: table for name, table in found.tables().items() if not table.is_empty()},
            facts_of(found, maps.facts(), model.network.family).model_dump(mode="json"),
            maps.strips(),
        )

    def tell(self, tables: Tables) -> Report:
        """See `unit59.studies.noise.tell`."""
        return tell(tables)

    def _cases(self, network: Network, layer: str) -> list[Case]:
        units = network.layers[layer].units
        off = {share: max(1, int(share * units + 0.5)) for share in sorted({*self.shares, HALF, 1.0})}
        removed: list[Removed] = ["nothing", "noise behind", "noise inside"]
        if network.normalises:
            removed.append("rescaling")
        return [
            Case(what, order, share, count)
            for what in removed
            for order in (("random", "agreement", "activation") if what == "nothing" else ("random",))
            for share, count in {0.0: 0, **off}.items()
        ]

    def _measure(
        self, model: Dissected, layer: str, cases: list[Case], numbers: list[int]
    ) -> NDArray[np.float64]:
        """See `measure_sample`: [samples,cases,3], kept in the cache."""
        material, network = model.material, model.network
        activities = material.measurer.activities(layer)
        orders = {
            "agreement": _first(material.agreement(layer).max(axis=1)),
            "activation": _first(activities.activity.mean.double().cpu().numpy()),
        }
        wanted = {case.removed for case in cases}

        def count() -> dict[str, Any]:
            rows = []
            for number in numbers:
                states = networks_without(
                    material.cache.sampler, layer, number, self._seeds(model, number), wanted
                )
                own = {**orders, "random": self._random_order(model, layer, number)}
                rows.append(measure_sample(network, layer, states, cases, own))
            return {"values": np.stack(rows)}

        key = key_of(
            study="noise",
            version=self.version,
            levels=activities.key,
            labels=material.labels_key,
            cases=[vars(case) for case in cases],
            draws=self.draws,
            numbers=numbers,
            seed=model.seed,
        )
        found: NDArray[np.float64] = material.measurer.remember(f"noise-{layer}", key, count)["values"]
        return found

    def _seeds(self, model: Dissected, number: int, draws: int | None = None) -> list[int]:
        drawn = model.random(number).integers(0, 2**62, draws or self.draws)
        return [int(seed) for seed in drawn]

    def _random_order(self, model: Dissected, layer: str, number: int) -> list[int]:
        """Each sample draws one of its own, so that the mean over samples is one over orders too."""
        place, units = model.network.layers[layer].number + 1, model.network.layers[layer].units
        return [int(unit) for unit in model.random((place << 20) + number).permutation(units)]

    @torch.no_grad()
    def _maps(self, model: Dissected, layer: str, numbers: list[int]) -> NoiseMaps:
        """Pictures of the first draw, and each pixel's deviation over draws, with more and more units off."""
        network = model.network
        units = network.layers[layer].units
        steps = sorted({0, max(1, units // 8), max(1, units // 2), units})
        pictures, deviations = [], []
        for off in steps:
            first, spread = [], []
            for number in numbers:
                seeds = self._seeds(model, number, GROUP)
                state = networks_without(model.material.cache.sampler, layer, number, seeds, ())["nothing"]
                x = set_units(state["x"], self._random_order(model, layer, number)[:off], 0.0)
                image = network.run({**state, "x": x}, after=layer)["image"]
                first.append(image[0])
                spread.append(levels(image).var(dim=0).mean(dim=0).sqrt())
            pictures.append(torch.stack(first))
            deviations.append(torch.stack(spread))
        return NoiseMaps(layer, numbers, steps, GROUP, pictures, deviations)


def _first(scores: NDArray[np.float64]) -> list[int]:
    return [int(unit) for unit in np.argsort(-scores, kind="stable")]
