"""Charts of effects: what switching units off and on does to concepts, beside other units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from unit59.results.rows import EffectRow, SpecificityRow
from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import NAMES, SOLID, bars, edge, intervals, percent, points, rule
from unit59.site.heads import heads
from unit59.site.views import ConceptView


@dataclass(frozen=True)
class ConceptEffect:
    """A concept's paired change under one edit, in shares of the picture, and where others' changes lie."""

    concept: ConceptView
    effect: float
    low: float
    high: float
    q: float
    found: bool
    others_low: float
    others_high: float

    @classmethod
    def of(cls, concept: ConceptView, row: EffectRow | SpecificityRow) -> ConceptEffect:
        """From a row of effects.parquet (beside other units) or specificity.parquet (beside random sets)."""
        if isinstance(row, EffectRow):
            others = row.others_low, row.others_high
        else:
            others = row.random_low, row.random_high
        return cls(
            concept,
            effect=row.effect or 0.0,
            low=row.low or 0.0,
            high=row.high or 0.0,
            q=1.0 if row.q is None else row.q,
            found=row.found,
            others_low=others[0] or 0.0,
            others_high=others[1] or 0.0,
        )


def effects_chart(
    label: str, caption: str, effects: Sequence[ConceptEffect], others: str, most: int = 8
) -> Chart | None:
    """What an edit does to the concepts it changes most. None where it changes nothing.

    Args:
        label: what a screen reader says.
        caption: what to see in it.
        effects: of every concept.
        others: what the band is of, for the legend and the table's head.
        most: how many concepts to show.
    """
    strongest = sorted((each for each in effects if each.effect), key=lambda each: -abs(each.effect))[:most]
    if not strongest:
        return None
    return Chart(
        label=label,
        caption=caption,
        data=_marks(strongest[::-1], others),
        layout={
            "xaxis": {"title": {"text": "change, % of the picture"}},
            "yaxis": NAMES,
            "shapes": [rule("x", 0, SOLID)],
            "showlegend": False,
        },
        head=heads(
            "effects",
            label="concept",
            effect="change, % of the picture",
            low="95 % interval",
            q="",
            others_low=f"95 % of {others}",
        ),
        rows=[
            (
                each.concept.label,
                f"{each.effect * 100:+.3f}",
                f"{each.low * 100:+.3f} – {each.high * 100:+.3f}",
                f"{each.q:.2g}",
                f"{each.others_low * 100:+.3f} – {each.others_high * 100:+.3f}",
            )
            for each in strongest
        ],
        height=120 + 28 * len(strongest),
    )


def _marks(shown: Sequence[ConceptEffect], others: str) -> list[dict[str, Any]]:
    names = [short(each.concept.label) for each in shown]
    bands = bars(
        [percent(each.others_high - each.others_low) for each in shown],
        names,
        name=others,
        hover=others,
        lying=True,
        base=[percent(each.others_low) for each in shown],
        wide=0.5,
        color="@grid",
        line=edge(),
    )
    dots = points(
        [percent(each.effect) for each in shown],
        names,
        name="effect",
        hover="%{y}: %{x:.3f} % of the picture",
        size=12,
        color=[each.concept.colour for each in shown],
        symbol=["circle" if each.found else "circle-open" for each in shown],
        line=edge("@ink"),
    )
    values, low, high = zip(*[(each.effect, each.low, each.high) for each in shown], strict=True)
    return [bands, dots | {"error_x": intervals(values, low, high, times=100)}]
