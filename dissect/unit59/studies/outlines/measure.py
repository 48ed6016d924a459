"""Outlines: does a picture-to-picture model still draw what it was asked for when units go silent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.edits import Edit
from unit59.edit.tail import Tail
from unit59.networks import Layer, Network, State
from unit59.networks.pix2pix import Pix2Pix
from unit59.samples.cache import SampleCache, key_of
from unit59.studies.base import Dissected, Study, StudyError, Whole
from unit59.studies.effects.strips import picture_rows
from unit59.studies.outlines.drawn import (
    NEEDS_LABELS,
    Change,
    Score,
    Scorer,
    asked_area,
    by_chance,
    draw,
    score_columns,
    what_is_asked,
)
from unit59.studies.outlines.tell import GONE, SHOWN, STAY, Found, write_report

Level = Literal["zero", "mean"]


@dataclass(frozen=True)
class _Step:
    """One change: so many units of the layer off, chosen in this order."""

    order: str
    off: int


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
        if not isinstance(network, Pix2Pix):
            raise StudyError(f"outlines is a study of pix2pix; this model is a {network.family}.")
        for layer in self.layers if self.layers != "all" else []:
            if layer not in layers:
                raise StudyError(f"outlines: {layer!r} is not dissected. These are: {', '.join(layers)}.")

    def check_samples(self, cache: SampleCache, base: Path) -> None:
        """See `Study.check_samples`."""
        if what_is_asked(cache) is None:
            raise StudyError(f"outlines {NEEDS_LABELS}")

    def run(self, model: Dissected) -> Whole:
        """See `Study.run`."""
        network, cache = model.network, model.material.cache
        assert isinstance(network, Pix2Pix)  # noqa: S101  # check()
        numbers = list(range(min(self.samples, cache.samples)))
        layers = [
            network.layers[name] for name in model.layers if self.layers == "all" or name in self.layers
        ]
        steps = {layer.name: self._steps(layer.units) for layer in layers}
        total = sum(map(len, steps.values())) * len(numbers)
        with model.step("outlines", total, "pictures") as advance:
            counts = {
                layer.name: self._count(model, layer, steps[layer.name], numbers, advance) for layer in layers
            }
        chance = {name: values[None] for name, values in by_chance(cache, numbers).items()}
        draws = model.material.measurer.recipe.bootstrap
        scorer = Scorer(model.seed, asked_area(cache, numbers), len(numbers), draws)
        pixels = network.resolution[0] * network.resolution[1]
        scores = {
            layer.name: _Scores.of(scorer, chance, counts[layer.name], steps[layer.name], pixels)
            for layer in layers
        }
        encoder = [layer.name for layer in layers if layer.number < network.settings.levels]
        halves = {name: "encoder" if name in encoder else "decoder" for name in scores}
        found = Found(
            halves=halves,
            level=self.ablate,
            samples=numbers,
            lines=scores[layers[0].name].lines[[0]],
            agreement=scores[layers[0].name].agreement[[0]],
            chance=scorer.lines(chance),
            curves=pl.DataFrame([row for name in scores for row in scores[name].curves(name, halves[name])]),
            whole=pl.DataFrame([scores[name].whole(name, halves[name]) for name in scores]),
            concepts=_concepts(scorer, counts, halves, model.concepts),
            half=_at_half(scores),
            strips=_strips(model, halves, self.ablate, numbers[:SHOWN]),
        )
        return write_report(found)

    def _steps(self, units: int) -> list[_Step]:
        """Nothing; 1 unit to all, doubling, in both orders."""
        ladder = sorted({round(units / 2**k) for k in range(units.bit_length())} - {0, units})
        steps = [_Step(order, off) for order in ("random", "agreement") for off in ladder]
        return [_Step("none", 0), *steps, _Step("all", units)]

    def _count(
        self, model: Dissected, layer: Layer, steps: list[_Step], numbers: list[int], advance: Any
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
            return draw(material.cache, layer.name, changes, numbers, advance)

        return material.measurer.remember(f"outlines-{layer.name}", key, count)


def _changes(model: Dissected, layer: Layer, steps: Sequence[_Step], level: Level) -> Iterator[Change]:
    """What the steps do to the state behind the layer."""
    material = model.material
    tail, mean = Tail(material.cache, layer.name), material.levels(layer.name).mean
    value = mean if level == "mean" else torch.zeros_like(mean)
    best = np.argsort(-material.agreement(layer.name).max(axis=1), kind="stable")

    def order(step: _Step, number: int) -> NDArray[np.int64]:
        if step.order != "random":
            return best
        # Each sample draws an order of its own, so that the mean over samples is one over orders too.
        return model.random((layer.number << 20) | number).permutation(layer.units)

    def change(step: _Step, state: State, numbers: Sequence[int]) -> Tensor:
        off = torch.zeros(len(numbers), layer.units, dtype=torch.bool)
        for row, number in enumerate(numbers):
            off[row, order(step, number)[: step.off].copy()] = True
        x = torch.where(off.to(mean.device)[:, :, None, None], value[:, None, None], state["x"])
        return tail.image({**state, "x": x})

    for step in steps:
        yield partial(change, step)


@dataclass(frozen=True)
class _Scores:
    """One layer's scores, by step."""

    steps: list[_Step]
    lines: Score
    agreement: Score
    kept_lines: Score
    kept_agreement: Score
    change: NDArray[np.float64]  # [E], mean absolute, 0..255

    @classmethod
    def of(
        cls, scorer: Scorer, chance: dict[str, Any], counts: dict[str, Any], steps: list[_Step], pixels: int
    ) -> Self:
        lines, agreement = scorer.lines(counts), scorer.agreement(counts)
        return cls(
            steps,
            lines,
            agreement,
            lines.kept(lines[[0]], scorer.lines(chance)),
            agreement.kept(agreement[[0]], scorer.agreement(chance)),
            counts["change"].mean(axis=1) / (3 * pixels),
        )

    def curves(self, layer: str, half: str) -> list[dict[str, Any]]:
        """A row for each order and number of units."""
        units = self.steps[-1].off
        return [
            {
                "layer": layer,
                "half": half,
                "order": order,
                "off": step.off,
                "share": step.off / units,
                **score_columns("lines", self.lines, row),
                **score_columns("agreement", self.agreement, row),
                **score_columns("kept_lines", self.kept_lines, row),
                "change": float(self.change[row]),
            }
            for order in ("random", "agreement")
            for row, step in enumerate(self.steps)
            if step.order in (order, "none", "all")
        ]

    def whole(self, layer: str, half: str) -> dict[str, Any]:
        """The row of the whole layer."""
        return {
            "layer": layer,
            "half": half,
            "units": self.steps[-1].off,
            **score_columns("kept_lines", self.kept_lines, -1),
            **score_columns("kept_agreement", self.kept_agreement, -1),
            "outcome": _outcome(float(self.kept_lines.low[-1]), float(self.kept_lines.high[-1])),
            "change": float(self.change[-1]),
        }


