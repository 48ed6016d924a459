"""Outlines: does a picture-to-picture model still draw what it was asked for when units go silent?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.asked import AskedAreas, count_by_chance, scorer_of
from unit59.edit.edits import Edit
from unit59.edit.group import Group
from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.measure.asked import NEEDS_LABELS, what_is_asked
from unit59.networks import Layer, Network
from unit59.results.columns import Schema
from unit59.samples.cache import SampleCache
from unit59.studies.base import LayersStudy, StudyError
from unit59.studies.dissected import Dissected
from unit59.studies.effects.pictures import picture_rows
from unit59.studies.outlines.facts import Half, Level, OutlineFacts
from unit59.studies.outlines.scores import LayerScores, UnitsOff, at_half, concept_table
from unit59.studies.outlines.tables import CURVES, LAYERS, SCHEMAS
from unit59.studies.outlines.tell import tell
from unit59.studies.part import Cost
from unit59.studies.tables import Report, Tables
from unit59.studies.unit_sets import halvings, order_of_sample

#: Samples on a strip.
SHOWN = 4


class Outlines(LayersStudy):
    """Switch off more and more units of each layer; see what is left of the outlines asked for."""

    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset({"quantile", "bootstrap"})
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

    samples: Annotated[int, Field(ge=2, le=100_000)] = 24
    """How many, from the first on."""
    ablate: Level = "zero"
    """What units that are switched off are set to."""

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        if not network.levels:
            raise StudyError(f"outlines is a study of U-Nets; this {network.family} is none.")
        super().check(network, layers, concepts)

    def check_samples(self, cache: SampleCache, base: Path) -> None:
        """See `Study.check_samples`."""
        if what_is_asked(cache) is None:
            raise StudyError(f"outlines {NEEDS_LABELS}")

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        network, cache = model.network, model.bench.cache
        numbers = list(range(min(self.samples, cache.samples)))
        layers = [network.layers[name] for name in self.of_layers(model.layers)]
        steps = {layer.name: steps_of(layer.units) for layer in layers}
        total = sum(map(len, steps.values())) * len(numbers)
        with model.step("outlines", total, "pictures") as advance:
            counts = {
                layer.name: self._count(model, layer, steps[layer.name], numbers, advance) for layer in layers
            }
        chance = count_by_chance(cache, numbers)
        scorer = scorer_of(cache, numbers, model.seed, model.bench.measurer.recipe.bootstrap)
        pixels = network.resolution[0] * network.resolution[1]
        scores = {name: LayerScores.of(scorer, chance, counts[name], steps[name], pixels) for name in counts}
        halves, first = _halves(network, layers), scores[layers[0].name]
        facts = OutlineFacts(
            level=self.ablate,
            samples=numbers,
            shown=numbers[:SHOWN],
            halves=halves,
            lines=first.lines.first,
            agreement=first.agreement.first,
            chance=scorer.lines(chance).first.value,
            half_off=at_half(list(scores.values())),
            stay=[name for name in scores if scores[name].outcome == "stay"],
            gone=[name for name in scores if scores[name].outcome == "gone"],
        )
        curves = [row for name in scores for row in scores[name].curves(name, halves[name])]
        frames = {
            "curves.parquet": CURVES.frame(curves),
            "layers.parquet": LAYERS.frame(scores[name].whole(name, halves[name]) for name in scores),
            "concepts.parquet": concept_table(scorer, counts, halves, model.concepts),
        }
        return Tables(frames, facts.model_dump(mode="json"), _strips(model, halves, self.ablate, facts.shown))

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        numbers = in_groups(min(self.samples, bench.cache.samples))
        network = bench.cache.sampler.network
        counted = {
            name: (len(steps_of(network.layers[name].units)) + 1) * numbers for name in self.of_layers(layers)
        }
        tails = {name: count + 2 * in_groups(SHOWN) for name, count in counted.items()}
        return Cost(tails=tails, segmented=sum(counted.values()))

    def tell(self, tables: Tables) -> Report:
        """See `Study.tell`."""
        return tell(tables)

    def _count(
        self,
        model: Dissected,
        layer: Layer,
        steps: list[UnitsOff],
        numbers: list[int],
        advance: Callable[[int], None],
    ) -> dict[str, NDArray[Any]]:
        """Counts of every step."""
        best = np.argsort(-model.bench.agreement(layer.name).max(axis=1), kind="stable")
        order = tuple(int(unit) for unit in best)
        changes = [
            OffInOrder(step.off, None if step.order == "random" else order, self.ablate, model.seed)
            for step in steps
        ]
        return model.bench.sweep(layer.name).all(changes, numbers, AskedAreas(), advance)


@dataclass(frozen=True)
class OffInOrder:
    """So many units of a layer off, in an order.

    Attributes:
        off: how many.
        order: all units, first to last; None: each sample draws an order of its own, so that the mean over
            samples is one over orders too.
        level: what they are set to.
        seed: of these orders.
    """

    off: int
    order: tuple[int, ...] | None
    level: Level
    seed: int

    inserts: ClassVar[bool] = False

    @property
    def depends_on(self) -> str:
        """See `Change.depends_on`."""
        return repr(self)

    def images(self, group: Group) -> tuple[Tensor, Tensor]:
        """See `Change.images`."""
        x, layer = group.values, group.tail.units.name
        value = group.levels.mean if self.level == "mean" else group.levels.zero
        off = torch.zeros(x.shape[:2], dtype=torch.bool)
        for row, number in enumerate(group.numbers):
            order = self.order or order_of_sample(self.seed, f"outlines of {layer}", number, x.shape[1])
            off[row, list(order[: self.off])] = True
        changed = torch.where(off.to(x.device)[:, :, None, None], value, x)
        return group.image, group.tail.image(group.tail.write(group.state, x, changed))


def steps_of(units: int) -> list[UnitsOff]:
    """Nothing; 1 unit to all, doubling, in both orders."""
    growing = [UnitsOff(order, off) for order in ("random", "agreement") for off in halvings(units)]
    return [UnitsOff("none", 0), *growing, UnitsOff("all", units)]


def _halves(network: Network, layers: Sequence[Layer]) -> dict[str, Half]:
    """Which half of the network each layer is in."""
    return {layer.name: "encoder" if layer.number < network.levels else "decoder" for layer in layers}


def _strips(
    model: Dissected, halves: Mapping[str, str], level: Level, numbers: list[int]
) -> dict[str, bytes]:
    """A picture for each half of the network: unedited, each of its layers off whole, what was given."""
    inputs = model.bench.cache.sampler.inputs
    assert inputs is not None  # noqa: S101  # what is asked for is known
    strips = {}
    for half in dict.fromkeys(halves.values()):
        rows: list[Tensor] = []
        for layer in [layer for layer, its in halves.items() if its == half]:
            units = range(model.network.layers[layer].units)
            before, after = model.bench.sweep(layer).pictures(Edit.ablate(units, level), numbers)
            rows += [after] if rows else [before, after]
        strips[f"{half}.webp"] = picture_rows([*rows, inputs.load(numbers)])
    return strips
