"""Artifacts: a planted one is found and repaired; where there is none, or none to blame, it says so."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from tests import tiny
from tests.edit.planting import planted_sweep
from tests.studies import planted_unet, telling
from unit59.edit.edits import Edit
from unit59.recipe.sections import RecipeError
from unit59.results.reader import read_model
from unit59.results.report import ReportRecord
from unit59.studies.artifacts.bad_regions import in_halves
from unit59.studies.artifacts.measure import Artifacts
from unit59.studies.artifacts.repairs import BadRegions, Repairs, repairs_of
from unit59.studies.base import StudyError
from unit59.studies.tables import Tables

STUDY = "  - artifacts: {edited: 8, most: 4}"


def report(folder: Path) -> ReportRecord:
    (study,) = read_model(folder).studies
    assert isinstance(study.record, ReportRecord)
    for picture in study.record.pictures:
        assert study.picture(picture.file).is_file()
    return study.record


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, Path]:
    run = partial(planted_unet.run, tmp_path_factory.mktemp("artifact"), STUDY, artifact=True)
    return telling.tables_of(Artifacts, run)


@pytest.fixture(scope="module")
def planted(measured: tuple[Tables, Path]) -> Path:
    return measured[1]


def test_it_is_told_without_torch(measured: tuple[Tables, Path], tmp_path: Path) -> None:
    tables, folder = measured
    told = telling.told_without_torch("unit59.studies.artifacts.tell", tables, tmp_path)
    assert told == telling.written_report(folder / "studies/artifacts")


def test_the_planted_unit_is_found_and_repaired(planted: Path) -> None:
    record = report(planted)
    assert record.number is not None
    assert record.number.value == 1
    assert f"Switching off unit {planted_unet.ARTIFACT} of layer1 takes away 100 %" in record.answer
    sets = pl.read_parquet(planted / "studies/artifacts/sets.parquet")
    assert sets.filter(kind="chosen")["gone"].to_list() == [1]
    assert sets.filter(kind="chosen")["spoiled"].to_list() == [0]
    assert sets.filter(kind="chosen")["outside"].to_list() == [0]
    assert len(sets.filter(kind="random")) == 20
    (marks, *_) = record.sections
    assert [(ref.layer, ref.unit) for ref in marks.units] == [("layer1", planted_unet.ARTIFACT)]


def test_the_planted_unit_agrees_best_with_what_is_bad(planted: Path) -> None:
    units = pl.read_parquet(planted / "studies/artifacts/units.parquet").sort("iou", descending=True)
    assert units.row(0, named=True)["unit"] == planted_unet.ARTIFACT
    assert units.row(0, named=True)["beyond"]


def test_where_nothing_is_bad_there_is_nothing_to_find(tmp_path: Path) -> None:
    record = report(planted_unet.run(tmp_path, STUDY, samples=16, layers="[layer1]"))
    assert record.answer.startswith("There is too little to look for: 0 of 16 samples")
    assert (record.number, record.sections, record.tables) == (None, [], [])


def test_where_no_unit_is_to_blame_it_says_so(tmp_path: Path) -> None:
    record = report(planted_unet.run(tmp_path, STUDY, segmenter="Mistaken", layers="[layer1]"))
    assert record.number is not None
    assert record.number.low is not None
    assert record.number.low <= 0
    assert "does not repair" in record.answer


def test_masks_and_numbers_of_bad_samples(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    picture = np.zeros((32, 32), np.uint8)
    picture[8:16] = 255
    for number in (1, 4, 9, 12):
        Image.fromarray(picture).save(masks / f"{number:04d}.png")
    more = "studies: [{artifacts: {bad: masks, edited: 4}}, {artifacts: {bad: [1, 4, 9], name: named}}]"
    folder = tiny.run(tmp_path, samples=24, layers="[layer3]", more=more)
    marked, named = (study.record for study in read_model(folder).studies)
    assert isinstance(marked, ReportRecord)
    assert isinstance(named, ReportRecord)
    assert marked.settings["bad"] == "masks"
    assert "4 of the first 24 samples" in marked.method[0]
    assert "3 of the first 24 samples" in named.method[0]
    before = (folder / "studies/artifacts/study.json").read_bytes()
    Image.fromarray(255 - picture).save(masks / "0004.png")
    tiny.run(tmp_path, samples=24, layers="[layer3]", more=more)
    assert (folder / "studies/artifacts/study.json").read_bytes() != before


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ("artifacts", r"bad: labels. needs inputs .* For any other model say what is bad: .bad: masks/"),
        ("artifacts: {bad: nowhere}", "nowhere: there is no such folder of images"),
        ("artifacts: {bad: [3, 99]}", "there is no sample 99; 24 are looked at"),
        ("artifacts: {bad: []}", "no sample is named"),
        ("artifacts: {bad: wrong}", r"one.png: name each mask by its sample's number"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, study: str, said: str) -> None:
    (tmp_path / "wrong").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "wrong" / "one.png")
    with pytest.raises(RecipeError, match=said):
        tiny.run(tmp_path, samples=24, layers="[layer1]", more=f"studies: [{{{study}}}]")


def test_a_mask_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "3.png").write_bytes(b"nothing")
    with pytest.raises(StudyError, match=r"3\.png"):
        tiny.run(tmp_path, samples=24, layers="[layer1]", more="studies: [{artifacts: {bad: masks}}]")


def test_halves_share_the_bad_ones() -> None:
    bad = torch.zeros(11, 2, 2, dtype=torch.bool)
    bad[[0, 2, 4, 6, 7]] = True
    first, second = in_halves(bad)
    assert sorted(first + second) == list(range(11))
    assert ({0, 4, 7} <= set(first), {2, 6} <= set(second)) == (True, True)
    assert abs(len(first) - len(second)) <= 1


def test_what_sets_do_equals_slow_counting(tmp_path: Path) -> None:
    sweep = planted_sweep(tmp_path, samples=12)
    cache, numbers, sets = sweep.cache, [1, 4, 5, 8, 9, 10, 11, 0, 2], [[5], [7, 11], [0]]
    bad = torch.from_numpy(np.random.default_rng(1).random((12, 32, 32)) < 0.3)
    probe = BadRegions.of(bad, numbers, labels=False)
    repairs = repairs_of(sweep.all([Edit.ablate(units) for units in sets], numbers, probe), 32 * 32)
    assert (repairs.left == 0).all()
    network = cache.sampler.network
    for row, number in enumerate(numbers):
        state = network.run(cache.sampler.start([number] * 8), until="layer1")
        before = network.run(state, after="layer1")["image"][0]
        for edit, units in enumerate(sets):
            x = state["x"].clone()
            x[:, units] = 0
            after = network.run({**state, "x": x}, after="layer1")["image"][0]
            levels = [((p.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0) for p in (before, after)]
            change = (levels[1] - levels[0]).abs().sum(dim=2)
            assert repairs.inside[edit, row] == int(change[bad[number]].sum())
            assert repairs.outside[edit, row] == int(change[~bad[number]].sum())
            shown = cache.segmenter.segment(after[None])[0, 0]
            assert repairs.after[edit, row].tolist() == [int((shown == c).sum()) for c in range(1, 7)]
    assert repairs.bad.tolist() == [int(bad[number].sum()) for number in numbers]


def test_scores_are_ratios_of_sums() -> None:
    repairs = Repairs(
        bad=np.array([10, 0]),
        left=np.array([[4, 2]]),
        spoiled=np.array([[1, 2]]),
        inside=np.array([[300, 0]]),
        outside=np.array([[90, 60]]),
        inside_pixels=np.array([10, 0]),
        outside_pixels=np.array([90, 100]),
        before=np.array([[5], [5]]),
        after=np.array([[[10], [5]]]),
        pixels=100,
    )
    scores = repairs.scores(np.array([[1, 1], [2, 0]]))
    assert scores["gone"].value.tolist() == [pytest.approx(0.4)]
    assert scores["gone"].drawn[:, 0].tolist() == pytest.approx([0.4, 0.6])
    assert scores["spoiled"].value.tolist() == [pytest.approx(3 / 190)]
    assert scores["inside"].value.tolist() == [pytest.approx(10)]
    assert scores["outside"].value.tolist() == [pytest.approx(150 / 570)]
    assert repairs.moved(0).tolist() == [[0.05], [0.0]]
