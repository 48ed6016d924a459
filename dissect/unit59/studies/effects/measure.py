"""The effects of a model's layers: which units are measured, what was found, how good the ranking was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.attribution import Attribution, attribute, can_attribute, score
from unit59.edit.material import Material
from unit59.edit.sweep import AnyEdit
from unit59.foundation.progress import Reporter
from unit59.handles.styles import has_styles, read_style
from unit59.recipe.sections import EffectsSection
from unit59.results.schema import EffectsRecord, Ranking, RankingCheck
from unit59.segmenters import Concept
from unit59.stats.intervals import spearman
from unit59.stats.rates import ABSENT, Floor
from unit59.studies.effects.strips import add_strips
from unit59.studies.effects.units import Kind, LayerEffects, choose_samples, edit_of, measure_effects

#: Samples over which the cheap ranking is averaged.
RANKING_SAMPLES = 32
#: Concepts that it ranks by, at most.
RANKING_CONCEPTS = 48


@dataclass(frozen=True)
class WrittenEffects:
    """One layer's effects, ready to be stored.

    Attributes:
        record: how they were measured.
        tables: by file name; see `unit59.results.schema.EFFECT_TABLES`.
        pictures: by file name.
    """

    record: EffectsRecord
    tables: dict[str, pl.DataFrame]
    pictures: dict[str, bytes]


@dataclass(frozen=True)
class _Plan:
    """Units by layer: their ranking, which are measured, which of these were drawn from the low-ranked."""

    by: str
    scores: dict[str, NDArray[np.float64]]
    measured: dict[str, list[int]]
    low: dict[str, list[int]]
    attributions: dict[str, Attribution]

    def estimates(self, layer: str, kind: str) -> NDArray[np.float64]:
        """[U,C], NaN where there is none; [U,1] where the ranking knows no concepts."""
        if layer not in self.attributions:
            return self.scores[layer][:, None]
        found = self.attributions[layer]
        return found.ablate if kind == "ablate" else found.insert


class EffectsStage:
    """Measures the layers that a recipe's `effects` names.

    Args:
        material: of the model.
        section: what to measure.
        layers: which layers, all of them.
        seed: of the recipe.
        exemplars: pictures on a strip.
        report: is told the progress.
    """

    def __init__(
        self,
        material: Material,
        section: EffectsSection,
        layers: list[str],
        seed: int,
        exemplars: int,
        report: Reporter,
    ) -> None:
        self.material, self.section, self.layers, self.seed = material, section, layers, seed
        self.exemplars, self.report = exemplars, report
        self._plan: _Plan | None = None

    def measure(self, layer: str, pictures: Path) -> WrittenEffects:
        """One layer's effects; strips are kept in the folder `pictures` of the cache."""
        section, bench = self.section, self.material.bench(layer)
        plan = self._plan = self._plan or self._make_plan()
        numbers = effect_samples(self.material, section)
        fixed = min(section.samples, len(numbers))
        wanted = self._wanted(layer, plan.measured[layer])
        total = sum(map(len, wanted.values())) * len(numbers)
        with self.report.step(f"{layer}: effects", total, "edits") as advance:
            found = measure_effects(bench, wanted, numbers, fixed, section.floor, self._edit, advance)
        with self.report.step(f"{layer}: effect pictures", len(wanted["ablate"]), "units") as advance:
            edits = {unit: self._edit("ablate", unit) for unit in wanted["ablate"]}
            units, strips = add_strips(bench, found.units, edits, numbers, self.exemplars, pictures, advance)
        record = EffectsRecord(
            layer=layer,
            kinds=list(wanted),
            samples=fixed,
            numbers=numbers,
            floor=section.floor,
            absent=section.floor * ABSENT,
            ablate=section.ablate,
            style_shift=section.style_shift if section.styles else None,
            tests=found.tests,
            discoveries=found.discoveries,
            ranking=self._ranking(plan, layer, found),
        )
        tables = {"effects.parquet": found.table, "unit_effects.parquet": units}
        if layer in plan.attributions:
            concepts = self.material.cache.segmenter.concepts
            tables["attribution.parquet"] = attribution_table(
                plan.attributions[layer], plan.scores[layer], concepts
            )
        return WrittenEffects(record, tables, strips)

    # ---- which units

    def _make_plan(self) -> _Plan:
        cache = self.material.cache
        attributions: dict[str, Attribution] = {}
        if can_attribute(cache.segmenter):
            count = min(RANKING_SAMPLES, cache.samples)
            with self.report.step("ranking of units", count, "samples") as advance:
                levels = {layer: self.material.levels(layer) for layer in self.layers}
                attributions = attribute(cache, levels, range(count), self._frequent(count), advance)
        scores = (
            score(attributions)
            if attributions
            else {layer: self.material.agreement(layer).max(axis=1) for layer in self.layers}
        )
        measured, low = choose_units(scores, self.section.units, self.section.low_ranked, self.seed)
        return _Plan("attribution" if attributions else "iou", scores, measured, low, attributions)

    def _frequent(self, count: int) -> set[int]:
        """The concepts that most of the first samples show: each costs the ranking a backward pass."""
        height, width = self.material.cache.grid
        shown = Floor(self.section.floor, height * width).shows(self.material.counts[:count]).sum(axis=0)
        order = np.argsort(-shown, kind="stable")[:RANKING_CONCEPTS]
        return {int(index) + 1 for index in order if shown[index]}

    def _wanted(self, layer: str, units: list[int]) -> dict[Kind, list[int]]:
        wanted: dict[Kind, list[int]] = {"ablate": units, "insert": units}
        sampler = self.material.cache.sampler
        state = sampler.start(range(8))
        styled = self.section.style_layers == "all" or layer in self.section.style_layers
        if styled and self.section.styles and has_styles(sampler.network, layer, state):
            channels = list(range(read_style(sampler.network, layer, state).shape[2]))
            names: dict[str, Kind] = {
                "neutral": "style_neutral",
                "down": "style_down",
                "up": "style_up",
            }
            wanted |= {names[name]: channels for name in self.section.styles}
        return wanted

    def _edit(self, kind: Kind, unit: int) -> AnyEdit:
        return edit_of(kind, unit, self.section.ablate, self.section.style_shift)

    def _ranking(self, plan: _Plan, layer: str, found: LayerEffects) -> Ranking:
        measured = plan.measured[layer]
        checks = []
        for kind in ("ablate", "insert") if measured else ():
            estimates = plan.estimates(layer, kind)
            known = np.isfinite(estimates).any(axis=0)
            exact = found.table.filter(pl.col("kind") == kind)["effect"].to_numpy()
            exact = exact.reshape(len(measured), -1)[:, known if plan.attributions else slice(None)]
            checks.append(check_ranking(kind, measured, estimates[measured][:, known], exact, self.seed))
        return Ranking(
            by=plan.by,
            units=len(plan.scores[layer]),
            measured=len(measured),
            low_ranked=plan.low[layer],
            checks=checks,
        )


