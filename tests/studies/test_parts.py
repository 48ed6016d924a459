"""Effects and studies as parts of the results: resumable, repeatable, and only made when asked for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests import tiny
from tests.conftest import StopAt
from unit59.recipe.sections import RecipeError
from unit59.results import SearchRecord, SetsRecord, find_faults, read_model
from unit59.studies.effects.measure import check_ranking, choose_units

CAUSES = """\
effects: {samples: 8, extra: 4, floor: 0.05, layers: [layer1, layer3]}
searches:
  - concept: green
    floor: 0.05
    samples: 16
    layers: [layer1]
    title: "Unit 4: green"
    claim: {text: "Unit 4 of layer1 makes it green.", network: "<b>another</b>", layer: layer1, unit: 4}
sets:
  - {concept: green, layer: layer2, floor: 0.05, samples: 16, steps: 4, largest: 3, name: greens}
"""


def run(folder: Path, **values: Any) -> Path:
    """Dissect the tiny network on few samples."""
    return tiny.run(folder, **{"samples": 32, **values})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("finished"), more=CAUSES)


@pytest.fixture
def again(finished: Path, tmp_path: Path) -> Path:
    """A folder in which that run is done already."""
    shutil.copytree(finished.parents[1], tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_what_is_written_reads_back(finished: Path) -> None:
    assert list(find_faults(finished)) == []
    results = read_model(finished)
    measured = {layer.record.name: layer.effects for layer in results.layers}
    assert measured["layer2"] is None
    effects = measured["layer3"]
    assert effects is not None
    assert effects.record.numbers[: effects.record.samples] == list(range(8))
    assert len(effects.effects) == 2 * 4 * 11
    assert effects.attribution is not None
    layer = results.layers[2]
    strips = effects.units.filter(kind="ablate").drop_nulls("concept")
    assert len(strips)
    for unit, samples in strips.select("unit", "samples").rows():
        assert layer.picture(unit, "effect").is_file()
        assert len(samples) == 4
    cause, greens = results.studies
    assert isinstance(cause.record, SearchRecord)
    assert isinstance(greens.record, SetsRecord)
    assert (cause.record.name, greens.record.name) == ("cause-green", "greens")
    for study in results.studies:
        assert study.tables
        for picture in study.record.pictures:
            assert study.picture(picture.file).is_file()


def test_a_claim_is_kept_and_its_unit_measured_on_all_samples(finished: Path) -> None:
    cause = read_model(finished).studies[0]
    assert isinstance(cause.record, SearchRecord)
    assert cause.record.title == "Unit 4: green"
    assert cause.record.claim is not None
    assert (cause.record.claim.layer, cause.record.claim.unit) == ("layer1", 4)
    row = cause.tables["alone.parquet"].row(by_predicate=pl.col("unit") == 4, named=True)
    assert row["confirmed"]
    assert 0 <= row["rate_low"] <= row["rate"] <= row["rate_high"] <= 1
    strips = [picture for picture in cause.record.pictures if picture.units == [4]]
    assert any({"claimed off", "off"} & set(picture.rows) for picture in strips)


def test_a_search_takes_over_what_the_effects_measured(finished: Path, tmp_path: Path) -> None:
    """Layer1's effects had every unit off: the samples of these that show green and are searched on."""
    results = read_model(finished)
    cause, effects = results.studies[0], results.layers[0].effects
    assert isinstance(cause.record, SearchRecord)
    assert effects is not None
    taken = set(effects.record.numbers) & set(cause.record.search)
    assert len(taken) >= 8
    assert set(cause.tables["alone.parquet"]["shown"]) == {len(taken)}
    alone = read_model(run(tmp_path, more=CAUSES.replace("layers: [layer1, layer3]", "layers: [layer3]")))
    assert set(alone.studies[0].tables["alone.parquet"]["shown"]) == {len(cause.record.search)}


def test_older_results_have_neither(tmp_path: Path) -> None:
    results = read_model(run(tmp_path, layers="[layer1]"))
    assert results.studies == []
    assert results.layers[0].effects is None


@pytest.mark.parametrize("when", [2, 20, 45])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(
    finished: Path, tmp_path: Path, stop_at: StopAt, when: int
) -> None:
    run(tmp_path)
    stop_at(when)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, more=CAUSES)
    stop_at(10**9)
    assert tiny.contents(run(tmp_path, more=CAUSES)) == tiny.contents(finished)


def test_a_finished_run_does_nothing(again: Path, stop_at: StopAt) -> None:
    stop_at(1)
    run(again, more=CAUSES)


