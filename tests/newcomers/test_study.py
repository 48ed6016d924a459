"""A study: what it measures, and a page with its words, a table and a chart. All of it is in this file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl
import pytest

from tests.newcomers.running import dissected, page, write
from unit59.recipe import RecipeError
from unit59.results.columns import Schema, column, table_row
from unit59.results.report import Measured, ReportChart, ReportRecord, ReportSection, ReportTable
from unit59.studies.base import Report, Study, StudyError, Tables

if TYPE_CHECKING:
    from unit59.networks import Network
    from unit59.studies.dissected import Dissected

TABLE = "left.parquet"
LIMIT = "Two units that are not asked for may share the work."


@table_row
class Left:
    """What is switched off."""

    off: str = column("the unit alone, or: together", heading="switched off")
    left: float = column("of the concept's pixels, those still there", "share of the pixels", "left")


class Together(Study):
    """Do units cause a concept each alone, or only together?"""

    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset()
    schemas: ClassVar[Mapping[str, Schema]] = {TABLE: Schema(Left)}

    layer: str
    units: tuple[int, ...]
    concept: str
    samples: int = 32

    def check(self, network: Network, layers: list[str], concepts: list[str]) -> None:
        if self.concept not in concepts:
            raise StudyError(f"there is no concept {self.concept!r}.")

    def measure(self, model: Dissected) -> Tables:
        from unit59.edit.edits import Edit

        sets = [*((unit,) for unit in self.units), self.units]
        sweep, concept = model.bench.sweep(self.layer), model.concepts.index(self.concept)
        before = sweep.plain(range(self.samples)).counts[:, concept].sum()
        after = sweep.counts([Edit.ablate(units) for units in sets], range(self.samples))[:, :, concept]
        left = (after.sum(axis=1) / before).tolist()
        off = [*(f"unit {unit}" for unit in self.units), "together"]
        return Tables(
            {TABLE: pl.DataFrame({"off": off, "left": left})}, {"alone": min(left[:-1]), "all": left[-1]}
        )

    def tell(self, tables: Tables) -> Report:
        alone, together = tables.facts["alone"], tables.facts["all"]
        bars = ReportChart(
            kind="bars",
            table=TABLE,
            x="off",
            y="left",
            label=f"What is left of {self.concept}.",
            caption="Low bars are causes.",
        )
        shown = ReportTable(table=TABLE, columns=["off", "left"], caption="All that was switched off.")
        return Report(
            question=f"Does one of {len(self.units)} units make a {self.concept}, or all?",
            answer=f"The strongest alone leaves {alone:.0%} of it, all together leave {together:.0%}.",
            number=Measured(words=f"of the {self.concept} pixels left", value=together, form="percent"),
            method=[f"The units were switched off in {self.samples} samples, and the pixels counted."],
            sections=[ReportSection(title="What is left", charts=[bars], tables=[shown])],
            limits=[LIMIT],
        )


RECIPE = """\
layers: [layer1]
studies:
  - study:Together: {{name: {0}s, layer: layer1, units: {1}, concept: {0}}}
"""


@pytest.mark.parametrize(
    ("concept", "units", "alone", "says"),
    [("rug", [7, 11], 1.0, "alone leaves 100% of it"), ("bed", [2, 9], 0.0, "alone leaves 0% of it")],
)
def test_it_finds_what_was_planted(
    tmp_path: Path, concept: str, units: list[int], alone: float, says: str
) -> None:
    results = dissected(write(tmp_path, __file__, RECIPE.format(concept, units)))
    (study,) = results.studies
    assert study.tables[TABLE]["left"].to_list() == [alone, alone, 0.0]
    assert isinstance(study.record, ReportRecord)
    text = page(tmp_path, f"studies/planted-{concept}s")
    assert says in text and LIMIT in text and 'class="u59-chart' in text
    assert 'those still there (share of the pixels)">left (% of the pixels)</th>' in text


def test_its_mistakes_have_their_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"planted\.yaml:13: studies\.0: there is no concept 'cat'"):
        dissected(write(tmp_path, __file__, RECIPE.format("cat", [1])))


def test_it_is_short() -> None:
    assert len(Path(__file__).read_text().splitlines()) <= 120
