"""Exact needs, end to end: a change measures what hangs on it and nothing else; words measure nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests import tiny
from unit59.commands.tell import tell_results
from unit59.edit.questions import SweepTask
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import Recipe, read_recipe
from unit59.run import Options, Run
from unit59.store import Kept
from unit59.studies.part import Part
from unit59.studies.stored import Stored
from unit59.studies.telling import kind_of

MORE = """\
quantile: 0.05
insert_quantile: 0.9
similar: 1
grid: 16
effects: {samples: 8, extra: 2}
searches:
  - {concept: red, title: "Red", samples: 16, probe: 2, layers: [layer2]}
sets:
  - {concept: red, layer: layer2, samples: 16, steps: 2, largest: 2}
studies:
  - agreement-vs-effect: {name: mine}
  - artifacts: {bad: [1, 4, 9], edited: 4}
  - textures: {plane: colour, samples: 4, layers: [layer2]}
  - own:Reader: {name: reader}
"""
#: A study that reads the units of one layer and does nothing else; and what else a recipe may name.
OWN = """\
from unit59.handles.channels import Channel
from unit59.segmenters.colours import Colours
from unit59.studies.base import LayersStudy
from unit59.studies.tables import Report, Tables


class Reader(LayersStudy):
    reads = frozenset({"units"})
    uses = frozenset()
    layers: list[str] = ["layer1"]

    def measure(self, model):
        return Tables(facts={"units": len(model.units("layer1"))})

    def tell(self, tables):
        return Report("How many?", str(tables.facts["units"]), [], [], [])


class Other(Colours):
    pass


class Same(Channel):
    pass
