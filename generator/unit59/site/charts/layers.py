"""Charts of layers and of the network: how many units stand for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unit59.results import INTERPRETABLE_IOU
from unit59.site.charts.base import Chart, plain, short
from unit59.site.charts.marks import NAMES, bars, cut, edge, legend_below, lines, scale
from unit59.site.heads import heads
from unit59.site.views import LayerView, ModelView, UnitView


@dataclass(frozen=True)
class ConceptCount:
    """How many units carry a concept: above the null, and at the cut but not above it."""

    label: str
    colour: str
    above: int = 0
    chance: int = 0
    slug: str = field(default="")


def count_concepts(units: Sequence[UnitView]) -> list[ConceptCount]:
    """Interpretable units per concept, most first."""
    counts = Counter((unit.concept, unit.verdict) for unit in units if unit.verdict in {"above", "chance"})
    concepts = {concept for concept, _ in counts if concept is not None}
    found = [
        ConceptCount(view.label, view.colour, counts[view, "above"], counts[view, "chance"], view.slug)
        for view in concepts
    ]
    return sorted(found, key=lambda count: (-count.above, -count.chance, count.label))


def units_per_concept(layer: LayerView) -> Chart | None:
    """The report's distribution: how many units stand for each concept. None if no unit reaches the cut."""
    counts = count_concepts(layer.units)
    if not counts:
        return None
    shown = counts[:24][::-1]
    top = counts[0]
    return Chart(
        label=f"Bar chart: interpretable units of {layer.name} per concept.",
        caption=(
            f"Units with IoU of {INTERPRETABLE_IOU} or more, by label. Filled: above what other samples' "
            f"masks give; hatched: not above it. Most units: {top.label}."
        ),
        data=_stacked(shown),
        layout={
            "barmode": "stack",
            "xaxis": scale("units", tickformat="d"),
            "yaxis": NAMES,
            "showlegend": False,
        },
        head=heads(
            "units", label="concept", agrees="above the null", interpretable="at the cut, not above the null"
        ),
        rows=[(count.label, count.above, count.chance) for count in counts],
        height=max(200, 90 + 24 * len(shown)),
    )


def _stacked(shown: Sequence[ConceptCount]) -> list[dict[str, Any]]:
    labels = [short(count.label) for count in shown]
    above, chance = "above the null", "at the cut, not above the null"
    return [
        bars(
            [count.above for count in shown],
            labels,
            name=above,
            hover="%{y}: %{x} above the null",
            lying=True,
            color=[count.colour for count in shown],
            line=edge(),
        ),
        bars(
            [count.chance for count in shown],
            labels,
            name=chance,
            hover="%{y}: %{x} not above the null",
            lying=True,
            color="@surface",
            line=edge(),
            pattern={"shape": "/", "fgcolor": "@muted", "bgcolor": "@surface", "size": 6},
        ),
    ]


def iou_distribution(layer: LayerView) -> Chart:
    """The units' best IoU, with the null beside it per shuffle."""
    bins, null = layer.record.histogram, layer.record.null
    by_chance = [count / max(null.shuffles, 1) for count in null.histogram]
    last = min(len(bins), max((i for i in range(len(bins)) if bins[i] or by_chance[i]), default=0) + 2)
    edges = [round(i / len(bins), 2) for i in range(last)]
    middles = [round(edge + 0.5 / len(bins), 3) for edge in edges]
    return Chart(
        label=f"Histogram: best IoU of each unit of {layer.name}, with the null.",
        caption=(
            "Each unit's best IoU (bars) beside what other samples' masks give (line, mean of "
            f"{null.shuffles} shuffles). Bars to the right of the line's end are more than chance; "
            f"the dotted rule is the cut, {INTERPRETABLE_IOU}."
        ),
        data=[
            bars(middles, bins[:last], name="units", hover="IoU %{x:.3f}: %{y} units", color="@accent"),
            lines(
                middles,
                [round(count, 3) for count in by_chance[:last]],
                {"color": "@ink", "width": 1.5, "shape": "hvh"},
                name="null",
                hover="IoU %{x:.3f}: %{y:.1f} units by chance",
            ),
        ],
        layout={
            "bargap": 0.08,
            "xaxis": scale("best IoU of a unit"),
            "yaxis": scale("units"),
            "shapes": [cut()],
            "legend": {"x": 1, "xanchor": "right", "y": 1},
        },
        head=[
            *heads("units", iou="IoU from"),
            *heads("units", iou="to"),
            *heads("LayerRecord", histogram="units"),
            *heads("NullSummary", histogram="null"),
        ],
        rows=[
            (f"{edge:.2f}", f"{edge + 1 / len(bins):.2f}", bins[i], f"{by_chance[i]:.1f}")
            for i, edge in enumerate(edges)
            if bins[i] or by_chance[i]
        ],
    )


