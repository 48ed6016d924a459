"""Which units to switch off, chosen on one half of the samples; what that does, judged on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from unit59.edit.edits import Edit
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.foundation.random import poisson_draws
from unit59.samples.shards import to_uint8
from unit59.stats.intervals import central, mean_interval
from unit59.stats.scores import Score
from unit59.studies.artifacts.facts import Judged
from unit59.studies.artifacts.marks import BadSamples
from unit59.studies.artifacts.repairs import BadRegions, Repairs, repairs_of
from unit59.studies.artifacts.tables import STEPS, StepRow
from unit59.studies.unit_sets import ladder

#: Pictures on the strips.
SHOWN = 8


@dataclass(frozen=True)
class Choice:
    """What did best on the first half.

    Attributes:
        steps: what switching off the first units of each layer does, a row a layer and number.
        layer: of the best.
        units: the best, in the order in which they agree with the bad regions.
    """

    steps: pl.DataFrame
    layer: str
    units: list[int]


def choose(samples: BadSamples, ranked: Mapping[str, list[int]], numbers: list[int]) -> Choice:
    """Try the first units of every layer; of what repairs most the layer and the fewest units.

    Args:
        samples: of the model.
        ranked: by layer, units that mark bad regions, best first.
        numbers: of the first half's samples.
    """
    rows: list[StepRow] = []
    sets = {layer: [units[:k] for k in ladder(len(units), between=False)] for layer, units in ranked.items()}
    total = sum(map(len, sets.values())) * len(numbers)
    with samples.model.step("artifacts: first half", total, "pictures") as advance:
        for layer, each in sets.items():
            repairs = _repairs(samples, layer, each, numbers, advance)
            score = _scores(samples, repairs)[_chosen_by(samples)]
            rows += [
                StepRow(layer, len(units), *map(float, (score.value[row], score.low[row], score.high[row])))
                for row, units in enumerate(each)
            ]
    best = min(rows, key=lambda row: (-row.score, row.off))
    return Choice(STEPS.frame(rows), best.layer, ranked[best.layer][: best.off])


@dataclass(frozen=True)
class Judgement:
    """What the chosen units do on the second half.

    Attributes:
        facts: numbers of the chosen units.
        sets: their scores and those of the random sets, a row a set.
        concepts: change of every concept's area.
        pictures: of the samples with the largest bad regions, by file name.
    """

    facts: Judged
    sets: pl.DataFrame
    concepts: pl.DataFrame
    pictures: dict[str, bytes]


def judge(
    samples: BadSamples, layer: str, units: list[int], numbers: list[int], random_sets: int
) -> Judgement:
    """The chosen units and random sets of the same size.

    Args:
        samples: of the model.
        layer: of the units.
        units: the chosen ones.
        numbers: of the second half's samples.
        random_sets: how many.
    """
    model = samples.model
    available, draw = model.bench.units(layer).count, model.random(0, "random sets of units")
    others = [sorted(map(int, draw.permutation(available)[: len(units)])) for _ in range(random_sets)]
    sets = [units, *others]
    with model.step("artifacts: second half", len(sets) * len(numbers), "pictures") as advance:
        repairs = _repairs(samples, layer, sets, numbers, advance)
    worst = sorted(numbers, key=lambda i: (-int(samples.bad[i].sum()), i))
    worst = [i for i in worst if samples.bad[i].any()][:SHOWN]
    scores = _scores(samples, repairs)
    return Judgement(
        _facts(samples, layer, units, repairs, scores, worst, [numbers.index(i) for i in worst]),
        _set_table(scores, labels=samples.labels),
        _concept_table(repairs, model.concepts),
        _strips(samples, layer, units, worst),
    )


def _facts(
    samples: BadSamples,
    layer: str,
    units: list[int],
    repairs: Repairs,
    scores: Mapping[str, Score],
    worst: list[int],
    rows: list[int],
) -> Judged:
    score = scores[_chosen_by(samples)]
    by_chance = score.value[1:]
    low, high = map(float, central(by_chance))
    surely = score.first.low > 0
    return Judged(
        layer=layer,
        units=units,
        with_bad=int((repairs.bad > 0).sum()),
        without=int((repairs.bad == 0).sum()),
        score=score.first,
        inside=scores["inside"].first,
        outside=scores["outside"].first,
        spoiled=scores["spoiled"].first if samples.labels else None,
        random_low=low,
        random_middle=float(np.percentile(by_chance, 50)),
        random_high=high,
        repairs=surely,
        beyond_random=surely and score.first.value > high,
        worst=worst,
        bad_before=(repairs.bad[rows] / repairs.pixels).tolist(),
        bad_after=(repairs.left[0, rows] / repairs.pixels).tolist() if samples.labels else None,
    )


def _set_table(scores: Mapping[str, Score], *, labels: bool) -> pl.DataFrame:
    """Scores of the chosen set and of the random ones."""
    count = len(scores["gone"].value)
    table = pl.DataFrame(
        {
            "set": ["chosen", *(f"random {number}" for number in range(1, count))],
            "kind": ["chosen", *["random"] * (count - 1)],
            **{name: score.value for name, score in scores.items()},
        }
    )
    return table if labels else table.with_columns(gone=None, spoiled=None)


def _concept_table(repairs: Repairs, names: Sequence[str]) -> pl.DataFrame:
    """Change of every concept's area by the chosen units, beside the range of the random sets."""
    mean = mean_interval(repairs.moved(0))
    others = np.stack([repairs.moved(edit).mean(axis=0) for edit in range(1, len(repairs.after))])
    low, high = central(others)
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


def _strips(samples: BadSamples, layer: str, units: list[int], numbers: list[int]) -> dict[str, bytes]:
    """Before and after, with the region that was bad outlined, and without."""
    pictures = samples.model.bench.sweep(layer).pictures(Edit.ablate(units), numbers)
    edge = tile_edge(int(pictures[0].shape[2]), int(pictures[0].shape[3]))
    rows = [list(to_uint8(row).cpu().numpy()) for row in pictures]
    masks = [samples.bad[number].numpy() for number in numbers]
    return {
        "outlined.webp": strip(
            [[tile(p, edge, mask) for p, mask in zip(row, masks, strict=True)] for row in rows]
        ),
        "plain.webp": strip([[tile(p, edge) for p in row] for row in rows]),
    }


def _chosen_by(samples: BadSamples) -> str:
    """The score that counts: bad area that is gone, or without labels more change there than elsewhere."""
    return "gone" if samples.labels else "excess"


def _scores(samples: BadSamples, repairs: Repairs) -> dict[str, Score]:
    recipe = samples.model.bench.measurer.recipe
    return repairs.scores(poisson_draws(recipe.seed, len(repairs.bad), recipe.bootstrap))


def _repairs(
    samples: BadSamples,
    layer: str,
    sets: list[list[int]],
    numbers: list[int],
    advance: Callable[[int], None],
) -> Repairs:
    """What sets of units do to the bad regions."""
    sweep = samples.model.bench.sweep(layer)
    probe = BadRegions.of(samples.bad, numbers, labels=samples.labels)
    height, width = sweep.cache.grid
    return repairs_of(
        sweep.all([Edit.ablate(units) for units in sets], numbers, probe, advance), height * width
    )
