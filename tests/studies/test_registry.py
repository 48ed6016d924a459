"""From a recipe's words to a study: names, settings, one's own, and what is said when something is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.test_cli import call
from unit59.results import ReportRecord, read_model
from unit59.studies.base import StudyError
from unit59.studies.registry import known_studies, load_study

OWN = """\
from unit59.results.report import ReportSection, ReportTable
from unit59.studies.base import Study
from unit59.studies.tables import Report, Tables
import numpy as np
import polars as pl


def _deep(value):
    return np.linalg.inv(value)


class Loudest(Study):
    power: int = 1

    def check(self, network, layers, concepts):
        if self.power > 9:
            from unit59.studies.base import StudyError
            raise StudyError("a power above 9 says nothing; give a smaller one.")

    def measure(self, model):
        means = [float(model.units(layer)["mean"].max()) ** self.power for layer in model.layers]
        table = pl.DataFrame({"layer": model.layers, "loudest": means})
        return Tables({"layers.parquet": table}, {"drawn": int(model.random(1).integers(100))})

    def tell(self, tables):
        shown = ReportTable(table="layers.parquet", columns=["layer", "loudest"], caption="All layers.")
        best = tables.frames["layers.parquet"].sort("loudest")["layer"][-1]
        return Report("Which layer is loudest?", f"{best}, drawn {tables.facts['drawn']}.", ["Means."],
                      [ReportSection(title="Layers", tables=[shown])], [])


class Fails(Study):
    def measure(self, model):
        return _deep(np.zeros((2, 2)))

    def tell(self, tables):
        raise NotImplementedError


class Untold(Loudest):
    def tell(self, tables):
        return {}["nothing"]


class Greedy(Loudest):
    reads = frozenset()


class Lies(Study):
    def measure(self, model):
        return Tables()

    def tell(self, tables):
        shown = ReportTable(table="nowhere.parquet", columns=[], caption="There is none.")
        return Report("Is it there?", "No.", [], [ReportSection(title="Nothing", tables=[shown])], [])


class _Hidden(Lies):
    pass


class Odd(Lies):
    what: str

    def measure(self, model):
        table = pl.DataFrame({"a": [1.0]})
        return {
            "number for a table": Tables({"t.parquet": 3}),
            "objects in a table": Tables({"t.parquet": pl.DataFrame({"a": [object()]})}),
            "name of a table": Tables({"../t.parquet": table}),
            "NaN among facts": Tables({}, {"x": float("nan")}),
            "object among facts": Tables({}, {"x": object()}),
            "half a character": Tables({}, {"x": "\\ud800"}),
            "words for a picture": Tables({}, {}, {"p.webp": "text"}),
            "name of a picture": Tables({}, {}, {"../p.webp": b""}),
        }[self.what]
"""


def own(folder: Path, studies: str, module: str) -> str:
    """A line of a recipe, beside a module with studies of one's own; each module needs a name of its own."""
    (folder / f"{module}.py").write_text(OWN)
    return f"studies: {studies.replace('own:', f'{module}:')}"