def test_a_changed_budget_makes_effects_and_the_searches_that_take_them_over(again: Path) -> None:
    folder = again / "results/tiny"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    run(again, more=CAUSES.replace("samples: 8, extra: 4", "samples: 12, extra: 0"))
    changed = {
        path.relative_to(folder).as_posix()
        for path, when in before.items()
        if path.stat().st_mtime_ns != when
    }
    assert {"layers/layer1/effects/effects.json", "studies/cause-green/study.json"} <= changed
    same = {
        "layers/layer1/units.parquet",
        "layers/layer1/pictures/0001-ablated.webp",
        "studies/greens/study.json",
    }
    assert not changed & same


def test_a_layer_that_is_made_anew_gets_its_effects_again(finished: Path, again: Path) -> None:
    (again / "results/tiny/layers/layer1/units.parquet").unlink()
    assert tiny.contents(run(again, more=CAUSES)) == tiny.contents(finished)


def test_what_the_recipe_no_longer_asks_for_goes(again: Path) -> None:
    plain = run(again)
    assert tiny.contents(plain) == tiny.contents(run(again, results="fresh", cache="fresh-cache"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("effects: {layers: [layer9]}", r"tiny.yaml:12: effects.layers.0: 'layer9' is none of the dissected"),
        ("searches: [{concept: gren}]", r"searches.0.concept: the segmenter has no concept 'gren'.*green"),
        (
            "sets: [{concept: green, layer: layer9}]",
            r"sets.0.layer: 'layer9' is none of the dissected layers",
        ),
        ("searches: [{concept: green}, {concept: green}]", "two studies are named 'cause-green'"),
        (
            "searches: [{concept: green, claim: {text: a, layer: b}}]",
            r"searches.0.claim.unit: the field is missing",
        ),
        ("effects: {unit: 3}", r"there is no such field.*units"),
        ("effects: {layers: layer1}", r"effects.layers: expected a list such as \[layer2\], or all"),
        ("effects: {floor: 0}", "effects.floor"),
    ],
)
def test_mistakes_are_said_with_their_place(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        run(tmp_path, more=more)


def test_a_concept_that_hardly_shows_is_too_rare(tmp_path: Path) -> None:
    more = "searches: [{concept: pink, floor: 0.9}]\nsets: [{concept: pink, layer: layer1, floor: 0.9}]"
    cause, sets = read_model(run(tmp_path, layers="[layer1]", more=more)).studies
    assert isinstance(cause.record, SearchRecord)
    assert (cause.record.verdict, cause.record.layers) == ("too rare", [])
    assert isinstance(sets.record, SetsRecord)
    assert sets.record.smallest == []
    assert sets.tables == {}


def test_a_budget_takes_the_first_ranked_and_some_of_the_rest() -> None:
    scores = {"a": np.array([0.1, 5.0, 0.2, 0.0]), "b": np.array([3.0, 0.3, 0.4])}
    measured, low = choose_units(scores, 2, 1, seed=1)
    assert set(measured["a"]) - set(low["a"]) == {1}
    assert set(measured["b"]) - set(low["b"]) == {0}
    assert len(low["a"]) == len(low["b"]) == 1
    assert choose_units(scores, 2, 1, seed=1) == (measured, low)
    assert choose_units(scores, "all", 5, seed=1)[0] == {"a": [0, 1, 2, 3], "b": [0, 1, 2]}


def test_effects_of_a_budget(tmp_path: Path) -> None:
    more = "effects: {samples: 8, extra: 0, floor: 0.05, units: 2, low_ranked: 1}"
    layers = read_model(run(tmp_path, more=more)).layers
    records = [layer.effects.record.ranking for layer in layers if layer.effects]
    assert sum(ranking.measured for ranking in records) == 2 + 3
    assert all(len(ranking.low_ranked) == 1 for ranking in records)
    assert {ranking.by for ranking in records} == {"attribution"}


def test_a_layer_that_gets_none_of_the_budget_says_so(tmp_path: Path) -> None:
    more = "effects: {samples: 8, extra: 0, floor: 0.05, units: 1, low_ranked: 0}"
    layers = read_model(run(tmp_path, more=more)).layers
    measured = [layer.effects.record.ranking.measured for layer in layers if layer.effects]
    assert sorted(measured) == [0, 0, 1]
    assert all(
        len(layer.effects.effects) == 22 * n
        for layer, n in zip(layers, measured, strict=True)
        if layer.effects
    )


def test_the_ranking_is_checked_against_what_was_measured() -> None:
    exact = np.random.default_rng(1).normal(size=(30, 3))
    perfect = check_ranking("ablate", list(range(30)), exact, exact, seed=1)
    assert perfect.spearman == pytest.approx(1)
    assert (perfect.top, perfect.missed) == (3, [])
    blind = exact.copy()
    blind[7] = 0
    exact[7] = 50
    assert check_ranking("ablate", list(range(100, 130)), blind, exact, seed=1).missed[0] == 107
