"""Outlines: does a picture-to-picture model still draw what it was asked for when units go silent?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.asked import Change, count_by_chance, count_changed, scorer_of
from unit59.edit.edits import Edit
from unit59.edit.tail import Tail
from unit59.measure.asked import NEEDS_LABELS, what_is_asked
from unit59.networks import Layer, Network, State
from unit59.samples.cache import SampleCache, key_of
from unit59.studies.base import Dissected, Study, StudyError
from unit59.studies.effects.strips import picture_rows
from unit59.studies.outlines.facts import Half, Level, OutlineFacts
from unit59.studies.outlines.scores import LayerScores, Step, at_half, concept_table
from unit59.studies.outlines.tell import tell
from unit59.studies.tables import Report, Tables
from unit59.studies.unit_sets import halvings

#: Samples on a strip.
SHOWN = 4


class Outlines(Study):
    """Switch off more and more units of each layer; see what is left of the outlines asked for."""

    version: ClassVar[int] = 2

    samples: Annotated[int, Field(ge=2, le=100_000)] = 24
    """How many, from the first on."""
    ablate: Level = "zero"
    """What units that are switched off are set to."""
    layers: list[str] | Literal["all"] = "all"
    """Which layers."""

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        if not network.levels:
            raise StudyError(f"outlines is a study of pix2pix; this model is a {network.family}.")
        for layer in self.layers if self.layers != "all" else []:
            if layer not in layers:
                raise StudyError(f"outlines: {layer!r} is not dissected. These are: {', '.join(layers)}.")

    def check_samples(self, cache: SampleCache, base: Path) -> None:
        """See `Study.check_samples`."""
        if what_is_asked(cache) is None:
            raise StudyError(f"outlines {NEEDS_LABELS}")

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        network, cache = model.network, model.material.cache
        numbers = list(range(min(self.samples, cache.samples)))
        layers = [
            network.layers[name] for name in model.layers if self.layers == "all" or name in self.layers
        ]
        steps = {layer.name: steps_of(layer.units) for layer in layers}
        total = sum(map(len, steps.values())) * len(numbers)
        with model.step("outlines", total, "pictures") as advance:
            counts = {
                layer.name: self._count(model, layer, steps[layer.name], numbers, advance) for layer in layers
            }
        chance = count_by_chance(cache, numbers)
        scorer = scorer_of(cache, numbers, model.seed, model.material.measurer.recipe.bootstrap)
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
            "curves.parquet": pl.DataFrame(curves),
            "layers.parquet": pl.DataFrame([scores[name].whole(name, halves[name]) for name in scores]),
            "concepts.parquet": concept_table(scorer, counts, halves, model.concepts),
        }
        return Tables(frames, facts.model_dump(mode="json"), _strips(model, halves, self.ablate, facts.shown))

    def tell(self, tables: Tables) -> Report:
        """See `Study.tell`."""
        return tell(tables)

    def _count(
        self,
        model: Dissected,
        layer: Layer,
        steps: list[Step],
        numbers: list[int],
        advance: Callable[[int], None],
    ) -> dict[str, NDArray[Any]]:
        """Counts of every step, kept in the cache."""
        material = model.material
        key = key_of(
            study="outlines",
            version=self.version,
            levels=material.measurer.activities(layer.name).key,
            labels=material.labels_key,
            steps=[vars(step) for step in steps],
            level=self.ablate,
            numbers=numbers,
            seed=model.seed,
        )

        def count() -> dict[str, NDArray[Any]]:
            changes = list(_changes(model, layer, steps, self.ablate))
            return count_changed(material.cache, layer.name, changes, numbers, advance)

        return material.measurer.remember(f"outlines-{layer.name}", key, count)


def steps_of(units: int) -> list[Step]:
    """Nothing; 1 unit to all, doubling, in both orders."""
    growing = [Step(order, off) for order in ("random", "agreement") for off in halvings(units)]
    return [Step("none", 0), *growing, Step("all", units)]


def _halves(network: Network, layers: Sequence[Layer]) -> dict[str, Half]:
    """Which half of the network each layer is in."""
    return {layer.name: "encoder" if layer.number < network.levels else "decoder" for layer in layers}


def _changes(model: Dissected, layer: Layer, steps: Sequence[Step], level: Level) -> Iterator[Change]:
    """What the steps do to the state behind the layer."""
    material = model.material
    tail, mean = Tail(material.cache, layer.name), material.levels(layer.name).mean
    value = mean if level == "mean" else torch.zeros_like(mean)
    best = np.argsort(-material.agreement(layer.name).max(axis=1), kind="stable")

    def order(step: Step, number: int) -> NDArray[np.int64]:
        if step.order != "random":
            return best
        # Each sample draws an order of its own, so that the mean over samples is one over orders too.
        return model.random((layer.number << 20) | number).permutation(layer.units)

    def change(step: Step, state: State, numbers: Sequence[int]) -> Tensor:
        off = torch.zeros(len(numbers), layer.units, dtype=torch.bool)
        for row, number in enumerate(numbers):
            off[row, order(step, number)[: step.off].copy()] = True
        x = torch.where(off.to(mean.device)[:, :, None, None], value[:, None, None], state["x"])
        return tail.image({**state, "x": x})

    for step in steps:
        yield partial(change, step)


def _strips(
    model: Dissected, halves: Mapping[str, str], level: Level, numbers: list[int]
) -> dict[str, bytes]:
    """A picture for each half of the network: unedited, each of its layers off whole, what was given."""
    inputs = model.material.cache.sampler.inputs
    assert inputs is not None  # noqa: S101  # what is asked for is known
    strips = {}
    for half in dict.fromkeys(halves.values()):
        rows: list[Tensor] = []
        for layer in [layer for layer, its in halves.items() if its == half]:
            units = range(model.network.layers[layer].units)
            before, after = model.material.bench(layer).pictures(Edit.ablate(units, level), numbers)
            rows += [after] if rows else [before, after]
        strips[f"{half}.webp"] = picture_rows([*rows, inputs.load(numbers)])
    return strips
