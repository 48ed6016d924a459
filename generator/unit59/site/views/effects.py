"""Single-unit effects as the pages see them: a layer's, a unit's, and of one concept over all units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import polars as pl

from unit59.results.contents import LayerEffects
from unit59.results.rows import EffectRow, RelationRow, UnitEffectRow, rows
from unit59.results.schema import EFFECT_TABLES, EffectsRecord, Rate

if TYPE_CHECKING:  # views are made with this module
    from unit59.site.views import ConceptView, LayerView, ModelView


@dataclass(frozen=True)
class Effect:
    """What one edit of one unit does to one concept: a row of effects.parquet."""

    concept: ConceptView
    row: EffectRow

    @property
    def value(self) -> float:
        """Mean paired difference of the concept's share of the picture."""
        return float(self.row.effect or 0.0)

    @property
    def found(self) -> bool:
        """Whether it is evidence, after Benjamini-Hochberg over all tests of the layer and kind."""
        return bool(self.row.found)

    @property
    def beyond(self) -> bool:
        """Whether it lies outside where 95 % of the layer's other measured units lie."""
        return bool(self.row.beyond_others)

    @property
    def size(self) -> tuple[float, float]:
        """The interval of its size, whatever its sign; both ends of an effect that is found have one sign."""
        ends = [abs(self.value if end is None else end) for end in (self.row.low, self.row.high)]
        return min(ends), max(ends)

    @property
    def erasure(self) -> Rate | None:
        """Samples that show the concept in which it is gone after the edit; None where none shows it."""
        row = self.row
        ends = row.erasure_rate, row.erasure_low, row.erasure_high
        return rate_of(row.erased, row.shown, *ends)

    @property
    def insertion(self) -> Rate | None:
        """Samples without the concept that show it after the edit; None where all show it."""
        row = self.row
        ends = row.insertion_rate, row.insertion_low, row.insertion_high
        return rate_of(row.inserted, row.absent, *ends)


@dataclass(frozen=True)
class Summary:
    """What one kind of edit of a unit does most: a row of unit_effects.parquet.

    Attributes:
        concept: the one that is said first, see `UnitEffects.first`; None where there is no evidence.
        row: the rest of the row.
    """

    concept: ConceptView | None
    row: UnitEffectRow

    @property
    def value(self) -> float:
        """The effect on that concept; 0 without one."""
        return float(self.row.effect or 0.0) if self.concept else 0.0


@dataclass(frozen=True)
class UnitEffects:
    """One measured unit.

    Attributes:
        effects: by kind of edit, of every concept, the largest effect first.
        told: by kind of edit, the concept that is told first; None where there is no evidence of any.
        samples: on its strip of effects; empty without one.
        sample_effects: the change of its first concept's share in each of them.
    """

    effects: dict[str, list[Effect]] = field(default_factory=dict)
    told: dict[str, ConceptView | None] = field(default_factory=dict)
    samples: list[int] = field(default_factory=list)
    sample_effects: list[float] = field(default_factory=list)

    def on(self, kind: str, concept: ConceptView | None) -> Effect | None:
        """The effect of one kind of edit on one concept."""
        return next((each for each in self.effects.get(kind, []) if each.concept == concept), None)

    def first(self, kind: str) -> Effect | None:
        """What is told first, see `unit59.stats.first`; None where there is no evidence of any."""
        return self.on(kind, concept) if (concept := self.told.get(kind)) else None

    def largest(self, kind: str) -> Effect | None:
        """The largest effect, found or not."""
        return next(iter(self.effects.get(kind, [])), None)


@dataclass(frozen=True)
class Relation:
    """Spearman's rank correlation of agreement and effect over units, with its 95 % interval.

    Attributes:
        units: how many.
        rho: the correlation; None, as its interval, where there are too few units.
        low: lower end of the interval.
        high: upper end.
        sign: 1 where the interval lies above 0, -1 where it lies below, else 0.
    """

    units: int
    rho: float | None
    low: float | None
    high: float | None
    sign: int

    def __str__(self) -> str:
        """`0.32 [0.10, 0.51]`."""
        if self.rho is None:
            return "–"
        return f"{self.rho:.2f} [{self.low:.2f}, {self.high:.2f}]".replace("-", "−")