def effect_samples(material: Material, section: EffectsSection) -> list[int]:
    """The samples on which all edits are carried out; see `choose_samples`."""
    height, width = material.cache.grid
    shown = Floor(section.floor, height * width).shows(material.counts)
    return choose_samples(shown, section.samples, section.extra)


def check_ranking(
    kind: str,
    units: list[int],
    estimated: NDArray[np.float64],
    exact: NDArray[np.float64],
    seed: int,
) -> RankingCheck:
    """Compare estimated with measured effects.

    Args:
        kind: of the edits.
        units: that were measured.
        estimated: [U,C], or [U,1] of a score without regard to concepts.
        exact: [U,C].
        seed: of the bootstrap.
    """
    ranked, measured = relative_score(estimated), relative_score(exact)
    value, low, high = spearman(ranked, measured, seed)
    top = max(1, len(units) // 10)
    first, strongest = (np.argsort(-each, kind="stable")[:top] for each in (ranked, measured))
    return RankingCheck(
        kind=kind,
        spearman=_known(value),
        low=_known(low),
        high=_known(high),
        top=top,
        missed=[units[int(i)] for i in strongest if i not in first and measured[i] > 0],
    )


def relative_score(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per unit its largest effect relative to the concept's root mean square over units: [U] from [U,C]."""
    usual = np.sqrt((effects**2).mean(axis=0))
    score: NDArray[np.float64] = (np.abs(effects) / np.where(usual > 0, usual, 1.0)).max(axis=1, initial=0.0)
    return score


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def choose_units(
    scores: Mapping[str, NDArray[np.float64]], budget: int | str, low_ranked: int, seed: int
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """The units to measure by layer, and those of them that were drawn from below the cut.

    Args:
        scores: of every unit, by layer, comparable between layers.
        budget: how many in all layers together, or "all".
        low_ranked: how many others to draw at random in each layer.
        seed: of that draw.
    """
    if budget == "all":
        everything = {layer: list(range(len(each))) for layer, each in scores.items()}
        return everything, {layer: [] for layer in scores}
    named = [(layer, unit) for layer, each in scores.items() for unit in range(len(each))]
    order = np.argsort(-np.concatenate(list(scores.values())), kind="stable")
    best = {named[int(i)] for i in order[: int(budget)]}
    measured, low = {}, {}
    for number, (layer, each) in enumerate(scores.items()):
        chosen = [unit for unit in range(len(each)) if (layer, unit) in best]
        rest = [unit for unit in range(len(each)) if (layer, unit) not in best]
        generator = np.random.Generator(
            np.random.Philox(key=np.array([seed % 2**64, 2**60 + number], np.uint64))
        )
        low[layer] = sorted(int(unit) for unit in generator.permutation(rest)[:low_ranked])
        measured[layer] = sorted(chosen + low[layer])
    return measured, low


def attribution_table(
    found: Attribution, scores: NDArray[np.float64], concepts: tuple[Concept, ...]
) -> pl.DataFrame:
    """See `unit59.results.schema.ATTRIBUTION`; planes without scores have no rows."""
    units, count = found.ablate.shape
    columns: dict[str, Any] = {
        "unit": np.repeat(np.arange(units), count),
        "concept": np.tile(np.arange(1, count + 1), units),
        "label": [concept.name for concept in concepts] * units,
        "ablate": found.ablate.reshape(-1),
        "insert": found.insert.reshape(-1),
        "score": np.repeat(scores, count),
    }
    return pl.DataFrame(columns).filter(pl.col("ablate").is_not_nan())
