"""Noise: does a StyleGAN's picture vary more over noise draws as units go silent, and by which mechanism?

StyleGAN adds noise to every layer before its nonlinearity and normalises the result. A map that gets less
from the silent units in front of it, and its noise as before, is rescaled to unit variance: the noise grows.
Whether that is what happens is measured, by taking the noise away, or the rescaling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from unit59.edit.questions import SampleBatch
from unit59.edit.workbench import Workbench
from unit59.networks import Network
from unit59.results.columns import Schema
from unit59.samples.shards import GROUP
from unit59.studies.base import LayersStudy, StudyError
from unit59.studies.dissected import Dissected
from unit59.studies.noise.cases import HALF, Case, Removed
from unit59.studies.noise.draws import Silenced, Spread, levels
from unit59.studies.noise.maps import NoiseMaps
from unit59.studies.noise.numbers import NoiseNumbers, facts_of
from unit59.studies.noise.tables import SCHEMAS
from unit59.studies.noise.tell import tell
from unit59.studies.part import Cost
from unit59.studies.tables import Report, Tables

#: Samples on the strips.
SHOWN = 6

Share = Annotated[float, Field(gt=0, le=1)]


class Noise(LayersStudy):
    """Switch off more and more units of each layer; measure how much the picture varies over noise draws."""

    version: ClassVar[int] = 1
    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset({"quantile"})
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

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

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        if not network.noise_layers:
            raise StudyError(
                f"noise is a study of networks with noise inputs; this {network.family} has none. "
                "Take it out of `studies:`."
            )
        super().check(network, layers, concepts)

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        layers = self.of_layers(model.layers)
        numbers = list(range(min(self.samples, model.bench.cache.samples)))
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

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        network, numbers = bench.cache.sampler.network, min(self.samples, bench.cache.samples)
        chosen = self.of_layers(layers)
        # Beside the cases, each sample goes through as it is, without each part of the network, and for maps.
        tails = {
            name: (len(self._cases(network, name)) + 5) * numbers * self.draws + 8 * SHOWN * GROUP
            for name in chosen
        }
        return Cost(passes=len(chosen) * (2 * numbers * self.draws + 4 * SHOWN * GROUP), tails=tails)

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
        """See `Spread`: [samples,cases,3]."""
        bench = model.bench
        orders = {
            "random": None,
            "agreement": _first(bench.agreement(layer).max(axis=1)),
            "activation": _first(bench.levels(layer).mean.flatten().double().cpu().numpy()),
        }
        changes = [Silenced(case.removed, case.off, orders[case.order], model.seed) for case in cases]
        batches = [_draws(model, number, self.draws) for number in numbers]
        found: NDArray[np.float64] = bench.sweep(layer).all(changes, batches, Spread())["values"]
        return found.swapaxes(0, 1)

    @torch.no_grad()
    def _maps(self, model: Dissected, layer: str, numbers: list[int]) -> NoiseMaps:
        """Pictures of the first draw, and each pixel's deviation over draws, with more and more units off."""
        sweep = model.bench.sweep(layer)
        steps = sorted({0, max(1, sweep.units // 8), max(1, sweep.units // 2), sweep.units})
        pictures, deviations = [], []
        for off in steps:
            first, spread = [], []
            for number in numbers:
                group = sweep.group(_draws(model, number, GROUP))
                image = Silenced("nothing", off, None, model.seed).images(group)[1]
                first.append(image[0])
                spread.append(levels(image).var(dim=0).mean(dim=0).sqrt())
            pictures.append(torch.stack(first))
            deviations.append(torch.stack(spread))
        return NoiseMaps(layer, numbers, steps, GROUP, pictures, deviations)


def _draws(model: Dissected, number: int, draws: int) -> SampleBatch:
    """A sample with its noise drawn anew so many times."""
    drawn = model.random(number, "noise draws").integers(0, 2**62, draws)
    return SampleBatch((number,) * draws, 1, tuple(int(seed) for seed in drawn))


def _first(scores: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(unit) for unit in np.argsort(-scores, kind="stable"))
