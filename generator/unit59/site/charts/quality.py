"""The chart of a model's quality: how often each concept shows in generated and in real pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unit59.results.rows import QualityRow
from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import NAMES, edge, intervals, percent, points
from unit59.site.heads import heads
from unit59.site.views import ConceptView


def presence_chart(model: str, rows: Sequence[tuple[ConceptView, QualityRow]], far: float) -> Chart:
    """Presence of every concept, generated beside real.

    Args:
        model: its title.
        rows: each concept with its row of quality.parquet, in the order that the table has.
        far: the difference from which on a concept is named.
    """
    asked = any(row.agreement is not None for _, row in rows)
    names = [short(concept.label) for concept, _ in rows[::-1]]
    return Chart(
        label=f"How often each concept shows in real pictures and in those of {model}.",
        caption=(
            "Share of the pictures that show a concept, with 95 % intervals: filled in generated, open in "
            f"real ones. Those more than {far * 100:.0f} points apart are named above."
        ),
        data=[
            _dots(names, rows[::-1], "real", "@surface"),
            _dots(names, rows[::-1], "generated", [concept.colour for concept, _ in rows[::-1]]),
        ],
        layout={
            "xaxis": {"title": {"text": "% of the pictures that show it"}, "range": [-2, 102]},
            "yaxis": NAMES,
            "showlegend": False,
        },
        head=[
            *heads(
                "quality",
                label="",
                presence_real="",
                presence_generated="generated",
                presence_difference="difference in points",
                area_real="",
                area_generated="generated",
            ),
            *(heads("quality", agreement="IoU with what was asked for") if asked else []),
        ],
        rows=[
            (
                concept.label,
                _range(_presence(row, "real"), 1),
                _range(_presence(row, "generated"), 1),
                _points(row),
                _range((row.area_real, row.area_real_low, row.area_real_high), 2),
                _range((row.area_generated, row.area_generated_low, row.area_generated_high), 2),
                *((_score(row),) if asked else ()),
            )
            for concept, row in rows
        ],
        height=110 + 26 * len(rows),
    )


def _dots(
    names: list[str], rows: Sequence[tuple[ConceptView, QualityRow]], kind: str, fill: str | list[str]
) -> dict[str, Any]:
    found = [_presence(row, kind) for _, row in rows]
    share, low, high = zip(*[[end or 0.0 for end in ends] for ends in found], strict=True)
    dots = points(
        [percent(value) for value in share],
        names,
        name=kind,
        hover=f"%{{y}}, {kind}: %{{x:.1f}} %",
        size=11,
        color=fill,
        line=edge("@ink", 1.5),
    )
    whiskers = intervals(share, low, high, times=100, thickness=1.2)
    return dots | {"cliponaxis": False, "error_x": whiskers}


Ends = tuple[float | None, float | None, float | None]


def _presence(row: QualityRow, kind: str) -> Ends:
    if kind == "real":
        return row.presence_real, row.presence_real_low, row.presence_real_high
    return row.presence_generated, row.presence_generated_low, row.presence_generated_high


def _range(interval: Ends, digits: int) -> str:
    value, low, high = ((end or 0.0) * 100 for end in interval)
    return f"{value:.{digits}f} % ({low:.{digits}f} – {high:.{digits}f})"


def _points(row: QualityRow) -> str:
    ends = row.presence_difference, row.presence_difference_low, row.presence_difference_high
    value, low, high = ((end or 0.0) * 100 for end in ends)
    return f"{value:+.1f} ({low:+.1f} – {high:+.1f})".replace("-", "−")


def _score(row: QualityRow) -> str:
    if row.agreement is None:
        return "–"
    return f"{row.agreement:.3f} ({row.agreement_low:.3f} – {row.agreement_high:.3f})"