"""

LAYERS = {"layers/layer1", "layers/layer2"}
EFFECTS = {f"{layer}/effects" for layer in LAYERS}
SEARCH, SETS, MINE = "studies/cause-red", "studies/sets-layer2-red", "studies/mine"
ARTIFACTS, TEXTURES, READER = "studies/artifacts", "studies/textures", "studies/reader"
EVERYTHING = {"model", *LAYERS, *EFFECTS, SEARCH, SETS, MINE, ARTIFACTS, TEXTURES, READER}
#: What is of all layers, or reads one in which similar units are looked for; the others are of layer2 alone.
OF_ALL = {"model", *LAYERS, *EFFECTS, MINE, ARTIFACTS, READER}

Change = tuple[str, str]
#: By field of a recipe: what is changed in its text, and the parts that are stale then.
FIELDS: dict[str, tuple[Change, set[str]]] = {
    "model": (("model: tiny", "model: other"), EVERYTHING),
    "title": (("title: A tiny", "title: A small"), set()),
    "summary": (("says nothing", "says little"), set()),
    "checkpoint": (("tiny.pth", "other.pth"), EVERYTHING),
    "segmenter": (("segmenter: colours", "segmenter: own:Other"), EVERYTHING),
    "layers": (
        ("layers: [layer1, layer2]", "layers: [layer1, layer2, layer3]"),
        {*OF_ALL, "layers/layer3", "layers/layer3/effects"},
    ),
    "handles": (
        ("similar:", "handles: [own:Same: {layers: [layer1]}]\nsimilar:"),
        {*OF_ALL, "layers/layer1.same", "layers/layer1.same/effects"},
    ),
    "samples": (("samples: 24", "samples: 25"), EVERYTHING),
    "cache": (("seed: 3", "seed: 3\ncache: 1 B"), set()),
    "seed": (("seed: 3", "seed: 4"), EVERYTHING),
    "quantile": (("\nquantile: 0.05", "\nquantile: 0.1"), EVERYTHING - {TEXTURES}),
    "threshold": (("\nquantile: 0.05", "\nthreshold: iqr"), EVERYTHING - {TEXTURES}),
    "passes": (("seed: 3", "seed: 3\npasses: {memory_format: channels_last}"), EVERYTHING),
    "grid": (("grid: 16", "grid: 8"), EVERYTHING),
    "shuffles": (("shuffles: 3", "shuffles: 4"), {*LAYERS, MINE, ARTIFACTS, READER}),
    "bootstrap": (("bootstrap: 20", "bootstrap: 21"), {*LAYERS, ARTIFACTS, READER}),
    "exemplars": (("exemplars: 4", "exemplars: 5"), {*LAYERS, *EFFECTS, READER}),
    "similar": (("similar: 1", "similar: 2"), {*LAYERS, READER}),
    "insert_quantile": (
        ("insert_quantile: 0.9", "insert_quantile: 0.8"),
        {*LAYERS, *EFFECTS, SEARCH, SETS, MINE, READER},
    ),
    "real": (("similar:", "real: {folder: photos}\nsimilar:"), {"quality"}),
    # The search takes over which units were swept on which samples.
    "effects": (("effects: {samples: 8", "effects: {samples: 9"), {*EFFECTS, MINE, SEARCH}),
    "searches": (("probe: 2", "probe: 3"), {SEARCH}),
    "sets": (("steps: 2", "steps: 3"), {SETS}),
    "studies": (("edited: 4", "edited: 5"), {ARTIFACTS}),
}
TITLE = 'title: "Red"', 'title: "What makes it red?"'


class Tried:
    """A recipe that is run again and again.

    Attributes:
        parts: names of those that the last run measured.
        again: blocks of edits that it carried out and an earlier run had carried out already.
        results: the model's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.parts, self.again = folder, list[str](), list[SweepTask]()
        self._made: set[SweepTask] = set()
        self._text = tiny.write_recipe(folder, layers="[layer1, layer2]", samples=24, more=MORE).read_text()
        (folder / "own.py").write_text(OWN)
        torch.save({"netG_state_dict": tiny.tensors(seed=1)}, folder / "other.pth")
        (folder / "photos").mkdir()
        for number in range(16):
            Image.new("RGB", (32, 32), (15 * number, 0, 0)).save(folder / f"photos/{number}.png")

    def _opened(self, change: Change | None, cache: str = "cache") -> Run:
        text = self._text
        if change is not None:
            assert text.count(change[0]) == 1
            text = text.replace(*change)
        path = self.folder / "changed.yaml"
        path.write_text(text)
        options = Options(self.folder / "results", self.folder / cache)
        return Run(read_recipe(path), options, Reporter(quiet=True))

    def run(self, change: Change | None = None, cache: str = "cache") -> set[str]:
        """Run it with a change; names of the parts that were measured."""
        self.parts.clear()
        self.again.clear()
        self.results = self._opened(change, cache).run()
        assert len(set(self.parts)) == len(self.parts)
        return set(self.parts)

    def stale(self, change: Change) -> set[str]:
        """What a run with a change would measure."""
        run = self._opened(change)
        return {part.name for part in run.parts if not run.is_current(part)}

    def note(self, task: SweepTask) -> None:
        """A block of edits is carried out."""
        asked = replace(task, under="")
        if asked in self._made:
            self.again.append(task)
        self._made.add(asked)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    tried = Tried(tmp_path_factory.mktemp("needs"))
    measure, make = Run._measure, SweepTask.make

    def noted(run: Run, part: Part) -> None:
        tried.parts.append(part.name)
        measure(run, part)
        facts = Stored(run.writer.folder, run.writer.parts).facts(part.name)
        assert kind_of(part.name, facts) == part.kind

    def counted(task: SweepTask, bench: Any, wanted: list[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        tried.note(task)
        return make(task, bench, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "_measure", noted)
        patch.setattr(SweepTask, "make", counted)
        assert tried.run() == EVERYTHING
        assert not tried.again
        yield tried


def test_all_fields_are_tried() -> None:
    # The tiny network has neither knobs nor inputs; both go into the key of the samples, as `seed` does.
    assert {*FIELDS, "sampling", "inputs"} == set(Recipe.model_fields)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_makes_stale_what_depends_on_it_and_nothing_else(tried: Tried, field: str) -> None:
    change, stale = FIELDS[field]
    assert tried.stale(change) == stale


@pytest.mark.parametrize("field", ["exemplars", "similar", "shuffles", "bootstrap", "quantile"])
def test_no_edit_is_carried_out_again(tried: Tried, field: str) -> None:
    change, stale = FIELDS[field]
    assert tried.run(change) == stale
    assert not tried.again
    assert tried.run() == stale
    assert not tried.again


def test_other_insertion_levels_carry_out_insertions_alone_again(tried: Tried) -> None:
    change, stale = FIELDS["insert_quantile"]
    assert tried.run(change) == stale
    assert tried.again
    assert all(change.inserts for task in tried.again for change in task.changes)
    assert tried.run() == stale
    assert not tried.again


def test_a_licence_is_of_the_model_alone(tried: Tried) -> None:
    assert tried.stale(("tiny.pth", "{file: tiny.pth, licence: MIT}")) == {"model"}


def test_a_title_measures_nothing_and_is_told_where_it_is_read(tried: Tried) -> None:
    before = tiny.contents(tried.results)
    assert tried.run(TITLE, cache="elsewhere") == set()
    after = tiny.contents(tried.results)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"studies/cause-red/study.json", "model.json", "manifest.json"}
    assert b"What makes it red?" in after["studies/cause-red/study.json"]
    assert not (tried.folder / "elsewhere" / "tiny" / "samples").exists()
    tried.run()
    assert tiny.contents(tried.results) == before  # told again, the same bytes


def test_telling_alone_keeps_the_words_that_were_told_last(tried: Tried) -> None:
    tried.run(TITLE)
    before = tiny.contents(tried.results)
    untold = "tiny/studies/reader: stays as it was told: own:Reader is a study of one's own; give the recipe "
    assert tell_results(tried.results.parent, None) == ([], [f"{untold}that names it with --recipe."])
    assert tiny.contents(tried.results) == before
    tried.run()
