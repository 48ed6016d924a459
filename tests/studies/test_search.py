"""The search returns the planted truth, and the planted nothing."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.edit.planting import planted_sweep
from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from tests.planted.things import THINGS
from tests.studies.telling import told_without_torch
from unit59.edit.sweep import Sweep
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import ClaimSection, SearchSection
from unit59.results import SearchRecord, table_bytes
from unit59.results.schema import STUDY_TABLES, LayerSearch
from unit59.samples.cache import SampleCache
from unit59.stats.rates import Floor
from unit59.studies.cause.answers import find_cases
from unit59.studies.cause.concept import ConceptAtLayer
from unit59.studies.cause.measure import measure_search
from unit59.studies.cause.reduction import minimise, shortest_prefix
from unit59.studies.cause.search import LayerPlan, search_layer
from unit59.studies.cause.tell import tell, tell_layer
from unit59.studies.cause.verdict import strongest
from unit59.studies.tables import Tables
from unit59.studies.unit_sets import ladder, random_sets

NAMES = [thing.name for thing in THINGS]
FLOOR = 0.002


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sweep]:
    folder = tmp_path_factory.mktemp("planted")
    return {layer: planted_sweep(folder, layer, samples=96) for layer in ("layer1", "layer2")}


def agreement(bench: Sweep, concept: int) -> list[float]:
    """IoU of every unit's map above one half with a thing, from the planted scene."""
    network = bench.cache.sampler.network
    assert isinstance(network, Planted)
    state = network.run(bench.cache.sampler.start(range(96)), until=bench.layer)
    on, there = state["x"] > 0.5, state["scene"][:, concept - 1 : concept] > 0.5
    both, either = (on & there).sum(dim=(0, 2, 3)), (on | there).sum(dim=(0, 2, 3))
    return [float(value) for value in both / either.clamp(min=1)]


@dataclass(frozen=True)
class Found:
    """A layer's search, told."""

    record: LayerSearch
    tables: dict[str, pl.DataFrame]


def search(benches: dict[str, Sweep], layer: str, name: str) -> Found:
    bench, concept = benches[layer], NAMES.index(name) + 1
    counts = bench.plain(range(96)).counts
    cases = find_cases(counts, concept, Floor(FLOOR, 32 * 32), 32)
    subject = ConceptAtLayer(bench, concept, FLOOR, cases)
    finding = search_layer(subject, LayerPlan.by_iou(agreement(bench, concept)), seed=1)
    return Found(tell_layer(finding.facts), finding.tables)


@pytest.mark.parametrize(
    ("layer", "name", "verdict", "causes"),
    [
        ("layer1", "lamp", "sole cause", [5]),
        ("layer1", "bed", "one of few", [2, 9]),  # both are needed: each alone erases
        ("layer1", "rug", "one of few", [7, 11]),  # either suffices: only both together erase
        ("layer1", "clock", "sole cause", [13]),  # it does not agree at all with what it causes
        ("layer1", "window", "none", []),  # unit 3 agrees perfectly and causes nothing
        ("layer2", "bed", "sole cause", [1]),
        ("layer2", "window", "none", []),
    ],
)
def test_the_planted_truth(
    benches: dict[str, Sweep], layer: str, name: str, verdict: str, causes: list[int]
) -> None:
    record = search(benches, layer, name).record
    assert (record.verdict, record.causes) == (verdict, causes)


def test_what_many_share_is_distributed(benches: dict[str, Sweep]) -> None:
    record = search(benches, "layer1", "wall").record
    assert record.verdict == "distributed"
    assert len(record.causes) == 6  # of the eleven: without six, fewer than half are left
    assert set(record.causes) <= set(THINGS[3].units)
    assert record.minimised


def test_the_numbers_of_the_sole_cause_are_exact(benches: dict[str, Sweep]) -> None:
    found = search(benches, "layer1", "clock")
    record = found.record
    assert record.left == 0
    assert (record.erasure.rate, record.erasure.hits) == (1, 16)
    assert record.all_but is not None
    assert record.all_but.rate == 0
    assert len(record.rest) == 15
    assert 13 not in record.rest
    assert record.random_erasure_max == 0
    assert record.side == 0
    # A remote cause only draws where the thing is meant to be: switching it on brings nothing elsewhere.
    assert record.insertion.rate == 0
    assert (record.prefix, record.order) == (1, "effect")
    assert (record.jump_unit, record.jump_from, record.jump_to) == (13, 1.0, 0.0)
    by_iou = found.tables["staircase.parquet"].filter(order="iou").sort("count")
    assert set(by_iou["left"]) == {0.0, 1.0}
    assert {rule.name for rule in record.rules if rule.met} >= {
        "erases",
        "beyond chance",
        "one",
        "all but it",
    }


def test_insertion_brings_the_lamp(benches: dict[str, Sweep]) -> None:
    record = search(benches, "layer1", "lamp").record
    assert record.insertion.rate == 1
    assert record.random_insertion_max == 0


