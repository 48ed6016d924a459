"""The effects of a model's layers: which units are measured, what was found, how good the ranking was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.edit.attribution import Attribution, attribute, can_attribute, score
from unit59.edit.edits import Edit
from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.foundation.random import permutation
from unit59.handles import Units
from unit59.recipe.sections import EffectsSection
from unit59.results import EFFECT_TABLES, file_name
from unit59.results.columns import EDIT_KINDS
from unit59.results.schema import EffectsRecord, Ranking, RankingCheck
from unit59.segmenters import Concept
from unit59.stats.correlation import effect_relations
from unit59.stats.intervals import spearman
from unit59.stats.ranks import relative_sizes, strongest
from unit59.stats.rates import ABSENT, Floor
from unit59.store import key_of
from unit59.studies.dissected import Dissected
from unit59.studies.effects.pictures import add_strips
from unit59.studies.effects.units import Kind, MeasuredEffects, choose_samples, edit_of, measure_effects
from unit59.studies.part import Cost, Part
from unit59.studies.tables import Tables

#: Samples over which the cheap ranking is averaged.
RANKING_SAMPLES = 32
#: Concepts that it ranks by, at most.
RANKING_CONCEPTS = 48


@dataclass(frozen=True)
class Chosen:
    """Units by layer: their ranking, which are measured, which of these were drawn from the low-ranked.

    Attributes:
        by: what ranks them: ``attribution``, or ``iou`` where the segmenter has no scores.
        scores: [U] of every layer.
        measured: units.
        low: of these, the ones drawn from below the cut.
        attributions: by layer; empty where there are none.
    """

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


class Effects:
    """What a recipe's `effects` asks of all its layers together: which units are measured.

    Args:
        section: what to measure.
        layers: which layers, all of them, in forward order.
        bench: of the model; nothing is measured before it is needed.
    """

    def __init__(self, section: EffectsSection, layers: list[str], bench: Workbench) -> None:
        self.section, self.layers, self.bench = section, layers, bench
        self._chosen: Chosen | None = None

    def parts(self) -> list[EffectsPart]:
        """One a layer."""
        return [EffectsPart(self, layer) for layer in self.layers]

    def chosen(self, model: Dissected) -> Chosen:
        """The measured units of all layers."""
        if self._chosen is None:
            self._chosen = self._choose(model)
        return self._chosen

    def _choose(self, model: Dissected) -> Chosen:
        attributions = self._attributions(model) if can_attribute(self.bench.cache.segmenter) else {}
        scores = (
            score(attributions)
            if attributions
            else {layer: self.bench.agreement(layer).max(axis=1) for layer in self.layers}
        )
        measured, low = choose_units(scores, self.section.units, self.section.low_ranked, model.seed)
        return Chosen("attribution" if attributions else "iou", scores, measured, low, attributions)

    def _attributions(self, model: Dissected) -> dict[str, Attribution]:
        """Kept, for each layer both estimates."""
        bench = self.bench
        count = min(RANKING_SAMPLES, bench.cache.samples)
        concepts = self._frequent(count)
        levels = {layer: bench.insert_key(layer) for layer in self.layers}
        key = key_of(
            what="attribution", labels=bench.labels_key, levels=levels, count=count, of=sorted(concepts)
        )

        def estimate() -> dict[str, Any]:
            with model.step("ranking of units", count, "samples") as advance:
                given = {layer: bench.levels(layer) for layer in self.layers}
                found = attribute(bench.cache, given, range(count), concepts, advance)
            return {
                f"{number} {do}": getattr(found[layer], do)
                for number, layer in enumerate(self.layers)
                for do in EDIT_KINDS
            }

        known = bench.measurer.remember("attribution", key, estimate)
        return {
            layer: Attribution(*(known[f"{number} {do}"] for do in EDIT_KINDS))
            for number, layer in enumerate(self.layers)
        }

    def _frequent(self, count: int) -> set[int]:
        """The concepts that most of the first samples show: each costs the ranking a backward pass."""
        height, width = self.bench.cache.grid
        shown = Floor(self.section.floor, height * width).shows(self.bench.counts[:count]).sum(axis=0)
        order = np.argsort(-shown, kind="stable")[:RANKING_CONCEPTS]
        return {int(index) + 1 for index in order if shown[index]}


class EffectsPart(Part):
    """The effects of one layer's units.

    Args:
        effects: of all layers together.
        layer: whose units.
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "effects"

    def __init__(self, effects: Effects, layer: str) -> None:
        self._effects, self.layer = effects, layer
        self.name = f"layers/{file_name(layer)}/effects"

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`; units are ranked over all layers."""
        section, bench = self._effects.section, self._effects.bench
        ranked = {"quantile"} if section.units != "all" else set[str]()
        return {
            "section": section.model_dump(mode="json", exclude={"layers", "edits", "shift"}),
            "layer": self.layer,
            "layers": {layer: bench.sweep_key(layer) for layer in self._effects.layers},
            **bench.measurer.recipe.settings({"seed", "samples", "insert_quantile", *ranked}),
        }

    def unread(self) -> Mapping[str, Any]:
        """See `Part.unread`: strips, and how effects go with agreement."""
        return self._effects.bench.measurer.recipe.settings({"exemplars", "quantile"})

    def measure(self, model: Dissected) -> Tables:
        """See `Part.measure`."""
        section, bench, layer = self._effects.section, model.bench, self.layer
        chosen = self._effects.chosen(model)
        numbers = effect_samples(bench, section)
        fixed = min(section.samples, len(numbers))
        wanted: dict[Kind, list[int]] = dict.fromkeys(EDIT_KINDS, chosen.measured[layer])
        total = sum(map(len, wanted.values())) * len(numbers)
        with model.step(f"{layer}: effects", total, "edits") as advance:
            found = measure_effects(bench, layer, wanted, numbers, fixed, section.floor, self._edit, advance)
        exemplars = bench.measurer.recipe.exemplars
        with model.step(f"{layer}: effect pictures", len(wanted["ablate"]), "units") as advance:
            edits = {unit: self._edit("ablate", unit) for unit in wanted["ablate"]}
            units, strips = add_strips(bench.sweep(layer), found.units, edits, numbers, exemplars, advance)
        frames = {"effects.parquet": found.table, "unit_effects.parquet": units}
        if layer in chosen.attributions:
            frames["attribution.parquet"] = attribution_table(
                chosen.attributions[layer], chosen.scores[layer], bench.cache.segmenter.concepts
            )
        frames["relations.parquet"] = effect_relations(bench.agreement(layer), found.table, model.seed)
        record = effects_record(
            bench.units(layer), section, found, numbers, self._ranking(chosen, found, model.seed)
        )
        return Tables(frames, record.model_dump(mode="json"), strips)

    def schemas(self, tables: Tables) -> Mapping[str, Mapping[str, Any]]:
        """See `Part.schemas`."""
        return EFFECT_TABLES

    def cost(self) -> Cost:
        """Every unit off and on, on all samples; the first layer's part ranks the units of all."""
        section, units = self._effects.section, self._effects.bench.units(self.layer)
        share = units.count
        if section.units != "all":
            whole = sum(self._effects.bench.units(layer).count for layer in self._effects.layers)
            share = min(units.count, section.low_ranked + units.count * section.units // max(whole, 1))
        bench = self._effects.bench
        samples = bench.cache.samples
        fixed = in_groups(min(section.samples + section.extra, samples))
        # The unedited samples go through once for each kind, and once for themselves.
        tails = (2 * share + 3) * fixed
        strips = share * in_groups(bench.measurer.recipe.exemplars)
        ranks = self.layer == self._effects.layers[0]
        return Cost(
            passes=min(RANKING_SAMPLES, samples) if ranks else 0,
            tails={self.layer: tails + strips},
            segmented=tails,
        )

    def _edit(self, kind: Kind, unit: int) -> Edit:
        return edit_of(kind, unit, self._effects.section.ablate)

    def _ranking(self, chosen: Chosen, found: MeasuredEffects, seed: int) -> Ranking:
        measured = chosen.measured[self.layer]
        checks = []
        for kind in EDIT_KINDS if measured else ():
            estimates = chosen.estimates(self.layer, kind)
            known = np.isfinite(estimates).any(axis=0)
            exact = found.table.filter(pl.col("kind") == kind)["effect"].to_numpy()
            exact = exact.reshape(len(measured), -1)[:, known if chosen.attributions else slice(None)]
            checks.append(check_ranking(kind, measured, estimates[measured][:, known], exact, seed))
        return Ranking(
            by=chosen.by,
            units=len(chosen.scores[self.layer]),
            measured=len(measured),
            low_ranked=chosen.low[self.layer],
            checks=checks,
        )


def effects_record(
    units: Units, section: EffectsSection, found: MeasuredEffects, numbers: list[int], ranking: Ranking
) -> EffectsRecord:
    """How the effects of units were measured."""
    return EffectsRecord(
        layer=units.name,
        handle=units.handle.title,
        beside=units.beside,
        kinds=list(EDIT_KINDS if units.handle.maps else section.edits),
        samples=min(section.samples, len(numbers)),
        numbers=numbers,
        floor=section.floor,
        absent=section.floor * ABSENT,
        ablate=section.ablate,
        shift=None if units.handle.maps else section.shift,
        tests=found.tests,
        discoveries=found.discoveries,
        ranking=ranking,
    )


def effect_samples(bench: Workbench, section: EffectsSection) -> list[int]:
    """The samples on which all edits are carried out; see `choose_samples`."""
    height, width = bench.cache.grid
    shown = Floor(section.floor, height * width).shows(bench.counts)
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
    first, top = strongest(ranked), strongest(measured)
    return RankingCheck(
        kind=kind,
        spearman=_known(value),
        low=_known(low),
        high=_known(high),
        top=len(top),
        missed=[units[i] for i in top if i not in first and measured[i] > 0],
    )


def relative_score(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per unit its largest effect relative to the concept's root mean square over units: [U] from [U,C]."""
    score: NDArray[np.float64] = relative_sizes(effects).max(axis=1, initial=0.0)
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
        low[layer] = sorted(permutation(seed, "low-ranked units", number, rest)[:low_ranked])
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
