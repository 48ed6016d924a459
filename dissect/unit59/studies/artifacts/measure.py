"""Artifacts: the units whose activity marks bad regions, and what switching them off repairs and costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from unit59.edit.tail import in_groups
from unit59.edit.workbench import Workbench
from unit59.measure.asked import NEEDS_LABELS, what_is_asked
from unit59.results.columns import Schema
from unit59.samples.cache import SampleCache
from unit59.studies.artifacts.bad_regions import from_labels, from_masks, from_pictures, in_halves, mask_files
from unit59.studies.artifacts.choice import SHOWN, choose, judge
from unit59.studies.artifacts.facts import ArtifactFacts, Judged, RegionSource
from unit59.studies.artifacts.marks import BadSamples, candidates, marks
from unit59.studies.artifacts.tables import SCHEMAS
from unit59.studies.artifacts.tell import tell
from unit59.studies.base import Study, StudyError
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost
from unit59.studies.tables import Report, Tables
from unit59.studies.unit_sets import RANDOM_SETS, ladder

#: Fewer samples do not make two halves with a null each.
FEWEST = 8


class Artifacts(Study):
    """Find the units whose activity marks bad regions, switch them off, and see what it repairs and costs."""

    version: ClassVar[int] = 2
    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset({"quantile", "shuffles", "bootstrap"})
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

    bad: Literal["labels"] | tuple[Annotated[int, Field(ge=0)], ...] | Path = "labels"
    """``labels`` (where a conditional model shows something else than asked for), the numbers of bad
    samples, or a folder of masks by sample number, white where bad."""
    samples: Annotated[int, Field(ge=FEWEST)] | None = None
    """How many samples are looked at, from the first on; by default all."""
    edited: Annotated[int, Field(ge=2, le=10_000)] = 24
    """How many samples with bad regions are edited, in each half; half as many without any."""
    most: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many units of one layer are switched off together, at most."""
    random_sets: Annotated[int, Field(ge=RANDOM_SETS, le=1000)] = RANDOM_SETS
    """How many random sets of the same size stand beside the chosen units."""

    def check_samples(self, cache: SampleCache, base: Path) -> None:
        """See `Study.check_samples`."""
        samples = self._looked_at(cache)
        if samples < FEWEST:
            raise StudyError(f"artifacts needs at least {FEWEST} samples; the recipe draws {samples}.")
        if self.bad == "labels":
            if what_is_asked(cache) is None:
                raise StudyError(
                    f"artifacts with `bad: labels` {NEEDS_LABELS} For any other model say what is bad: "
                    "`bad: masks/` (a folder of masks by sample number, white where bad) or `bad: [3, 17]` "
                    "(the numbers of bad samples)."
                )
            return
        given = mask_files(base / self.bad) if isinstance(self.bad, Path) else self.bad
        if not given:
            raise StudyError("artifacts: bad: no sample is named.")
        if max(given) >= samples:
            raise StudyError(
                f"artifacts: bad: there is no sample {max(given)}; {samples} are looked at, from 0 on."
            )

    def files(self, base: Path) -> list[Path]:
        """The masks."""
        return list(mask_files(base / self.bad).values()) if isinstance(self.bad, Path) else []

    def measure(self, model: Dissected) -> Tables:
        """See `Study.measure`."""
        samples = self._begin(model)
        halves = in_halves(samples.bad)
        frames: dict[str, pl.DataFrame] = {}
        pictures: dict[str, bytes] = {}
        units: pl.DataFrame | None = None
        judged: Judged | None = None
        if all(samples.bad[half].any() for half in halves):
            units = pl.concat([marks(samples, layer, halves[0]) for layer in model.layers]).sort(
                "beyond", "iou", descending=True, maintain_order=True
            )
            frames["units.parquet"] = units
            if ranked := candidates(units, self.most):
                in_order = {layer: ranked[layer] for layer in model.layers if layer in ranked}
                best = choose(samples, in_order, self._edited(samples, halves[0]))
                edited = self._edited(samples, halves[1])
                found = judge(samples, best.layer, best.units, edited, self.random_sets)
                judged, pictures = found.facts, found.pictures
                frames |= {
                    "steps.parquet": best.steps,
                    "sets.parquet": found.sets,
                    "concepts.parquet": found.concepts,
                }
        facts = ArtifactFacts(
            source=self._source(),
            samples=len(samples.bad),
            with_bad=sum(samples.any),
            share=float(samples.bad.double().mean()),
            half=len(halves[0]),
            most=self.most,
            units=None if units is None else len(units),
            beyond=0 if units is None else int(units["beyond"].sum()),
            judged=judged,
        )
        return Tables(frames, facts.model_dump(mode="json"), pictures)

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        half = in_groups(min(self.edited + self.edited // 2, self._looked_at(bench.cache)))
        steps = {
            layer: len(ladder(min(self.most, bench.units(layer).count), between=False)) + 1
            for layer in layers
        }
        # Which layer is judged on the other half is not known yet; the first has the longest way to go.
        judged = {layer: (self.random_sets + 2) * half + 2 * in_groups(SHOWN) for layer in layers[:1]}
        tails = {layer: count * half + judged.get(layer, 0) for layer, count in steps.items()}
        return Cost(tails=tails, segmented=sum(tails.values()))

    def tell(self, tables: Tables) -> Report:
        """See `Study.tell`."""
        return tell(tables)

    def _source(self) -> RegionSource:
        if self.bad == "labels":
            return "labels"
        return "masks" if isinstance(self.bad, Path) else "pictures"

    def _looked_at(self, cache: SampleCache) -> int:
        return min(self.samples or cache.samples, cache.samples)

    def _begin(self, model: Dissected) -> BadSamples:
        cache = model.bench.cache
        samples = self._looked_at(cache)
        if self.bad == "labels":
            bad = from_labels(cache, samples)
        elif isinstance(self.bad, Path):
            bad = from_masks(cache, mask_files(model.base / self.bad), samples)
        else:
            bad = from_pictures(cache, self.bad, samples)
        return BadSamples(model, bad, self.bad == "labels")

    def _edited(self, samples: BadSamples, half: list[int]) -> list[int]:
        """The first samples of a half with bad regions, and the first without."""
        some = samples.any
        worse, rest = ([i for i in half if some[i] is which] for which in (True, False))
        return sorted(worse[: self.edited] + rest[: self.edited // 2])