def test_nothing_says_what_came_nearest(benches: dict[str, Sweep]) -> None:
    record = search(benches, "layer1", "window").record
    assert record.prefix is None
    assert record.tried
    assert record.left == 1
    assert record.erasure.rate == 0


def test_tables_fit_their_schemas_and_do_not_change(benches: dict[str, Sweep], tmp_path: Path) -> None:
    first = search(benches, "layer1", "lamp").tables
    other = planted_sweep(tmp_path, "layer1", samples=96)
    second = search({"layer1": other}, "layer1", "lamp").tables
    assert set(first) == set(STUDY_TABLES)
    for name, schema in STUDY_TABLES.items():
        assert table_bytes(first[name], schema) == table_bytes(second[name], schema)
    cases = first["cases.parquet"]
    assert (cases.filter(kind="ablate")["after"] == 0).all()
    assert cases.filter(kind="ablate")["all_but"].equals(
        cases.filter(kind="ablate")["before"].alias("all_but")
    )
    other_things = first["specificity.parquet"].filter(concept=2)
    assert (other_things["effect"].item(), other_things["q"].item()) == (0, 1)


class Searched(NamedTuple):
    """A search, measured and told."""

    record: SearchRecord
    measured: Tables


def searched(benches: dict[str, Sweep], layers: list[str], segmenter: Any = None, **values: Any) -> Searched:
    """A recipe's search on the planted network."""
    cache = benches["layer1"].cache
    material: Any = SimpleNamespace(
        cache=cache if segmenter is None else _other(cache, segmenter),
        counts=benches["layer1"].plain(range(96)).counts,
        sweep=benches.__getitem__,
        levels=lambda layer: benches[layer].levels,
        agreement=lambda layer: np.stack(
            [agreement(benches[layer], n) for n in range(1, len(NAMES) + 1)], axis=1
        ),
    )
    section = SearchSection(floor=FLOOR, samples=32, **values)
    measured = measure_search(material, "study", section, layers, 1, Reporter(quiet=True))
    return Searched(tell(measured, section), measured)


def _other(cache: SampleCache, segmenter: Any) -> SampleCache:
    changed = copy(cache)
    changed.segmenter = segmenter
    return changed


class Unscored(PlantedSegmenter):
    """Says what it sees, and not how sure it is."""

    def segment(self, images: Tensor) -> Tensor:
        return PlantedSegmenter().segment(images)

    def logits(self, images: Tensor) -> list[Tensor | None]:
        return [None]


def test_a_short_probe_takes_the_units_that_attribution_puts_first(benches: dict[str, Sweep]) -> None:
    """Unit 13 causes the clock without agreeing with it: by agreement it would not be among two of 32."""
    study = searched(benches, ["layer1"], concept="clock", probe=2)
    record = study.record
    assert (record.probe, record.ranked_by) == (2, "attribution")
    assert (record.verdict, record.causes) == ("sole cause", [13])
    alone = study.measured.frames["alone.parquet"]
    assert len(alone) == 2
    assert 13 in alone["unit"].to_list()


def test_without_scores_a_short_probe_goes_by_agreement(benches: dict[str, Sweep]) -> None:
    study = searched(benches, ["layer1"], Unscored(), concept="lamp", probe=2)
    record = study.record
    assert record.ranked_by == "iou"
    assert 5 in study.measured.frames["alone.parquet"]["unit"].to_list()


@pytest.mark.parametrize("unit", [5, 20])
def test_a_claim_changes_nothing_but_that_its_unit_is_measured(benches: dict[str, Sweep], unit: int) -> None:
    claim = ClaimSection(text="That unit makes the lamp.", layer="layer1", unit=unit)
    with_claim = searched(benches, ["layer1", "layer2"], concept="lamp", claim=claim, probe=4)
    without = searched(benches, ["layer1", "layer2"], concept="lamp", probe=4)
    one, other = with_claim.record, without.record
    assert one.layers == other.layers
    assert (one.claim is not None, other.claim) == (True, None)
    row = with_claim.measured.frames["alone.parquet"].filter(layer="layer1", unit=unit)
    assert row["confirmed"].to_list() == [True]
    assert row["rate"].to_list() == [1.0 if unit == 5 else 0.0]
    strips = [picture.units for picture in one.pictures if "claimed off" in picture.rows]
    assert strips == ([] if unit == 5 else [[20]])


def test_a_claim_on_a_unit_that_is_not_there_is_kept(benches: dict[str, Sweep]) -> None:
    claim = ClaimSection(text="That unit makes the lamp.", layer="layer1", unit=99)
    study = searched(benches, ["layer1"], concept="lamp", claim=claim)
    assert study.record.claim is not None
    assert len(study.measured.frames["alone.parquet"]) == 32


