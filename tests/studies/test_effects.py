"""Single-unit effects equal the planted truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.edit.planting import PlantedBench, levels_of, planted_bench
from tests.planted.network import CELL, SIDE
from tests.planted.things import THINGS
from unit59.edit.attribution import attribute, score
from unit59.stats.first import judged, told_first
from unit59.stats.rates import Floor
from unit59.studies.effects.units import MeasuredEffects, choose_samples, measure_effects

NAMES = [thing.name for thing in THINGS]
PIXELS = (SIDE * CELL) ** 2
BAND = (SIDE // len(THINGS)) * SIDE * CELL**2 / PIXELS
FIXED = 48


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> PlantedBench:
    return planted_bench(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def found(bench: PlantedBench) -> MeasuredEffects:
    everything = list(range(32))
    return measure_effects(
        bench, "layer1", {"ablate": everything, "insert": everything}, range(64), FIXED, 0.002
    )


def row(found: MeasuredEffects, kind: str, unit: int, name: str) -> dict[str, float]:
    table = found.table.filter(kind=kind, unit=unit, label=name)
    assert len(table) == 1
    return table.row(0, named=True)


def test_ablating_the_sole_cause_takes_its_mean_share(bench: PlantedBench, found: MeasuredEffects) -> None:
    shares = bench.sweep("layer1").plain(range(64)).counts[:, 0] / PIXELS
    lamp = row(found, "ablate", 5, "lamp")
    assert lamp["before"] == pytest.approx(shares[:FIXED].mean())
    assert lamp["effect"] == pytest.approx(-shares[:FIXED].mean())
    assert lamp["se"] == pytest.approx(shares[:FIXED].std(ddof=1) / np.sqrt(FIXED))
    assert lamp["low"] < lamp["effect"] < lamp["high"] < 0
    assert (lamp["shown"], lamp["erased"], lamp["erasure_rate"]) == (
        (shares > 0).sum(),
        (shares > 0).sum(),
        1,
    )
    assert lamp["side"] == 0
    assert (lamp["others_low"], lamp["others_high"]) == (0, 0)


def test_inserting_it_fills_what_is_left_of_its_band(bench: PlantedBench, found: MeasuredEffects) -> None:
    shares = bench.sweep("layer1").plain(range(64)).counts[:, 0] / PIXELS
    lamp = row(found, "insert", 5, "lamp")
    assert lamp["effect"] == pytest.approx(BAND - shares[:FIXED].mean())
    assert (lamp["absent"], lamp["inserted"], lamp["insertion_rate"]) == ((shares == 0).sum(),) * 2 + (1,)


def test_every_discovery_is_planted_and_every_planted_cause_is_discovered(found: MeasuredEffects) -> None:
    discovered = found.table.filter(pl.col("q") <= 0.05).select("kind", "unit", "label").rows()
    ablating = {("ablate", 5, "lamp"), ("ablate", 2, "bed"), ("ablate", 9, "bed"), ("ablate", 13, "clock")}
    inserting = {("insert", 5, "lamp"), ("insert", 7, "rug"), ("insert", 11, "rug")}
    assert set(discovered) == ablating | inserting
    assert found.discoveries == {"ablate": 4, "insert": 3}
    assert found.tests == {"ablate": 32 * 6, "insert": 32 * 6}


def test_the_summary_names_what_each_unit_does_most(found: MeasuredEffects) -> None:
    units = found.units.filter(kind="ablate")
    assert units["unit"].to_list() == list(range(32))
    named = {unit: label for unit, label in units.select("unit", "label").rows() if label}
    assert named == {2: "bed", 5: "lamp", 9: "bed", 13: "clock"}
    assert units.filter(unit=5).row(0, named=True)["beyond_others"]
    assert units.filter(unit=3)["change"].item() == 0


def test_what_only_this_unit_does_is_named_before_what_all_do_more() -> None:
    """Unit 0 changes the bed more than the cushion, but the bed no more than its neighbours do."""
    rows = {"concept": [1, 2], "label": ["bed", "cushion"], "effect": [-0.05, -0.01], "q": [0.001, 0.001]}
    bounds = {"others_low": [-0.06, -0.001], "others_high": [0.06, 0.001]}
    table = pl.DataFrame({"unit": [0, 0], "kind": "ablate", **rows, **bounds})
    assert told_first(judged(table))["label"].item() == "cushion"


def test_rows_do_not_depend_on_how_many_units_are_measured_beside(
    bench: PlantedBench, found: MeasuredEffects
) -> None:
    alone = measure_effects(bench, "layer1", {"ablate": [5, 7]}, range(64), FIXED, 0.002)
    columns = ["unit", "label", "effect", "se", "low", "high", "p", "erased", "shown", "side"]
    wanted = found.table.filter(pl.col("unit").is_in([5, 7]), kind="ablate").select(columns)
    assert alone.table.select(columns).equals(wanted)


def test_the_style_is_a_handle_too(tmp_path: Path) -> None:
    bench = planted_bench(tmp_path, samples=16)
    found = measure_effects(bench, "layer1.style", {"neutral": [5], "down": [5]}, range(16), 16, 0.002)
    assert (found.table["effect"] == 0).all()  # the planted styles never vary: neutral, and no spread


# ---- which samples


@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(1, 60), st.integers(1, 5))),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_extra_samples_are_for_rare_concepts(shown: np.ndarray, fixed: int, extra: int) -> None:
    order = choose_samples(shown, fixed, extra)
    first = min(fixed, len(shown))
    assert order[:first] == list(range(first))
    assert len(set(order)) == len(order) <= first + extra
    counts = shown[order].sum(axis=0)
    unchosen = np.delete(shown, order, axis=0)
    if len(order) < first + extra:  # stopped early: nothing rare is left
        assert ((counts >= fixed / 2) | ~unchosen.any(axis=0)).all()


def test_the_gap_between_shown_and_absent() -> None:
    limit = Floor(0.01, 1000)
    assert limit.shows(np.array([9, 10])).tolist() == [False, True]
    assert limit.lacks(np.array([0, 1])).tolist() == [True, False]
    assert Floor(1e-6, 100).lacks(np.array([0, 1])).tolist() == [True, False]


# ---- the cheap ranking


def test_attribution_ranks_causes_before_what_only_agrees(bench: PlantedBench) -> None:
    levels = {layer: levels_of(bench.cache, layer) for layer in ("layer1", "layer2")}
    given = attribute(bench.cache, levels, range(64))
    one = given["layer1"]
    assert set(np.argsort(one.ablate[:, 0])[:1]) == {5}
    assert np.abs(one.ablate[3]).max() == 0  # agrees with the window, causes nothing
    assert (one.ablate[[16, 20, 26], NAMES.index("wall")] < 0).all()
    assert given["layer2"].ablate[0, 0] < 0
    ranked = np.argsort(-score(given)["layer1"])
    assert 5 in ranked[:8]
    assert ranked.tolist().index(3) > 20


def test_attribution_is_the_slope_of_the_soft_area(bench: PlantedBench) -> None:
    """Against finite differences of the soft area."""
    from unit59.edit.attribution import soft_areas

    network, segmenter = bench.cache.sampler.network, bench.cache.segmenter
    state = network.run(bench.cache.sampler.start(range(8)), until="layer2")
    given = attribute(bench.cache, {"layer2": levels_of(bench.cache, "layer2")}, range(8))["layer2"]

    def area(x: torch.Tensor) -> torch.Tensor:
        image = network.run({**state, "x": x}, after="layer2")["image"]
        return dict(soft_areas(segmenter, image))[1].double().mean()

    x = state["x"].clone()
    x[:, 0] *= 0.98
    estimate = (area(x) - area(state["x"])) / 0.02
    assert given.ablate[0, 0] == pytest.approx(float(estimate), rel=0.15)