def _outcome(low: float, high: float) -> str:
    return "stay" if low >= STAY else "gone" if high <= GONE else "in part"


def _at_half(scores: Mapping[str, _Scores]) -> Score | None:
    """What is left of the outlines when half of one layer is off at random, mean over layers."""
    parts = []
    for each in scores.values():
        half = round(each.steps[-1].off / 2)
        rows = [i for i, step in enumerate(each.steps) if (step.order, step.off) == ("random", half)]
        parts += [each.kept_lines[rows]] if rows else []
    if not parts:
        return None
    value = np.concatenate([part.value for part in parts]).mean(keepdims=True)
    return Score(value, np.concatenate([part.drawn for part in parts], axis=1).mean(axis=1, keepdims=True))


def _concepts(
    scorer: Scorer,
    counts: Mapping[str, dict[str, Any]],
    halves: Mapping[str, str],
    names: Sequence[str],
) -> pl.DataFrame:
    """IoU of every concept that is asked for: with nothing off, and with each layer off whole."""
    rows: list[dict[str, Any]] = []
    for layer, values in counts.items():
        score = scorer.concepts(values)
        # What is off on no layer is the same on every layer: it stands once in each half's chart.
        for state, row in (("nothing off", 0), (layer, -1)):
            for number, name in enumerate(names):
                if np.isfinite(score.value[row, number]):
                    rows.append(
                        {
                            "off": state,
                            "half": halves[layer],
                            "concept": name,
                            "iou": float(score.value[row, number]),
                            "iou_low": float(score.low[row, number]),
                            "iou_high": float(score.high[row, number]),
                        }
                    )
    return pl.DataFrame(rows).unique(maintain_order=True)


def _strips(
    model: Dissected, halves: Mapping[str, str], level: Level, numbers: list[int]
) -> dict[str, tuple[list[str], bytes]]:
    """By half of the network, rows' names and pictures: unedited, each layer off whole, what was given."""
    inputs = model.material.cache.sampler.inputs
    assert inputs is not None  # noqa: S101  # what is asked for is known
    found = {}
    for half in dict.fromkeys(halves.values()):
        names = ["nothing off"]
        rows: list[Tensor] = []
        for layer in [layer for layer, its in halves.items() if its == half]:
            units = range(model.network.layers[layer].units)
            before, after = model.material.bench(layer).pictures(Edit.ablate(units, level), numbers)
            rows += [after] if rows else [before, after]
            names.append(f"{layer} off")
        found[half] = ([*names, "what was asked for"], picture_rows([*rows, inputs.load(numbers)]))
    return found
