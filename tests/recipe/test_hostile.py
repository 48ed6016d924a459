"""YAML that would take the machine, and results that are files: one message."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.test_cli import call
from unit59.recipe.sections import RecipeError, read_recipe


def test_results_or_cache_that_are_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests import tiny

    path = tiny.write_recipe(tmp_path, samples=16)
    (tmp_path / "file").touch()
    for places in (("--results", "file", "--cache", "cache"), ("--results", "results", "--cache", "file")):
        given = [tmp_path / place if place in ("file", "cache", "results") else place for place in places]
        status, _, err = call(capsys, "dissect", path, *given)
        assert status == 2
        assert "file" in err
        assert "Traceback" not in err


RECIPE = "model: x\ntitle: X\ncheckpoint: x.pth\nsegmenter: colours\nsamples: 8\n"


def test_a_recipe_without_end_is_not_read_whole(tmp_path: Path) -> None:
    os.truncate(os.open(tmp_path / "x.yaml", os.O_CREAT | os.O_WRONLY), 1 << 40)
    with pytest.raises(RecipeError, match="more than the 262144 bytes"):
        read_recipe(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("layers: [" + "1, " * 9_000 + "1]\n", 9_001),
        ("".join(f"x{number}: 1\n" for number in range(6_000)), 6_000),
    ],
)
def test_of_thousands_of_mistakes_the_first_are_said(tmp_path: Path, text: str, count: int) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RECIPE + text)
    began = time.process_time()
    with pytest.raises(RecipeError, match=rf"\nAnd {count - 20} more\.$") as refused:
        read_recipe(path)
    assert len(str(refused.value).splitlines()) == 21
    assert time.process_time() - began < 20


def test_a_long_value_is_shown_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RECIPE + f"quantile: {'a' * 100_000}\n")
    with pytest.raises(RecipeError, match="aaaa…") as refused:
        read_recipe(path)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "text",
    [
        "effects: {samples: @}",
        "effects: {extra: @}",
        "effects: {units: @}",
        "effects: {low_ranked: @}",
        "effects: {shift: 1.0e+300}",
        "searches: [{concept: a, samples: @}]",
        "searches: [{concept: a, probe: @}]",
        "searches: [{concept: a, claim: {text: a, layer: a, unit: @}}]",
        "sets: [{concept: a, layer: a, samples: @}]",
        "sets: [{concept: a, layer: a, largest: @}]",
        "sets: [{concept: a, layer: a, steps: @}]",
    ],
)
def test_no_number_is_without_a_limit(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(RECIPE + text.replace("@", "1" + "0" * 29))
    with pytest.raises(RecipeError, match=r"x.yaml:6: .*should be less than or equal to"):
        read_recipe(path)


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, r"more than 20000 values, aliases counted"),
        ("a: &a [*a]\n", "an alias that holds itself"),
        ("a: &a {b: *a}\n", "an alias that holds itself"),
        ("layers: [" + "x, " * 60_000 + "x]\n", "more than 20000 values"),
        ("a: " + "[" * 60 + "]" * 60, "nested deeper than 40"),
        ("a: " + "[" * 100_000, "not valid YAML"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", r"x.yaml:4: b: the field stands there twice"),
        ("a: [{b: 1, b: 2}]\n", r"x.yaml:1: b: the field stands there twice"),
        ("a: 1" + ":59" * 80_000, r"a number of \d+ characters"),
        ('a: "\\ud800"\n', "a character that cannot be shown"),
        ('a: "\\e[31mred"\n', "a character that cannot be shown"),
        ('a: "\\0"\n', "a character that cannot be shown"),
    ],
)
def test_yaml_that_would_take_the_machine(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_recipe(tmp_path / "x.yaml")
