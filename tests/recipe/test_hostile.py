"""YAML that would take the machine, and results that are files: one message."""

from __future__ import annotations

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