def test_asking_whether_a_set_erases_stops_when_it_is_sure(benches: dict[str, Sweep]) -> None:
    bench, concept = benches["layer1"], NAMES.index("bed") + 1
    cases = find_cases(bench.plain(range(96)).counts, concept, Floor(FLOOR, 32 * 32), 40)
    subject = ConceptAtLayer(bench, concept, FLOOR, cases)
    asked: list[int] = []
    off = subject.off
    subject.off = lambda units, numbers: asked.append(len(numbers)) or off(units, numbers)  # type: ignore[method-assign, func-returns-value]
    for units, answer, groups in (([2], True, 2), ([3], False, 1)):
        asked.clear()
        assert subject.erases(units, cases.search, 0.8) is answer
        assert len(asked) == groups
        assert (off(units, cases.search).rate >= 0.8) is answer


def test_a_search_over_layers_names_the_strongest_verdict(benches: dict[str, Sweep]) -> None:
    study = searched(benches, ["layer1", "layer2"], concept="bed")
    record = study.record
    assert (record.verdict, record.layer, record.causes) == ("sole cause", "layer2", [1])
    assert [layer.verdict for layer in record.layers] == ["one of few", "sole cause"]
    assert {picture.file for picture in record.pictures} == set(study.measured.pictures)
    assert set(study.measured.frames["staircase.parquet"]["layer"]) == {"layer1", "layer2"}


def test_of_equal_verdicts_the_layer_that_erases_most_often_is_named() -> None:
    def found(layer: str, verdict: str, rate: float) -> dict[str, Any]:
        return {"layer": layer, "verdict": verdict, "erasure": {"rate": rate}}

    layers = [
        found("a", "none", 1.0),
        found("b", "one of few", 0.8),
        found("c", "one of few", 0.9),
        found("d", "one of few", 0.9),
    ]
    assert strongest(layers) == layers[2]
    assert strongest([]) is None


def test_tables_say_what_the_rates_count(benches: dict[str, Sweep]) -> None:
    study = searched(benches, ["layer1"], concept="lamp")
    (layer,), frames = study.record.layers, study.measured.frames
    hits = frames["cases.parquet"].group_by("kind").agg(pl.col("hit").sum(), pl.col("all_but_hit").sum())
    counted = {kind: (hit, spared) for kind, hit, spared in hits.rows()}
    assert counted["ablate"] == (layer.erasure.hits, layer.all_but and layer.all_but.hits)
    assert counted["insert"] == (layer.insertion.hits, 0)
    alone = frames["alone.parquet"].filter("confirmed")
    assert (alone["hits"] / len(study.record.confirm)).to_list() == alone["rate"].to_list()
    found = frames["specificity.parquet"]
    assert found["found"].to_list() == (found["q"] <= 0.05).to_list()


def test_a_search_is_told_from_its_tables_alone(benches: dict[str, Sweep], tmp_path: Path) -> None:
    claim = ClaimSection(text="That unit makes the lamp.", layer="layer1", unit=20)
    record, measured = searched(benches, ["layer1", "layer2"], concept="lamp", claim=claim)
    told = told_without_torch("unit59.studies.cause.tell", measured, tmp_path)
    assert told == record.model_copy(update={"claim": None}).model_dump(mode="json")  # the recipe's words
    assert all(rule.says for layer in record.layers for rule in layer.rules)
    assert "says" not in str(measured.facts)


# ---- the parts


@given(st.sets(st.integers(0, 40), min_size=1, max_size=5), st.randoms())
def test_delta_debugging_finds_the_needed_units(needed: set[int], random: object) -> None:
    units = list(range(41))
    random.shuffle(units)  # type: ignore[attr-defined]  # hypothesis' random
    kept, whole = minimise(units, lambda some: needed <= set(some), 10_000)
    assert (set(kept), whole) == (needed, True)


@given(st.integers(1, 60), st.integers(1, 60))
def test_bisection_finds_the_jump(units: int, jump: int) -> None:
    found = shortest_prefix(range(units), ladder(units), lambda some: len(some) >= jump)
    assert found == (jump if jump <= units else None)


def test_minimising_stops_at_its_budget() -> None:
    kept, whole = minimise(range(40), lambda some: len(set(some)) >= 20, 5)
    assert not whole
    assert len(kept) >= 20


def test_random_sets_are_sets_of_others_and_repeat() -> None:
    sets = random_sets(range(10, 30), 5, 20, seed=3)
    assert sets == random_sets(range(10, 30), 5, 20, seed=3)
    assert all(len(set(each)) == 5 and set(each) <= set(range(10, 30)) for each in sets)
    assert len({tuple(each) for each in sets}) > 15


def test_cases_are_the_first_samples_on_either_side() -> None:
    counts = np.array([[5], [0], [10], [50], [0], [20]])
    cases = find_cases(counts, 1, Floor(0.1, 100), most=2)
    assert (cases.shown, cases.absent) == ([2, 3], [1])
    assert (cases.search, cases.confirm) == ([2], [3])
