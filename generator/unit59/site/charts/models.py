"""The chart of all models: how many of their units agree with a concept, beside what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unit59.results import INTERPRETABLE_IOU
from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import NAMES, edge, points, rounded, scale
from unit59.site.heads import heads
from unit59.site.views import ModelView

#: Name, fill and symbol of each mark, in the order in which they are drawn.
MARKS = (
    ("reach the cut", "@surface", "circle"),
    ("reach it with other samples’ masks", "@ink", "diamond"),
    ("above the null", "@accent", "circle"),
)


def models_chart(models: Sequence[ModelView]) -> Chart:
    """Shares of each model's units: at the cut, at the cut by chance, above the null.

    Args:
        models: with at least one unit each.
    """
    shares = [
        (
            100 * model.interpretable / model.units,
            100 * model.null_interpretable / model.units,
            100 * model.above_null / model.units,
        )
        for model in models
    ]
    return Chart(
        label="Share of each model's units that agree with a concept, beside what chance gives.",
        caption=(
            f"Share of a model's units. Open circle: IoU of {INTERPRETABLE_IOU} or more. Diamond: as much "
            "with other samples' masks, mean over the shuffles. Filled: of the open circle's, those above "
            "their own null. An open circle no farther right than the diamond says nothing."
        ),
        data=[
            _dots([short(model.title) for model in models[::-1]], [share[at] for share in shares[::-1]], at)
            for at in range(len(MARKS))
        ],
        layout={
            "xaxis": scale("% of the model's units"),
            "yaxis": NAMES,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        },
        head=[
            *heads("ModelRecord", title="model"),
            *heads("LayerRecord", units="", above_null="above the null", interpretable="reach the cut"),
            *heads("NullSummary", interpretable="with other samples' masks"),
        ],
        rows=[
            (model.title, model.units, f"{above:.1f} %", f"{reach:.1f} %", f"{null:.1f} %")
            for model, (reach, null, above) in zip(models, shares, strict=True)
        ],
        height=200 + 44 * len(models),
    )


def _dots(names: list[str], shares: list[float], mark: int) -> dict[str, Any]:
    name, fill, symbol = MARKS[mark]
    dots = points(
        [rounded(share) for share in shares],
        names,
        name=name,
        hover=f"%{{y}}: %{{x:.1f}} % {name}",
        size=9 if symbol == "diamond" else 13,
        color=fill,
        symbol=symbol,
        line=edge("@ink", 1.5),
    )
    return dots | {"cliponaxis": False}
