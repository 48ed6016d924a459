"""Sets: curves, the smallest set, and what ACE finds, against the planted truth."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.edit.planting import levels_of, planted_cache, planted_sweep
from tests.planted.things import THINGS
from tests.studies.telling import told_without_torch
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import SetsSection
from unit59.results import table_bytes
from unit59.results.schema import ALONE, STAIRCASE
from unit59.segmenters import Concept, Segmenter
from unit59.stats.rates import Floor
from unit59.studies.cause.answers import find_cases
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.sets.ace import Optimised, optimise_set
from unit59.studies.sets.curves import SetCurves, cost, measure_curves
from unit59.studies.sets.measure import measure_sets
from unit59.studies.sets.tell import tell
from unit59.studies.unit_sets import RANDOM_SETS, ladder

NAMES = [thing.name for thing in THINGS]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return planted_sweep(tmp_path_factory.mktemp("planted"))


def optimised(bench: Sweep, name: str) -> Optimised:
    tail = Tail(bench.cache, bench.layer)
    found = optimise_set(tail, bench.levels, NAMES.index(name) + 1, range(64), seed=1, steps=60)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def rug(bench: Sweep) -> SetCurves:
    concept = NAMES.index("rug") + 1
    cases = find_cases(bench.plain(range(64)).counts, concept, Floor(0.002, 1024), 16)
    subject = ConceptAtLayer(bench, concept, 0.002, cases)
    iou = [1.0 if unit in THINGS[2].units else 0.0 for unit in range(32)]
    done: list[int] = []
    found = measure_curves(subject, iou, optimised(bench, "rug"), 12, 1, done.append)
    assert sum(done) == cost(subject, 12, 3)
    return found


@pytest.mark.parametrize(("name", "needed"), [("lamp", [5]), ("bed", [2, 9]), ("rug", [7, 11])])
def test_ace_finds_the_planted_set(bench: Sweep, name: str, needed: list[int]) -> None:
    found = optimised(bench, name)
    assert sorted(found.order[: len(needed)]) == needed
    assert found.alpha[needed].min() > 2 * np.delete(found.alpha, needed).max()
    assert found.ace.low > 0


def test_ace_needs_scores(tmp_path: Path) -> None:
    class Blind(Segmenter):
        planes, concepts = ("object",), (Concept("thing", "object", "#000000"),)

        def segment(self, images):  # type: ignore[no-untyped-def]
            return images[:, :1].long() * 0

    cache = planted_cache(tmp_path, segmenter=Blind(), samples=8)
    assert optimise_set(Tail(cache, "layer1"), levels_of(cache, "layer1"), 1, range(8), seed=1) is None


def test_curves_fall_where_the_pair_is_complete(rug: SetCurves) -> None:
    curve = rug.steps.filter(order="iou", kind="ablate").sort("count")
    assert curve["count"].to_list() == ladder(12)
    assert curve["left"].to_list() == [1.0] + [0.0] * (len(curve) - 1)
    assert rug.steps.filter(order="iou", kind="insert", count=1)["rate"].item() == 1  # either brings it
    assert rug.orders["ace"][:2] in ([7, 11], [11, 7])


def test_random_orders_stand_beside(rug: SetCurves) -> None:
    band = rug.steps.filter(order="random", kind="ablate")
    assert band.group_by("count").len()["len"].to_list() == [RANDOM_SETS] * len(ladder(12))
    assert band["left"].mean() > 0.8  # type: ignore[operator]  # a number


def test_the_smallest_set_is_the_pair_along_every_order(rug: SetCurves) -> None:
    assert {each.order for each in rug.smallest} == {"iou", "effect", "ace"}
    for each in rug.smallest:
        assert each.units == [7, 11]
        assert each.erasure is not None
        assert each.erasure.rate == 1


def test_tables_fit_their_schemas(rug: SetCurves) -> None:
    assert len(pl.read_parquet(table_bytes(rug.steps, STAIRCASE))) == len(rug.steps)
    assert len(pl.read_parquet(table_bytes(rug.alone, ALONE))) == 32


@pytest.mark.parametrize("floor", [0.002, 0.9])
def test_sets_are_told_from_their_tables_alone(bench: Sweep, tmp_path: Path, floor: float) -> None:
    """Where the concept is too rare there is nothing but the record."""
    material: Any = SimpleNamespace(
        cache=bench.cache,
        counts=bench.plain(range(64)).counts,
        sweep=lambda layer: bench,
        levels=lambda layer: bench.levels,
        agreement=lambda layer: np.eye(32, len(NAMES)),
    )
    section = SetsSection(concept="lamp", layer=bench.layer, floor=floor, samples=16, steps=2, largest=2)
    measured = measure_sets(material, "lamps", section, 1, Reporter(quiet=True))
    record = tell(measured)
    assert (len(record.orders), len(measured.frames)) == ((0, 0) if floor == 0.9 else (3, 2))
    assert told_without_torch("unit59.studies.sets.tell", measured, tmp_path) == record.model_dump(
        mode="json"
    )