class EffectsView:
    """The effects of units.

    Args:
        model: whose.
        results: their tables.
    """

    def __init__(self, model: ModelView, results: LayerEffects) -> None:
        self.model, self.results = model, results

    @property
    def record(self) -> EffectsRecord:
        """How they were measured."""
        return self.results.record

    @property
    def files(self) -> list[str]:
        """The files that it was read from, in its folder."""
        given = {
            "attribution.parquet": self.results.attribution is not None,
            "relations.parquet": self.results.relations is not None,
        }
        return ["effects.json", *(name for name in EFFECT_TABLES if given.get(name, True))]

    @cached_property
    def summaries(self) -> dict[str, dict[int, Summary]]:
        """By kind and unit, what it does most."""
        found: dict[str, dict[int, Summary]] = {}
        for row in rows(self.results.units.sort("unit"), UnitEffectRow):
            concept = self.model.concept(row.concept)
            found.setdefault(row.kind, {})[row.unit] = Summary(concept, row)
        return found

    def summary(self, unit: int, kind: str = "ablate") -> Summary | None:
        """What a unit does most by one kind of edit; None where that was not measured."""
        return self.summaries.get(kind, {}).get(unit)

    def units(self) -> Iterator[tuple[int, UnitEffects]]:
        """Every measured unit with all its effects; units in order."""
        table = self.results.effects.sort(
            "unit", pl.col("effect").abs(), "concept", descending=[False, True, False], nulls_last=True
        )
        concepts = self.model.concepts
        for number, effects in groupby(rows(table, EffectRow), key=attrgetter("unit")):
            summary = self.summary(number)
            found = UnitEffects(
                told={kind: each[number].concept for kind, each in self.summaries.items() if number in each},
                samples=(summary and summary.row.samples) or [],
                sample_effects=(summary and summary.row.sample_effects) or [],
            )
            for row in effects:
                if row.concept in concepts:
                    found.effects.setdefault(row.kind, []).append(Effect(concepts[row.concept], row))
            yield number, found

    def on(self, concept: ConceptView, kind: str = "ablate") -> dict[int, Effect]:
        """Every measured unit's effect on one concept."""
        numbers = [number for number, view in self.model.concepts.items() if view == concept]
        return self._by_unit(
            self.results.effects.filter(pl.col("concept").is_in(numbers), pl.col("kind") == kind)
        )

    @cached_property
    def largest(self) -> dict[int, Effect]:
        """Every measured unit's largest effect on any concept, found or not, by ablation."""
        table = self.results.effects.filter(pl.col("kind") == "ablate").sort(
            pl.col("effect").abs(), "concept", descending=[True, False], nulls_last=True
        )
        return self._by_unit(table.unique("unit", keep="first", maintain_order=True))

    def relation(self, of: str, concept: ConceptView | None = None) -> Relation | None:
        """How agreement and effect go together, see `RELATIONS`; None where the table is not there."""
        table = self.results.relations
        if table is None:
            return None
        for row in rows(table.filter(of=of), RelationRow):
            if concept is None or self.model.concept(row.concept) == concept:
                return Relation(row.units, row.rho, row.low, row.high, row.sign)
        return None

    def _by_unit(self, table: pl.DataFrame) -> dict[int, Effect]:
        concepts = self.model.concepts
        return {
            row.unit: Effect(concepts[row.concept], row)
            for row in rows(table, EffectRow)
            if row.concept in concepts
        }


class LayerEffectsView(EffectsView):
    """The effects of a dissected layer's units.

    Args:
        layer: whose.
        results: their tables.
    """

    def __init__(self, layer: LayerView, results: LayerEffects) -> None:
        super().__init__(layer.model, results)
        self.layer = layer

    @cached_property
    def on_labels(self) -> dict[int, Effect]:
        """Every measured unit's effect on the concept of its own label, by ablation."""
        labels = self.layer.results.units.select("unit", "concept").drop_nulls()
        table = self.results.effects.filter(pl.col("kind") == "ablate").join(labels, on=["unit", "concept"])
        return self._by_unit(table)


def rate_of(
    hits: int | None, cases: int | None, rate: float | None, low: float | None, high: float | None
) -> Rate | None:
    """Columns of a rate as one; None where a table has no such rate."""
    if not cases or hits is None or rate is None or low is None or high is None:
        return None
    return Rate(hits=hits, cases=cases, rate=rate, low=low, high=high)
