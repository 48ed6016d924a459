"""Exact needs, end to end: a change measures what hangs on it and nothing else; words measure nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from unit59.commands.tell import tell_results
from unit59.run import Run
from unit59.studies.part import Part

MORE = """\
effects: {{samples: {effects}, extra: 2}}
searches:
  - {{concept: red, title: "{title}", samples: 16, probe: 2, layers: [layer2]}}
studies:
  - agreement-vs-effect: {{name: mine}}
  - artifacts: {{bad: [1, 4, 9], edited: {edited}}}
"""
LAYERS = {"layers/layer1", "layers/layer2"}
EFFECTS = {f"{layer}/effects" for layer in LAYERS}


class Tried:
    """A recipe that is run again and again."""

    def __init__(self, folder: Path, measured: list[str]) -> None:
        self.folder, self.measured = folder, measured
        self.run()

    def run(self, effects: int = 8, title: str = "Red", edited: int = 4, **values: Any) -> set[str]:
        """Run it; names of the parts that were measured."""
        self.measured.clear()
        more = MORE.format(effects=effects, title=title, edited=edited)
        self.results = tiny.run(self.folder, layers="[layer1, layer2]", samples=24, more=more, **values)
        assert len(set(self.measured)) == len(self.measured)
        return set(self.measured)


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    measured: list[str] = []
    measure = Run._measure

    def noted(run: Run, part: Part) -> None:
        measured.append(part.name)
        measure(run, part)

    monkeypatch.setattr(Run, "_measure", noted)
    yield Tried(tmp_path, measured)


def test_everything_is_measured_once(tried: Tried) -> None:
    studies = {"studies/cause-red", "studies/mine", "studies/artifacts"}
    assert set(tried.measured) == {"model", *LAYERS, *EFFECTS, *studies}
    assert tried.run() == set()


def test_a_title_measures_nothing_and_is_told_where_it_is_read(tried: Tried) -> None:
    before = tiny.contents(tried.results)
    assert tried.run(title="What makes it red?", cache="elsewhere") == set()
    after = tiny.contents(tried.results)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"studies/cause-red/study.json", "model.json", "manifest.json"}
    assert b"What makes it red?" in after["studies/cause-red/study.json"]
    assert not (tried.folder / "elsewhere" / "tiny" / "samples").exists()
    tried.run()
    assert tiny.contents(tried.results) == before  # told again, the same bytes


def test_a_study_s_setting_measures_that_study(tried: Tried) -> None:
    assert tried.run(edited=5) == {"studies/artifacts"}


def test_samples_of_effects_measure_the_effects_and_what_reads_them(tried: Tried) -> None:
    # The search takes over which units were swept on which samples.
    assert tried.run(effects=9) == {*EFFECTS, "studies/mine", "studies/cause-red"}


def test_telling_alone_keeps_the_words_that_were_told_last(tried: Tried) -> None:
    tried.run(title="What makes it red?")
    before = tiny.contents(tried.results)
    assert tell_results(tried.results.parent, None) == ([], [])
    assert tiny.contents(tried.results) == before
