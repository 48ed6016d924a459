"""Skips: do the layers that a skip connection joins share units and concepts, and what goes which way?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.asked import AskedAreas, count_by_chance, scorer_of
from unit59.edit.group import Group
from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.foundation.random import null_shifts
from unit59.measure.asked import what_is_asked
from unit59.networks import Network
from unit59.results.columns import Schema
from unit59.samples.cache import SampleCache
from unit59.stats.scores import score_columns
from unit59.store import key_of
from unit59.studies.base import Study, StudyError
from unit59.studies.dissected import Dissected
from unit59.studies.effects.pictures import picture_rows
from unit59.studies.part import Cost
from unit59.studies.skips.facts import BEFORE, MIRRORED, OTHER_ENCODER, WAYS, PairKind, SkipFacts
from unit59.studies.skips.mirrors import (
    Matches,
    Pair,
    against,
    best_is_mirror,
    best_matches,
    concepts_of_pairs,
    mean_correlations,
)
from unit59.studies.skips.tables import PAIRS, SCHEMAS, SILENT, WayRow
from unit59.studies.skips.tell import tell
from unit59.studies.tables import Report, Tables

#: Samples on the strip.
SHOWN = 4


class Skips(Study):
    """Compare layers that a skip connection joins with others, and close the skip or what lies deeper."""

    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset({"quantile", "shuffles", "bootstrap"})
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

    samples: Annotated[int, Field(ge=2, le=100_000)] = 24
    """How many are edited, from the first on."""
    compared: Annotated[int, Field(ge=8, le=100_000)] = 128
    """On how many samples masks are compared, from the first on."""
    shifts: Annotated[int, Field(ge=2, le=1000)] = 5
    """How often masks are held against other samples' masks."""

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        """See `Study.check`."""
        if not network.skips:
            raise StudyError(f"skips is a study of networks with skips; this {network.family} has none.")
        if not mirrored(network, layers):
            first, mirror = network.skips[min(1, len(network.skips) - 1)]
            raise StudyError(
                "skips: no layer is dissected together with its mirror. Dissect both, for one "
                f"`layers: [{first}, {mirror}]`, or `layers: all`."
            )

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        network, cache = model.network, model.bench.cache
        mirrors, pairs = mirrored(network, model.layers), all_pairs(network, model.layers)
        matches = self._matches(model)
        numbers = list(range(min(self.samples, cache.samples)))
        frames = {
            "pairs.parquet": PAIRS.frame(map(matches.row, pairs)),
            "concepts.parquet": concepts_of_pairs(model, [pair for pair in pairs if pair.kind != BEFORE]),
        }
        skip: list[str] | None = None
        deeper: list[str] | None = None
        if what_is_asked(cache) is not None:
            frames["ways.parquet"] = self._ways(model, mirrors, numbers)
            skip, deeper = _suffering(frames["ways.parquet"])
        kinds: tuple[PairKind, ...] = (OTHER_ENCODER, BEFORE)
        more = {kind: found for kind in kinds if (found := against(matches, pairs, kind))}
        facts = SkipFacts(
            mirrors=mirrors,
            compared=self._compared(cache),
            shifts=self.shifts,
            units=sum(network.layers[mirror].units for _, mirror in mirrors),
            samples=numbers,
            shown=numbers[:SHOWN],
            against=more,
            overlap_more=OTHER_ENCODER in more and more[OTHER_ENCODER].low > 0,
            best_is_mirror=best_is_mirror(frames["pairs.parquet"]),
            correlation=mean_correlations(frames["concepts.parquet"]),
            suffer_from_skip=skip,
            suffer_from_deeper=deeper,
        )
        pictures = {"ways.webp": _strip(model, mirrors, facts.shown)}
        return Tables(frames, facts.model_dump(mode="json"), pictures)

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        numbers = in_groups(min(self.samples, bench.cache.samples))
        counted = (len(WAYS) + 2) * numbers
        pairs = mirrored(bench.cache.sampler.network, layers)
        tails = {layer: counted + 6 * in_groups(SHOWN) for layer, _ in pairs}
        return Cost(tails=tails, segmented=len(pairs) * counted)

    def tell(self, tables: Tables) -> Report:
        """See `Study.tell`."""
        return tell(tables)

    def _compared(self, cache: SampleCache) -> int:
        return min(self.compared, cache.samples)

    def _matches(self, model: Dissected) -> Matches:
        """Best matches of all units, kept in the cache."""
        measurer, samples = model.bench.measurer, self._compared(model.bench.cache)
        key = key_of(
            study="skips",
            version=self.version,
            samples=samples,
            shifts=self.shifts,
            seed=model.seed,
            layers={layer: measurer.task("threshold", layer).key for layer in model.layers},
        )

        def compare() -> dict[str, NDArray[Any]]:
            shifts = null_shifts(model.seed, samples, self.shifts)
            with model.step("skips: overlap of masks", 1 + len(shifts), "comparisons") as advance:
                return best_matches(measurer, model.layers, samples, shifts, advance)

        units = [model.network.layers[layer].units for layer in model.layers]
        return Matches(model.layers, units, measurer.remember("skips-masks", key, compare))

    def _ways(self, model: Dissected, mirrors: list[tuple[str, str]], numbers: list[int]) -> pl.DataFrame:
        """What is left of the outlines and of agreement when a layer is silent on one way, or on both."""
        cache, rows = model.bench.cache, []
        chance = count_by_chance(cache, numbers)
        scorer = scorer_of(cache, numbers, model.seed, model.bench.measurer.recipe.bootstrap)
        height, width = model.network.resolution
        total = (len(WAYS) + 1) * len(mirrors) * len(numbers)
        with model.step("skips: ways", total, "pictures") as advance:
            for layer, mirror in mirrors:
                counts = self._count(model, layer, numbers, advance)
                lines, agreement = scorer.lines(counts), scorer.agreement(counts)
                kept_lines = lines.kept(lines[[0]], scorer.lines(chance))
                kept_agreement = agreement.kept(agreement[[0]], scorer.agreement(chance))
                rows += [
                    WayRow(
                        layer=layer,
                        mirror=mirror,
                        silent=way,
                        **score_columns("kept_lines", kept_lines, row),
                        **score_columns("kept_agreement", kept_agreement, row),
                        change=float(counts["change"][row].mean()) / (3 * height * width),
                    )
                    for row, way in enumerate(WAYS, start=1)
                ]
        return SILENT.frame(rows)

    def _count(
        self, model: Dissected, layer: str, numbers: list[int], advance: Callable[[int], None]
    ) -> dict[str, NDArray[Any]]:
        """Counts with nothing silent and on each way."""
        changes = [Silent(way) for way in (None, *WAYS)]
        return model.bench.sweep(layer).all(changes, numbers, AskedAreas(), advance)


