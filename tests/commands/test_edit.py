"""`unit59 edit`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests import tiny
from unit59.cli import app
from unit59.commands.edit import parse_numbers, random_edits
from unit59.edit.edits import Edit
from unit59.edit.regions import EditError
from unit59.foundation.errors import Unit59Error


def edit(folder: Path, *options: str) -> str:
    recipe = tiny.write_recipe(folder, samples=16, layers="[layer2]")
    given = ["edit", str(recipe), "--out", str(folder / "out"), "--cache", str(folder / "cache"), *options]
    result = CliRunner().invoke(app, given, catch_exceptions=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def picture(folder: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(folder / "out" / name)).astype(int)


def test_it_writes_pictures_and_prints_effects(tmp_path: Path) -> None:
    left = tmp_path / "out/.000007-after.png.1.partial"  # of one that was killed
    left.parent.mkdir()
    left.touch()
    said = edit(tmp_path, "--layer", "layer1", "--units", "0-2", "--ablate", "--samples", "0-2,9")
    assert "effect" in said
    assert sorted(path.name for path in (tmp_path / "out").glob("*-before.png")) == [
        f"{number:06d}-before.png" for number in (0, 1, 2, 9)
    ]
    before, after, difference = (
        picture(tmp_path, f"000009-{kind}.png") for kind in ("before", "after", "difference")
    )
    assert (before != after).any()
    assert np.array_equal(difference, (255 + after - before) // 2)
    table = pl.read_csv(tmp_path / "out/effects.csv")
    assert table["effect"].abs().is_sorted(descending=True)
    assert (table["random_low"] <= table["random_high"]).all()
    assert not list((tmp_path / "cache").rglob("layer*/*.safetensors"))  # no samples were needed
    assert not left.exists()


def test_levels_come_from_the_samples(tmp_path: Path) -> None:
    edit(tmp_path, "--layer", "layer2", "--units", "1", "--insert", "--samples", "3")
    high = picture(tmp_path, "000003-after.png")
    edit(tmp_path, "--layer", "layer2", "--units", "1", "--insert", "--quantile", "0.01", "--samples", "3")
    assert (high != picture(tmp_path, "000003-after.png")).any()
    edit(tmp_path, "--layer", "layer2", "--units", "1", "--ablate", "--mean", "--samples", "3")
    assert (high != picture(tmp_path, "000003-after.png")).any()


def test_a_box_keeps_the_rest(tmp_path: Path) -> None:
    where = ("--box", "0,0,0.25,1")
    edit(tmp_path, "--layer", "layer3", "--units", "0", "--insert", "--level", "9", *where, "--samples", "0")
    changed = (picture(tmp_path, "000000-before.png") != picture(tmp_path, "000000-after.png")).any(
        axis=(1, 2)
    )
    assert changed[:8].any()
    assert not changed[10:].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--layer", "layer1", "--units", "0"), "one of --ablate, --insert and --scale"),
        (("--layer", "layer1", "--units", "0", "--ablate", "--insert"), "one of --ablate"),
        (("--layer", "layer1", "--units", "x", "--ablate"), "--units 'x': expected numbers"),
        (("--layer", "layr1", "--units", "0", "--ablate"), "no layer 'layr1'.*layer1"),
        (("--layer", "layer1", "--units", "6", "--ablate"), "unit 6: layer1 has 6 units"),
        (("--layer", "layer1", "--units", "0", "--insert"), "does not dissect layer1.*--level"),
        (("--layer", "layer1", "--units", "0", "--ablate", "--box", "1"), "box: "),
        (("--layer", "layer1", "--units", "0", "--ablate", "--concept", "gren"), "no concept 'gren'.*green"),
        (("--layer", "layer1", "--units", "0", "--ablate", "--quantile", "0.5"), "quantile"),
        (("--layer", "layer1", "--units", "0", "--ablate", "--mask", "none.png"), "none.png"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    with pytest.raises(Unit59Error, match=said):
        edit(tmp_path, *options)


def test_random_sets_are_the_same_edit_of_others() -> None:
    edit = Edit.insert([1, 2], level=3.0)
    drawn = random_edits(edit, 6, 20, seed=1)
    assert all(len(each.units) == 2 and not {1, 2} & set(each.units) for each in drawn)
    assert {each.model_copy(update={"units": (1, 2)}) for each in drawn} == {edit}
    assert all(len(each.units) == 4 for each in random_edits(Edit.ablate([0, 1, 2, 3]), 6, 20, seed=1))


def test_numbers() -> None:
    assert parse_numbers("59, 12,0-3,2", "units") == [59, 12, 0, 1, 2, 3]
    for wrong in ("", "1-", "a", "-3", "1,,2", "0-99999999"):
        with pytest.raises(EditError, match="--units"):
            parse_numbers(wrong, "units")
