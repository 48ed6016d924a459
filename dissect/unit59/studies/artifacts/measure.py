"""Artifacts: the units whose activity marks bad regions, and what switching them off repairs and costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from unit59.edit.edits import Edit
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.measure.agreement import (
    count_agreement,
    interval,
    iou,
    null_scores,
    null_shifts,
    poisson_draws,
)
from unit59.results import sha256_of
from unit59.samples.cache import SHARD, SampleCache, key_of, to_uint8
from unit59.stats.intervals import mean_interval
from unit59.studies.artifacts.bad_regions import from_labels, from_masks, from_pictures, in_halves, mask_files
from unit59.studies.artifacts.repairs import Repairs, try_out
from unit59.studies.artifacts.tell import Found, Judged, write_report
from unit59.studies.base import Dissected, Study, StudyError, Whole
from unit59.studies.outlines.drawn import NEEDS_LABELS, what_is_asked

#: Pictures on the strips.
SHOWN = 8
#: Fewer samples do not make two halves with a null each.
FEWEST = 8


@dataclass(frozen=True)
class _Work:
    """What every step of a run needs.

    Attributes:
        model: that is studied.
        bad: bool [samples,h,w].
        key: of the samples and of what is bad in them.
        labels: whether known labels say what is bad.
    """

    model: Dissected
    bad: Tensor
    key: str
    labels: bool


class Artifacts(Study):
    """Find the units whose activity marks bad regions, switch them off, and see what it repairs and costs."""

    version: ClassVar[int] = 2

    bad: Literal["labels"] | tuple[Annotated[int, Field(ge=0)], ...] | Path = "labels"
    """``labels`` (where a conditional model shows something else than asked for), the numbers of bad
    samples, or a folder of masks by sample number, white where bad."""
    samples: Annotated[int, Field(ge=FEWEST)] | None = None
    """How many samples are looked at, from the first on; by default all."""
    edited: Annotated[int, Field(ge=2, le=10_000)] = 24
    """How many samples with bad regions are edited, in each half; half as many without any."""
    most: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many units of one layer are switched off together, at most."""
    random_sets: Annotated[int, Field(ge=20, le=1000)] = 20
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

    def run(self, model: Dissected) -> Whole:
        """See `Study.run`."""
        work = self._begin(model)
        halves = in_halves(work.bad)
        found = Found(
            source="labels" if work.labels else "masks" if isinstance(self.bad, Path) else "pictures",
            samples=len(work.bad),
            with_bad=int(work.bad.flatten(1).any(dim=1).sum()),
            share=float(work.bad.double().mean()),
            half=len(halves[0]),
            layers=model.layers,
            most=self.most,
        )
        if all(work.bad[half].any() for half in halves):
            found.units = pl.concat([self._marks(work, layer, halves[0]) for layer in model.layers]).sort(
                "beyond", "iou", descending=True, maintain_order=True
            )
            ranked = {
                layer: found.units.filter(pl.col("layer") == layer, pl.col("beyond"))["unit"].to_list()[
                    : self.most
                ]
                for layer in model.layers
            }
            ranked = {layer: units for layer, units in ranked.items() if units}
            if ranked:
                found.steps, layer, units = self._choose(work, ranked, self._edited(work, halves[0]))
                found.judged = self._judge(work, layer, units, self._edited(work, halves[1]))
        return write_report(found)

    def _looked_at(self, cache: SampleCache) -> int:
        return min(self.samples or cache.samples, cache.samples)

    def _begin(self, model: Dissected) -> _Work:
        cache = model.material.cache
        samples, files = self._looked_at(cache), self.files(model.base)
        if self.bad == "labels":
            bad = from_labels(cache, samples)
        elif isinstance(self.bad, Path):
            bad = from_masks(cache, mask_files(model.base / self.bad), samples)
        else:
            bad = from_pictures(cache, self.bad, samples)
        key = key_of(
            study="artifacts",
            version=self.version,
            labels=model.material.labels_key,
            bad=str(self.bad),
            masks=[(path.name, sha256_of(path)) for path in files],
            samples=samples,
        )
        return _Work(model, bad, key, self.bad == "labels")

    def _edited(self, work: _Work, half: list[int]) -> list[int]:
        """The first samples of a half with bad regions, and the first without."""
        some = work.bad.flatten(1).any(dim=1)
        worse, rest = ([i for i in half if bool(some[i]) is which] for which in (True, False))
        return sorted(worse[: self.edited] + rest[: self.edited // 2])

    # ---- which units mark bad regions

    def _marks(self, work: _Work, layer: str, half: list[int]) -> pl.DataFrame:
        """How well each unit's mask agrees with what is bad, and what chance gives: a row a unit."""
        measurer = work.model.material.measurer
        found, recipe, count = measurer.activities(layer), measurer.recipe, len(half)
        bad = work.bad[half].flatten(1).long()[:, None]
        with work.model.step(f"{layer}: marks", count, "samples") as tick:
            agreement = count_agreement(
                _steps(work.model.material.cache, layer, half, tick),
                lambda places: bad[places],
                measurer.grid(layer),
                found.thresholds.value,
                1,
                count,
                poisson_draws(recipe.seed, count, recipe.bootstrap),
                null_shifts(recipe.seed, count, recipe.shuffles),
            )
        score, null = iou(agreement.both, agreement.mask, agreement.area)[:, 0], null_scores(agreement)
        low, high = interval(agreement)
        return pl.DataFrame(
            {
                "layer": [layer] * len(score),
                "unit": np.arange(len(score)),
                "iou": score,
                "iou_low": low[:, 0],
                "iou_high": high[:, 0],
                "null": null.mean[:, 0],
                "null_99": null.bound[:, 0],
                "bad_share": agreement.both[:, 0] / np.maximum(agreement.mask, 1),
                "beyond": score > null.bound[:, 0],
            }
        )

    # ---- what switching them off does

    def _choose(
        self, work: _Work, ranked: dict[str, list[int]], numbers: list[int]
    ) -> tuple[pl.DataFrame, str, list[int]]:
        """Try the first units of every layer; of what repairs most the layer and the fewest units."""
        rows: list[dict[str, Any]] = []
        sets = {layer: [units[:k] for k in _ladder(len(units))] for layer, units in ranked.items()}
        total = sum(map(len, sets.values())) * len(numbers)
        with work.model.step("artifacts: first half", total, "pictures") as advance:
            for layer, each in sets.items():
                repairs = self._try(work, layer, each, numbers, advance)
                scores = repairs.scores(self._weights(work, len(numbers)))
                score = scores["gone" if work.labels else "excess"]
                rows += [
                    {
                        "layer": layer,
                        "off": len(units),
                        "score": float(score.value[row]),
                        "low": float(score.low[row]),
                        "high": float(score.high[row]),
                    }
                    for row, units in enumerate(each)
                ]
        best = min(rows, key=lambda row: (-row["score"], row["off"]))
        return pl.DataFrame(rows), best["layer"], ranked[best["layer"]][: best["off"]]

    def _judge(self, work: _Work, layer: str, units: list[int], numbers: list[int]) -> Judged:
        """The chosen units and random sets on the other half."""
        model = work.model
        available = model.network.layers[layer].units
        draw = model.random(1)
        others = [
            sorted(map(int, draw.permutation(available)[: len(units)])) for _ in range(self.random_sets)
        ]
        sets = [units, *others]
        with model.step("artifacts: second half", len(sets) * len(numbers), "pictures") as advance:
            repairs = self._try(work, layer, sets, numbers, advance)
        scores = repairs.scores(self._weights(work, len(numbers)))
        worst = sorted(numbers, key=lambda i: (-int(work.bad[i].sum()), i))
        worst = [i for i in worst if work.bad[i].any()][:SHOWN]
        rows = [numbers.index(i) for i in worst]
        return Judged(
            layer=layer,
            units=units,
            with_bad=int((repairs.bad > 0).sum()),
            without=int((repairs.bad == 0).sum()),
            scores={name: score[[0]] for name, score in scores.items()},
            random={name: score.value[1:] for name, score in scores.items()},
            concepts=_concepts(repairs, model.concepts),
            worst=worst,
            strips=_strips(work, layer, units, worst),
            below=[
                f"{before / repairs.pixels:.0%} bad → {after / repairs.pixels:.0%}"
                for before, after in zip(repairs.bad[rows], repairs.left[0, rows], strict=True)
            ],
        )

    def _try(
        self, work: _Work, layer: str, sets: list[list[int]], numbers: list[int], advance: Any
    ) -> Repairs:
        """Counts, kept in the cache."""
        cache = work.model.material.cache
        key = key_of(key=work.key, layer=layer, sets=sets, numbers=numbers)
        count = partial(try_out, cache, layer, sets, work.bad, numbers, labels=work.labels, advance=advance)
        height, width = cache.grid
        found = work.model.material.measurer.remember(f"artifacts-{layer}", key, count)
        return Repairs(**found, pixels=height * width)

    def _weights(self, work: _Work, count: int) -> NDArray[np.int64]:
        recipe = work.model.material.measurer.recipe
        return poisson_draws(recipe.seed, count, recipe.bootstrap)


def _ladder(most: int) -> list[int]:
    """1, 2, 4, … and all."""
    return sorted({min(2**k, most) for k in range(most.bit_length() + 1)})


def _steps(cache: SampleCache, layer: str, half: list[int], tick: Any) -> Iterator[tuple[int, Tensor]]:
    """Activations of a half's samples, by their place in it."""
    first = 0
    for shard in range(len(cache.shards)):
        rows = [number % SHARD for number in half if number // SHARD == shard]
        if rows:
            yield first, cache.activations(layer, shard)[rows]
            first += len(rows)
            tick(len(rows))


def _concepts(repairs: Repairs, names: Sequence[str]) -> pl.DataFrame:
    """Change of every concept's area by the chosen units, beside the range of the random sets."""
    mean = mean_interval(repairs.moved(0))
    others = np.stack([repairs.moved(edit).mean(axis=0) for edit in range(1, len(repairs.after))])
    low, high = np.percentile(others, [2.5, 97.5], axis=0)
    shown = (repairs.before.sum(axis=0) > 0) | (repairs.after[0].sum(axis=0) > 0)
    return pl.DataFrame(
        {
            "concept": list(names),
            "before": repairs.before.mean(axis=0) / repairs.pixels,
            "change": mean.value,
            "low": mean.low,
            "high": mean.high,
            "random_low": low,
            "random_high": high,
        }
    ).filter(pl.Series(shown))


def _strips(work: _Work, layer: str, units: list[int], numbers: list[int]) -> dict[str, bytes]:
    """Before and after, with the region that was bad outlined, and without."""
    pictures = work.model.material.bench(layer).pictures(Edit.ablate(units), numbers)
    edge = tile_edge(int(pictures[0].shape[2]), int(pictures[0].shape[3]))
    rows = [list(to_uint8(row).numpy()) for row in pictures]
    masks = [work.bad[number].numpy() for number in numbers]
    return {
        "outlined.webp": strip(
            [[tile(p, edge, mask) for p, mask in zip(row, masks, strict=True)] for row in rows]
        ),
        "plain.webp": strip([[tile(p, edge) for p in row] for row in rows]),
    }