def layers_chart(model: ModelView) -> Chart:
    """Interpretable units along the network, stacked by concept, the null as a line."""
    layers = model.layers
    return Chart(
        label=f"Stacked bars: interpretable units per layer of {model.title}, with the null.",
        caption=(
            f"Units with IoU of {INTERPRETABLE_IOU} or more along the network, stacked by label. The dotted "
            "line is how many reach it with other samples' masks: bars no taller than the line say nothing."
        ),
        data=[*_by_concept(layers), *_null_line(layers)],
        layout={
            "barmode": "stack",
            "xaxis": {"title": {"text": "layer"}, "type": "category"},
            "yaxis": scale("interpretable units"),
            "legend": {**legend_below(-0.25), "traceorder": "normal"},
        },
        head=[
            *heads("LayerRecord", name="layer", units="", interpretable="", above_null="above the null"),
            *heads("NullSummary", interpretable="null"),
        ],
        rows=[
            (
                layer.name,
                layer.record.units,
                layer.record.interpretable,
                layer.record.above_null,
                f"{layer.record.null.interpretable:.1f}",
            )
            for layer in layers
        ],
        height=380,
    )


def _by_concept(layers: Sequence[LayerView]) -> list[dict[str, Any]]:
    """A bar a layer, of the concepts that most units stand for and of all others together."""
    per_layer = [{count.slug: count for count in count_concepts(layer.units)} for layer in layers]
    total: Counter[str] = Counter()
    concepts: dict[str, ConceptCount] = {}
    for counts in per_layer:
        for slug, count in counts.items():
            total[slug] += count.above + count.chance
            concepts[slug] = count
    leading = [slug for slug, _ in total.most_common(14)]
    names = [layer.name for layer in layers]
    data = [
        bars(
            names,
            [_units(counts, slug) for counts in per_layer],
            name=short(concepts[slug].label),
            hover=f"%{{x}}, {plain(concepts[slug].label)}: %{{y}} units",
            color=concepts[slug].colour,
            line=edge(width=0.5),
        )
        for slug in leading
    ]
    others = [sum(_units(counts, slug) for slug in counts if slug not in leading) for counts in per_layer]
    return [*data, *([bars(names, others, name="others", color="@muted")] if any(others) else [])]


def _null_line(layers: Sequence[LayerView]) -> list[dict[str, Any]]:
    """The null; a broad line of the page's colour below it keeps it visible on any bar."""
    names, chance = [layer.name for layer in layers], [layer.record.null.interpretable for layer in layers]
    under = lines(names, chance, edge("@surface", 6), color="@surface", size=13, symbol="diamond")
    null = lines(
        names,
        chance,
        {"color": "@ink", "width": 2, "dash": "dot"},
        name="null",
        hover="%{x}: %{y:.1f} units by chance",
        color="@ink",
        size=7,
        symbol="diamond",
    )
    return [under | {"showlegend": False, "hoverinfo": "skip"}, null]


def _units(counts: dict[str, ConceptCount], slug: str) -> int:
    count = counts.get(slug)
    return count.above + count.chance if count else 0
