"""Textures: object and texture effects of changes that are known, and trends of known numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tests import tiny
from tests.studies.telling import tables_of, told_without_torch, written_report
from unit59.recipe.sections import RecipeError
from unit59.results import find_faults, read_model
from unit59.results.report import ReportRecord
from unit59.studies.textures.effects import effects, window_of
from unit59.studies.textures.facts import End
from unit59.studies.textures.measure import Textures
from unit59.studies.textures.numbers import MeasuredLayer, TextureNumbers, facts_of

SIDE = 20
ENDS: tuple[tuple[End, str], ...] = (("objects", "objects"), ("textures", "texture"))
STUDY = "studies: [{textures: {plane: colour, units: 4, samples: 10}}]"


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.run(tmp_path_factory.mktemp("textures"), samples=32, more=STUDY)


def plain() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((1, SIDE, SIDE, 3), 100, dtype=torch.uint8), torch.ones(1, SIDE, SIDE, dtype=torch.long)


def test_another_colour_everywhere_is_all_colour() -> None:
    before, labels = plain()
    found = effects(before, before + 7, (labels, labels), 5)[0]
    assert found.tolist() == pytest.approx([0, 7, 7, 0])


def test_a_chequered_change_is_mostly_detail() -> None:
    before, labels = plain()
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    signs = ((rows + columns) % 2 * 2 - 1)[None, :, :, None]
    after = (before.int() + 10 * signs).to(torch.uint8)
    objects, texture, colour, detail = effects(before, after, (labels, labels), 5)[0].tolist()
    assert objects == 0
    assert texture == pytest.approx(10)
    assert colour < 1
    assert detail > 9


def test_a_changed_object_leaks_into_no_texture() -> None:
    before, labels = plain()
    after, other = before.clone(), labels.clone()
    after[:, :, :5] = 250
    other[:, :, :5] = 2
    found = effects(before, after, (labels, other), 5)[0]
    assert found.tolist() == pytest.approx([0.25, 0, 0, 0])


def test_where_every_concept_changes_no_texture_is_left() -> None:
    before, labels = plain()
    assert effects(before, before + 9, (labels, labels + 1), 5)[0].tolist() == [1, 0, 0, 0]


def test_labels_may_be_on_a_smaller_grid() -> None:
    before, _ = plain()
    labels = torch.ones(1, 4, 4, dtype=torch.long)
    other = labels.clone()
    other[:, 0] = 2
    after = before.clone()
    after[:, :5] = 0
    assert effects(before, after, (labels, other), 5)[0].tolist() == pytest.approx([0.25, 0, 0, 0])


def test_the_window_grows_with_the_picture() -> None:
    assert [window_of(side, side) for side in (16, 64, 256, 1024)] == [3, 5, 17, 65]


def found_with(slope: float) -> TextureNumbers:
    """Four layers of 12 units whose object effect changes along the network and texture effect does not."""
    generator = np.random.default_rng(3)
    layers = []
    for depth in range(4):
        values = np.abs(generator.normal(1, 0.02, (8, 12, 4))) * generator.uniform(1, 2, (1, 12, 1))
        values[:, :, 0] *= 0.1 * np.exp(slope * depth)
        layers.append(MeasuredLayer(f"layer{depth}", depth, list(range(12)), values))
    noise = np.zeros((8, 2, 4))
    noise[:, :, 0], noise[:, :, 1] = 0.01, [1.0, 4.0]
    return TextureNumbers(layers, {"noise": noise}, list(range(8)), 5, 0)


@pytest.mark.parametrize("slope", [-0.5, 0.5])
def test_a_trend_is_found_either_way(slope: float) -> None:
    found = found_with(slope)
    for value, low, high in (found.trend.numbers, found.trend_at_equal_texture.numbers):
        assert min(value * slope, low * slope, high * slope) > 0
    assert found.units["beyond"].all()
    facts = facts_of(found, "object", [])
    assert facts.direction == ("rises" if slope > 0 else "falls")
    assert facts.holds_at_equal_texture


def test_without_a_trend_none_is_sure() -> None:
    found = found_with(0.0)
    _, low, high = found.trend.numbers
    assert low < 0 < high
    assert facts_of(found, "object", []).direction == "open"


def test_units_that_stand_out_have_large_effects() -> None:
    found = found_with(-0.5)
    units = found.units
    for end, column in ENDS:
        least = units[column].quantile(0.75, "nearest")
        for layer, unit in found.standing_out(end):
            assert units.filter(layer=layer, unit=unit)[column].item() >= least
    assert {layer for layer, _ in found.standing_out("objects")} == {"layer0"}
    assert {layer for layer, _ in found.standing_out("textures")} == {"layer3"}


def test_units_that_change_nothing_have_no_ratio() -> None:
    found = found_with(0.0)
    found.layers[0].values[:, 3] = 0
    assert found.units.filter(pl.col("ratio").is_null()).select("layer", "unit").rows() == [("layer0", 3)]


def test_it_reads_back_and_repeats_itself(dissected: Path, tmp_path: Path) -> None:
    assert list(find_faults(dissected)) == []
    (study,) = read_model(dissected).studies
    assert isinstance(study.record, ReportRecord)
    table = study.tables["units.parquet"]
    assert table.group_by("layer").len()["len"].to_list() == [4, 4, 4]
    for picture in study.record.pictures:
        assert study.picture(picture.file).is_file()
    tables, again = tables_of(Textures, lambda: tiny.run(tmp_path, samples=32, more=STUDY))
    assert tiny.contents(again / "studies") == tiny.contents(dissected / "studies")
    told = told_without_torch("unit59.studies.textures.tell", tables, tmp_path)
    assert told == written_report(again / "studies/textures")


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="this one's planes are colour"):
        tiny.run(tmp_path, more="studies: [textures]")
    with pytest.raises(RecipeError, match="no plane 'objects'"):
        tiny.run(tmp_path, more="studies: [{textures: {plane: objects}}]")
    with pytest.raises(RecipeError, match="'layer9' is none of the dissected layers"):
        tiny.run(tmp_path, more="studies: [{textures: {layers: [layer9]}}]")