@pytest.mark.parametrize("name", known_studies())
def test_every_known_study_loads_under_its_name(name: str) -> None:
    asked = load_study(name, Path())
    assert (asked.kind, asked.name) == (name, name)
    assert load_study({name: {"name": "another"}}, Path()).name == "another"
    assert load_study({name: None}, Path()) == asked


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("agreement-vs-efect", r"'agreement-vs-efect'; did you mean 'agreement-vs-effect'\?.*or package"),
        ({"agreement-vs-effect": {"nam": "x"}}, r"no setting 'nam'; did you mean 'name'\?"),
        ({"agreement-vs-effect": {"name": "../up"}}, r"setting name: .*'\.\./up'"),
        ({"agreement-vs-effect": 3}, "expected settings such as .*, got 3"),
        ({"a": {}, "b": {}}, "expected a name, or one `name: settings`"),
        (7, "expected a name"),
        ("nowhere_at_all:Study", "cannot import nowhere_at_all"),
        ("pathlib:Path", r"there is no pathlib\.py below"),
        ("tests.tiny:run", "is no subclass of unit59.studies.base.Study"),
        ("tests.tiny:Nothing", "module tests.tiny has no callable 'Nothing'"),
    ],
)
def test_mistakes_are_explained(spec: Any, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        load_study(spec, Path())


def test_a_study_of_ones_own(tmp_path: Path) -> None:
    more = own(tmp_path, "['own:Loudest', {'own:Loudest': {power: 2, name: squares}}]", "own_a")
    folder = tiny.run(tmp_path, layers="[layer1, layer2]", samples=16, more=more)
    loudest, squares = read_model(folder).studies
    assert isinstance(loudest.record, ReportRecord)
    assert isinstance(squares.record, ReportRecord)
    assert (loudest.record.name, squares.record.name) == ("loudest", "squares")
    assert (loudest.record.settings, squares.record.settings) == ({"power": "1"}, {"power": "2"})
    means, powers = (each.tables["layers.parquet"]["loudest"] for each in (loudest, squares))
    assert powers.to_list() == [mean**2 for mean in means]


def test_the_same_recipe_gives_the_same_report(tmp_path: Path) -> None:
    more = own(tmp_path, "['own:Loudest']", "own_b")
    given: dict[str, Any] = {"layers": "[layer1]", "samples": 16, "more": more}
    first = tiny.run(tmp_path, results="one", cache="one-cache", **given)
    second = tiny.run(tmp_path, results="two", cache="two-cache", batch=3, **given)
    assert tiny.contents(first) == tiny.contents(second)


@pytest.mark.parametrize(
    ("studies", "said"),
    [
        ("['own:Fails']", r"LinAlgError: Singular matrix \(.*own_c\.py, line 9\)"),
        ("['own:Untold']", r"study own_c:Untold: KeyError: 'nothing' \(.*own_c\.py, line \d+\)"),
        ("['own:Greedy']", r"greedy reads units of layers/layer1 and does not say so in its `reads`"),
        ("[{'own:Odd': {what: number for a table}}]", r"the table 't\.parquet' is a int, expected a polars"),
        ("[{'own:Odd': {what: objects in a table}}]", r"studies/odd: the table 't\.parquet': ComputeError: "),
        ("[{'own:Odd': {what: name of a table}}]", r"'\.\./t\.parquet' is no name of a file of studies/odd"),
        ("[{'own:Odd': {what: NaN among facts}}]", "studies/odd: its facts: ValueError: .*nan"),
        ("[{'own:Odd': {what: object among facts}}]", "studies/odd: its facts: TypeError: .*object"),
        ("[{'own:Odd': {what: half a character}}]", "studies/odd: its facts: UnicodeEncodeError"),
        ("[{'own:Odd': {what: words for a picture}}]", r"the picture 'p\.webp' is a str, expected bytes"),
        ("[{'own:Odd': {what: name of a picture}}]", r"'pictures/\.\./p\.webp' is no name of a file"),
        (
            "['own:_Hidden']",
            r"studies\.0: own_c:_Hidden: '_hidden' is no name for a folder .* Give it a `name`",
        ),
        ("['own:Lies']", r"its report shows the table 'nowhere\.parquet', which it does not have"),
        ("[{'own:Loudest': {power: 99}}]", r"tiny\.yaml:12: studies\.0: a power above 9 says nothing"),
        ("[{'own:Loudest': {power: many}}]", r"tiny\.yaml:12: studies\.0: .*setting power: .*'many'"),
        ("[agreement-vs-effect]", r"studies\.0: agreement-vs-effect needs measured effects: add `effects: "),
        ("['own:Loudest', 'own:Loudest']", "two studies are named 'loudest'"),
    ],
)
def test_a_study_that_fails_ends_in_one_message(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, studies: str, said: str
) -> None:
    recipe = tiny.write_recipe(
        tmp_path, layers="[layer1, layer2]", samples=16, more=own(tmp_path, studies, "own_c")
    )
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, _, err = call(capsys, "dissect", recipe, *places, "--quiet")
    assert status == 2
    assert re.search(said, err), err
    assert "Traceback" not in err
