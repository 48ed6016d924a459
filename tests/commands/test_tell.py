"""`unit59 tell`: the same words from the same tables, in an installation without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.studies.test_registry import OWN
from tests.test_cli import call

MORE = """\
searches: [{{concept: black, layers: [layer2], samples: 32, title: "{title}"}}]
effects: {{units: 2, samples: 8}}
studies: [agreement-vs-effect, "mine:Loudest"]
"""
#: `unit59` where importing torch is impossible.
CHILD = """
import sys
sys.modules["torch"] = None
from unit59.__main__ import main
main()
"""


def recipe(folder: Path, title: str = "Why is it dark?") -> dict[str, Any]:
    return {"layers": "[layer2]", "samples": 40, "more": MORE.format(title=title)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a search, effects, a study of the package and one of one's own."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "mine.py").write_text(OWN)
    tiny.run(folder, **recipe(folder))
    return folder


def tell(*arguments: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, "-c", CHILD, "tell", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, " ".join(done.stderr.split())


def test_telling_again_changes_nothing_and_needs_no_torch(folder: Path) -> None:
    before = tiny.contents(folder / "results/tiny")
    status, out, err = tell(folder / "results")
    assert (status, out) == (0, f"{folder / 'results'}: says the same as before.\n"), err
    assert err == (
        "tiny/studies/loudest: stays as it was told: mine:Loudest is a study of one's own; "
        "give the recipe that names it with --recipe."
    )
    assert tell(folder / "results", "--recipe", folder / "tiny.yaml") == (0, out, "")
    assert tiny.contents(folder / "results/tiny") == before


def test_a_recipes_new_words_are_told(folder: Path) -> None:
    tiny.write_recipe(folder, "words.yaml", **recipe(folder, "What makes it dark?"))
    status, out, _ = tell(folder / "results", "--recipe", folder / "words.yaml")
    assert status == 0
    changed = ["model.json", "studies/cause-black/study.json"]  # the model's page shows the recipe
    assert sorted(out.splitlines()) == [f"{folder}/results/tiny/{name}: told anew." for name in changed]
    told = json.loads((folder / "results/tiny/studies/cause-black/study.json").read_text())
    assert told["title"] == "What makes it dark?"
    assert tell(folder / "results", "--recipe", folder / "tiny.yaml")[0] == 0


def test_own_code_that_needs_torch_is_left_as_it_was(folder: Path) -> None:
    before = tiny.contents(folder / "results/tiny")
    (folder / "mine.py").write_text(f"import torch\n{OWN}")
    status, _, err = tell(folder / "results", "--recipe", folder / "tiny.yaml")
    (folder / "mine.py").write_text(OWN)
    assert status == 0
    assert "tiny/studies/loudest: stays as it was told" in err
    assert "torch" in err
    assert tiny.contents(folder / "results/tiny") == before


def test_what_cannot_be_told_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tiny.write_recipe(tmp_path, model="other")
    status, _, err = call(capsys, "tell", folder / "results", "--recipe", other)
    assert status == 2
    assert "no results of the model 'other'" in err
    status, _, err = call(capsys, "tell", tmp_path / "nowhere")
    assert status == 2
    assert "Traceback" not in err
