"""A recipe's `real`: from pictures in a folder to a part of the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests import tiny
from tests.conftest import StopAt
from unit59.bedrooms.inputs import COMPARED
from unit59.bedrooms.scenes import draw
from unit59.bedrooms.segmenter import Bedrooms
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import RecipeError, read_recipe
from unit59.results import find_faults, read_model
from unit59.run import Options, dissect
from unit59.samples.forms import load_real
from unit59.samples.shards import to_uint8
from unit59.segmenters.colours import Colours
from unit59.stats.comparison import FLOOR
from unit59.stats.frechet import frechet
from unit59.studies.layers.measure import LayerPart
from unit59.studies.quality.measure import choose

REAL = "real: {folder: photos}"


def photographs(folder: Path, count: int = 40) -> Path:
    """Pictures of 32 x 32 pixels in two colours each."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    for number in range(count):
        pixels = np.empty((32, 32, 3), np.uint8)
        pixels[:], pixels[: rng.integers(4, 28)] = rng.integers(0, 256, (2, 3))
        Image.fromarray(pixels).save(folder / "photos" / f"{number:02d}.png")
    return folder


def run(folder: Path, **values: Any) -> Path:
    return tiny.run(photographs(folder), layers="[layer1]", samples=24, more=REAL, **values)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("finished"))


def test_the_numbers_are_those_of_the_pictures(finished: Path) -> None:
    assert list(find_faults(finished)) == []
    results = read_model(finished)
    assert results.quality is not None
    record, table = results.quality.record, results.quality.table
    assert (record.real, record.generated, record.half, record.sheet) == (40, 24, 20, (3, 8))
    assert record.agreement is None
    assert table["agreement"].null_count() == len(table)
    assert results.quality.picture.is_file()

    folder, segmenter = finished.parents[1], Colours()
    pictures = load_real({"folder": "photos"}, folder, (32, 32))
    labels = segmenter.segment(pictures.load(range(40)))[:, 0].flatten(1).numpy()
    shares = np.stack([(labels == number).mean(1) for number in range(1, len(table) + 1)], axis=1)
    assert table["presence_real"].to_list() == pytest.approx((shares >= FLOOR).mean(0))
    assert table["area_real"].to_list() == pytest.approx(shares.mean(0))
    order = choose(40, 48, 3)
    assert sorted(order) == list(range(40))
    halves = 100 * shares[order[:20]], 100 * shares[order[20:]]
    assert record.distance_of_halves == pytest.approx(frechet(*halves), abs=1e-3)
    shown = results.concepts.sort("concept")["share"].to_list()
    assert table["area_generated"].to_list() == pytest.approx(shown)


@pytest.mark.parametrize("when", [2, 4, 6, 7])
def test_interrupted_and_run_again_it_ends_with_the_same_bytes(
    finished: Path, tmp_path: Path, stop_at: StopAt, when: int
) -> None:
    photographs(tmp_path)
    tiny.run(tmp_path, layers="[layer1]", samples=24)  # what comes before is there already
    stop_at(when)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    stop_at(10**9)
    assert tiny.contents(run(tmp_path)) == tiny.contents(finished)


def test_only_what_depends_on_it_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run(tmp_path)
    before = (folder / "quality" / "quality.json").read_bytes()
    monkeypatch.setattr(LayerPart, "measure", None)  # made again, it would be called
    (tmp_path / "photos" / "00.png").write_bytes((tmp_path / "photos" / "01.png").read_bytes())
    tiny.run(tmp_path, layers="[layer1]", samples=24, more=REAL)
    assert (folder / "quality" / "quality.json").read_bytes() != before
    tiny.run(tmp_path, layers="[layer1]", samples=24)
    assert not list(folder.rglob("quality.*"))
    assert not (folder / "quality" / "pictures" / "real.webp").exists()
    assert read_model(folder).quality is None


def test_pix2pix_is_held_to_what_it_was_asked_for(tmp_path: Path) -> None:
    weights = Path("dissect/unit59/bedrooms/weights/pix2pix.safetensors").resolve()
    recipe = tmp_path / "p.yaml"
    recipe.write_text(
        f"model: p\ntitle: P\ncheckpoint: {weights}\nsegmenter: [colours, bedrooms]\nlayers: [layer6]\n"
        "inputs: {bedrooms: 16}\nreal: {bedrooms: 20}\nsamples: 16\nexemplars: 1\n"
    )
    options = Options(tmp_path / "results", tmp_path / "cache")
    results = read_model(dissect(read_recipe(recipe), options, Reporter(quiet=True)))
    assert results.quality is not None
    record = results.quality.record
    assert record.real == 20
    assert record.agreement is not None
    known = results.quality.table.filter(pl.col("agreement").is_not_null())
    assert set(known["plane"]) == {"object"}
    assert {"wall", "bed"} <= set(known["label"])
    assert record.agreement == pytest.approx(known["agreement"].mean(), abs=1e-5)
    assert 0.6 < record.agreement < 1
    assert json.loads(record.source) == {"bedrooms": 20}


def test_real_scenes_are_not_those_whose_labels_a_model_is_given() -> None:
    real = load_real({"bedrooms": 20}, Path(), (64, 64))
    pictures = to_uint8(real.load([3, 5])).numpy()
    assert (pictures == draw([3, 5], COMPARED).pictures).all()
    assert len(Bedrooms().segment(real.load([0]))) == 1


def test_of_pairs_the_pictures_are_taken(tmp_path: Path) -> None:
    for name, level in (("maps", 0), ("images", 255)):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8), (level, level, level)).save(tmp_path / name / "a.png")
    real = load_real({"labels": "maps", "images": "images"}, tmp_path, (8, 8))
    assert real.load([0]).min() == 1


def test_a_choice_is_random_and_of_the_seed() -> None:
    assert choose(1000, 20, 1) == choose(1000, 20, 1) != choose(1000, 20, 2)
    chosen = choose(1000, 20, 1)
    assert len(set(chosen)) == 20
    assert chosen != sorted(chosen)


@pytest.mark.parametrize(
    ("real", "message"),
    [
        ("{foldr: photos}", r"r\.yaml:\d+: real: expected exactly one of .*did you mean 'folder'"),
        ("{folder: nowhere}", r"real: .*nowhere: there is no such folder"),
        ("{folder: photos}", r"real: 3 pictures; at least 16 are needed"),
    ],
)
def test_mistakes(tmp_path: Path, real: str, message: str) -> None:
    photographs(tmp_path, 3)
    path = tiny.write_recipe(tmp_path, "r.yaml", more=f"real: {real}")
    with pytest.raises(RecipeError, match=message):
        dissect(read_recipe(path), Options(tmp_path / "r", tmp_path / "c"), Reporter(quiet=True))
