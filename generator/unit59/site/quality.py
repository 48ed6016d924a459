"""A model's samples beside real pictures, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from unit59.results import QualityResults
from unit59.results.quality import QualityRecord
from unit59.results.rows import QualityRow, rows
from unit59.site.charts import Chart, presence_chart
from unit59.site.content import Published
from unit59.site.views import ConceptView, ModelView

#: A concept whose presence differs by more from the real pictures' is named.
FAR = 0.10


@dataclass(frozen=True)
class QualityView:
    """What was measured, with its place in the site."""

    model: ModelView
    results: QualityResults

    @property
    def record(self) -> QualityRecord:
        """Its quality.json."""
        return self.results.record

    @property
    def sheet(self) -> str:
        """Where the sheet of real pictures lies in the site."""
        return f"{self.model.path}/real.webp"

    @property
    def files(self) -> list[Published]:
        """What the model's page publishes beside itself."""
        home = self.results.folder
        tables = [(name, home / name) for name in ("quality.json", "quality.parquet")]
        return self.model.published(self.model.path, [("real.webp", self.results.picture), *tables])

    @property
    def rows(self) -> list[tuple[ConceptView, QualityRow]]:
        """Every concept with its row of quality.parquet."""
        known = self.model.concepts
        table = self.results.table.sort("concept")
        return [(known[row.concept], row) for row in rows(table, QualityRow) if row.concept in known]

    @property
    def far(self) -> list[tuple[ConceptView, QualityRow]]:
        """The concepts whose presence differs by more than `FAR`, the farthest first."""
        apart = [(each, row) for each, row in self.rows if abs(row.presence_difference or 0.0) > FAR]
        return sorted(apart, key=lambda pair: -abs(pair[1].presence_difference or 0.0))

    @property
    def chart(self) -> Chart:
        """Presence, generated beside real."""
        return presence_chart(self.model.title, self.rows, FAR)


def view_quality(model: ModelView) -> QualityView | None:
    """The model's comparison with real pictures; None where none was made."""
    return QualityView(model, model.results.quality) if model.results.quality else None