def mirrored(network: Network, layers: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of which both layers are dissected; see `Network.skips`."""
    return [pair for pair in network.skips if set(pair) <= set(layers)]


def all_pairs(network: Network, layers: Sequence[str]) -> list[Pair]:
    """Each decoder layer that has a mirror, with every encoder layer and the decoder layer before it."""
    order, levels = list(network.layers), network.levels
    pairs = []
    for encoder, decoder in reversed(mirrored(network, layers)):
        for other in layers:
            if order.index(other) < levels:
                kind: PairKind = MIRRORED if other == encoder else OTHER_ENCODER
                pairs.append(Pair(decoder, other, kind))
        before = order[order.index(decoder) - 1]
        if before in layers:
            pairs.append(Pair(decoder, before, BEFORE))
    return pairs


@dataclass(frozen=True)
class Silent:
    """A layer's units are zero: for the skip, for what lies deeper, or for both.

    Attributes:
        way: see `unit59.studies.skips.facts.WAYS`; None is nothing.
    """

    way: str | None

    inserts: ClassVar[bool] = False

    @property
    def depends_on(self) -> str:
        """See `Change.depends_on`."""
        return repr(self)

    def images(self, group: Group) -> tuple[Tensor, Tensor]:
        """See `Change.images`; the group is of a layer of the encoder, not the innermost."""
        network, layer = group.tail.cache.sampler.network, group.tail.units.layer.name
        order = list(network.layers)
        following = order[order.index(layer) + 1]
        plain = network.run(group.state, after=layer, until=following)
        zero = {**group.state, "x": torch.zeros_like(group.state["x"])}
        silent = network.run(zero, after=layer, until=following)
        chosen = {
            None: plain,
            "skip": {**plain, "skips": silent["skips"]},
            "deeper": {**silent, "skips": plain["skips"]},
            "both": silent,
        }[self.way]
        image: Tensor = network.run(chosen, after=following)["image"]
        return group.image, image


def _suffering(ways: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Layers whose silence surely costs more outlines in the skip, and for what lies deeper."""
    pairs = ways.filter(silent="skip").join(ways.filter(silent="deeper"), on="layer", maintain_order="left")
    skip = pairs.filter(pl.col("kept_lines_high") < pl.col("kept_lines_low_right"))
    deeper = pairs.filter(pl.col("kept_lines_high_right") < pl.col("kept_lines_low"))
    return skip["layer"].to_list(), deeper["layer"].to_list()


@torch.no_grad()
def _strip(model: Dissected, mirrors: Sequence[tuple[str, str]], numbers: Sequence[int]) -> bytes:
    """The pictures: nothing silent, then each layer on either way; last what was given."""
    cache, rows = model.bench.cache, list[Tensor]()
    for layer, _ in mirrors:
        sweep = model.bench.sweep(layer)
        for way in (None, "skip", "deeper") if not rows else ("skip", "deeper"):
            rows.append(sweep.pictures(Silent(way), numbers)[1])
    inputs = cache.sampler.inputs
    assert inputs is not None  # noqa: S101  # a pix2pix has some
    return picture_rows([*rows, inputs.load(numbers)])
