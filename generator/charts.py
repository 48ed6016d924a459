"""The site's charts: Plotly figures as plain data, each with its sentence and its table.

Colours that depend on the palette are written as `@ink`, `@muted`, `@grid`, `@accent` and `@surface`;
the script that draws the chart puts the page's own in their place, again when the palette changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dissect.results import INTERPRETABLE_IOU
from generator.views import Agreement, LayerView, ModelView, UnitView

CUT = {"type": "line", "x0": INTERPRETABLE_IOU, "x1": INTERPRETABLE_IOU, "y0": 0, "y1": 1, "yref": "paper"}
DASHED = {"color": "@muted", "width": 1, "dash": "dot"}


@dataclass(frozen=True)
class Chart:
    """A figure and its words.

    Attributes:
        label: what a screen reader says instead of the picture.
        caption: what to see in it, one sentence.
        data: Plotly traces.
        layout: Plotly layout.
        head: the columns of the table of the same numbers.
        rows: its rows.
        height: in CSS pixels.
    """

    label: str
    caption: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    height: int = 320

    @property
    def figure(self) -> dict[str, Any]:
        """What is handed to Plotly."""
        return {"data": self.data, "layout": self.layout}


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
    labels = [_short(count.label) for count in shown]
    outline = {"color": "@muted", "width": 1}
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": "above the null",
            "y": labels,
            "x": [count.above for count in shown],
            "marker": {"color": [count.colour for count in shown], "line": outline},
            "hovertemplate": "%{y}: %{x} above the null<extra></extra>",
        },
        {
            "type": "bar",
            "orientation": "h",
            "name": "at the cut, not above the null",
            "y": labels,
            "x": [count.chance for count in shown],
            "marker": {
                "color": "@surface",
                "line": outline,
                "pattern": {"shape": "/", "fgcolor": "@muted", "bgcolor": "@surface", "size": 6},
            },
            "hovertemplate": "%{y}: %{x} not above the null<extra></extra>",
        },
    ]
    top = counts[0]
    return Chart(
        label=f"Bar chart: interpretable units of {layer.name} per concept.",
        caption=(
            f"Units with IoU of {INTERPRETABLE_IOU} or more, by label. Filled: above what other samples' "
            f"masks give; hatched: not above it. Most units: {top.label}."
        ),
        data=data,
        layout={
            "barmode": "stack",
            "xaxis": {"title": {"text": "units"}, "rangemode": "tozero", "tickformat": "d"},
            "yaxis": {"automargin": True, "type": "category"},
            "showlegend": False,
        },
        head=("concept", "above the null", "at the cut, not above the null"),
        rows=[(count.label, count.above, count.chance) for count in counts],
        height=max(200, 90 + 24 * len(shown)),
    )


def iou_distribution(layer: LayerView) -> Chart:
    """The units' best IoU, with the null beside it per shuffle."""
    null = layer.record.null
    bins = [0] * len(null.histogram)
    for unit in layer.units:
        bins[min(int(unit.iou * len(bins) + 1e-9), len(bins) - 1)] += 1
    by_chance = [count / max(null.shuffles, 1) for count in null.histogram]
    last = max((i for i in range(len(bins)) if bins[i] or by_chance[i]), default=0) + 2
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
            {
                "type": "bar",
                "name": "units",
                "x": middles,
                "y": bins[:last],
                "marker": {"color": "@accent"},
                "hovertemplate": "IoU %{x:.3f}: %{y} units<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": "null",
                "x": middles,
                "y": [round(count, 3) for count in by_chance[:last]],
                "line": {"color": "@ink", "width": 1.5, "shape": "hvh"},
                "hovertemplate": "IoU %{x:.3f}: %{y:.1f} units by chance<extra></extra>",
            },
        ],
        layout={
            "bargap": 0.08,
            "xaxis": {"title": {"text": "best IoU of a unit"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "units"}, "rangemode": "tozero"},
            "shapes": [{**CUT, "line": DASHED}],
            "legend": {"x": 1, "xanchor": "right", "y": 1},
        },
        head=("IoU from", "to", "units", "null"),
        rows=[
            (f"{edge:.2f}", f"{edge + 1 / len(bins):.2f}", bins[i], f"{by_chance[i]:.1f}")
            for i, edge in enumerate(edges)
            if bins[i] or by_chance[i]
        ],
    )


def layers_chart(model: ModelView) -> Chart:
    """Interpretable units along the network, stacked by concept, the null as a line."""
    layers = model.layers
    per_layer = [{count.slug: count for count in count_concepts(layer.units)} for layer in layers]
    total: Counter[str] = Counter()
    concepts: dict[str, ConceptCount] = {}
    for counts in per_layer:
        for slug, count in counts.items():
            total[slug] += count.above + count.chance
            concepts[slug] = count
    leading = [slug for slug, _ in total.most_common(14)]
    names = [layer.name for layer in layers]
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": _short(concepts[slug].label),
            "x": names,
            "y": [_units(counts, slug) for counts in per_layer],
            "marker": {"color": concepts[slug].colour, "line": {"color": "@muted", "width": 0.5}},
            "hovertemplate": f"%{{x}}, {_plain(concepts[slug].label)}: %{{y}} units<extra></extra>",
        }
        for slug in leading
    ]
    others = [sum(_units(counts, slug) for slug in counts if slug not in leading) for counts in per_layer]
    if any(others):
        data.append({"type": "bar", "name": "others", "x": names, "y": others, "marker": {"color": "@muted"}})
    chance = [layer.record.null.interpretable for layer in layers]
    # A broad line of the page's colour below it keeps the null visible on any bar.
    under = {"color": "@surface", "width": 6}
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": names,
            "y": chance,
            "line": under,
            "marker": {"color": "@surface", "size": 13, "symbol": "diamond"},
            "showlegend": False,
            "hoverinfo": "skip",
        }
    )
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "null",
            "x": names,
            "y": chance,
            "line": {"color": "@ink", "width": 2, "dash": "dot"},
            "marker": {"color": "@ink", "size": 7, "symbol": "diamond"},
            "hovertemplate": "%{x}: %{y:.1f} units by chance<extra></extra>",
        }
    )
    return Chart(
        label=f"Stacked bars: interpretable units per layer of {model.title}, with the null.",
        caption=(
            f"Units with IoU of {INTERPRETABLE_IOU} or more along the network, stacked by label. The dotted "
            "line is how many reach it with other samples' masks: bars no taller than the line say nothing."
        ),
        data=data,
        layout={
            "barmode": "stack",
            "xaxis": {"title": {"text": "layer"}, "type": "category"},
            "yaxis": {"title": {"text": "interpretable units"}, "rangemode": "tozero"},
            "legend": {"orientation": "h", "y": -0.25, "traceorder": "normal"},
        },
        head=("layer", "units", "interpretable", "above the null", "null"),
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


def agreement_chart(unit: UnitView, agreements: Sequence[Agreement]) -> Chart | None:
    """A unit's IoU with its best concepts, each with interval and null. None where nothing overlaps."""
    shown = [agreement for agreement in agreements if agreement.iou > 0][:8]
    if not shown:
        return None
    ordered = shown[::-1]
    labels = [_short(agreement.concept.label) for agreement in ordered]
    return Chart(
        label=f"IoU of unit {unit.number} with its {len(shown)} best concepts, with intervals and nulls.",
        caption=(
            "IoU with 95 % interval (dot and bar) per concept; the upright mark is the 99 % bound with other "
            "samples' masks. A dot left of its mark is no more than chance."
        ),
        data=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": "null, 99 %",
                "y": labels,
                "x": [_round(agreement.null_99) for agreement in ordered],
                "marker": {"symbol": "line-ns", "size": 16, "line": {"color": "@ink", "width": 2}},
                "hovertemplate": "%{y}: null %{x:.4f}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "name": "IoU",
                "y": labels,
                "x": [_round(agreement.iou) for agreement in ordered],
                "marker": {
                    "size": 12,
                    "color": [agreement.concept.colour for agreement in ordered],
                    "line": {"color": "@ink", "width": 1},
                },
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_round(max(a.high - a.iou, 0)) for a in ordered],
                    "arrayminus": [_round(max(a.iou - a.low, 0)) for a in ordered],
                    "color": "@muted",
                    "thickness": 2,
                    "width": 0,
                },
                "hovertemplate": "%{y}: IoU %{x:.4f}<extra></extra>",
            },
        ],
        layout={
            "xaxis": {"title": {"text": "IoU"}, "rangemode": "tozero"},
            "yaxis": {"automargin": True, "type": "category"},
            "shapes": [{**CUT, "line": DASHED}],
            "showlegend": False,
        },
        head=("concept", "IoU", "95 % interval", "null", "null, 99 %", "IQR"),
        rows=[
            (
                a.concept.label,
                f"{a.iou:.4f}",
                f"{a.low:.4f} – {a.high:.4f}",
                *(f"{value:.4f}" for value in (a.null, a.null_99, a.iqr)),
            )
            for a in shown
        ],
        height=120 + 28 * len(shown),
    )


def activation_chart(unit: UnitView, low: float, high: float, counts: Sequence[int]) -> Chart | None:
    """How a unit's values are distributed, with its threshold. None where nothing was counted."""
    if not counts or not sum(counts):
        return None
    width = (high - low) / len(counts)
    threshold = float(unit.row["threshold"])
    middles = [float(f"{low + (i + 0.5) * width:.5g}") for i in range(len(counts))]
    return Chart(
        label=f"Histogram of unit {unit.number}'s values, with its threshold.",
        caption=(
            f"All values of the unit over all samples, on a log scale. The dotted rule is its threshold, "
            f"{threshold:.3g}: the top {unit.row['on_share'] * 100:.2g} % on the compared grid make its mask."
        ),
        data=[
            {
                "type": "bar",
                "x": middles,
                "y": list(counts),
                "width": float(f"{width:.5g}"),
                "marker": {"color": "@accent"},
                "hovertemplate": "%{x:.3g}: %{y} values<extra></extra>",
            }
        ],
        layout={
            "bargap": 0,
            "xaxis": {"title": {"text": "activation"}},
            "yaxis": {"title": {"text": "values"}, "type": "log", "dtick": 1, "exponentformat": "power"},
            "shapes": [{**CUT, "x0": threshold, "x1": threshold, "line": {**DASHED, "width": 2}}],
            "showlegend": False,
        },
        head=("from", "to", "values"),
        rows=[
            (f"{low + i * width:.4g}", f"{low + (i + 1) * width:.4g}", count)
            for i, count in enumerate(counts)
            if count
        ],
        height=260,
    )


def concept_units_chart(
    label: str, colour: str, found: Sequence[tuple[LayerView, Sequence[UnitView]]]
) -> Chart:
    """Every unit with this label, by layer."""
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": layer.name,
            "x": [round(place + _spread(unit.number), 3) for unit in units],
            "y": [_round(unit.iou) for unit in units],
            "text": [f"unit {unit.number}" for unit in units],
            "marker": {
                "size": 10,
                "opacity": 0.85,
                "symbol": ["circle" if unit.verdict == "above" else "circle-open" for unit in units],
                "color": colour,
                "line": {"color": "@muted", "width": 1},
            },
            "hovertemplate": "%{text}: IoU %{y:.3f}<extra></extra>",
        }
        for place, (layer, units) in enumerate(found)
    ]
    names = [f"{_short(layer.model.title, 18)}<br>{layer.name}" for layer, _ in found]
    rule = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": INTERPRETABLE_IOU,
        "y1": INTERPRETABLE_IOU,
    }
    return Chart(
        label=f"IoU of every unit labelled {label}, by layer.",
        caption=(
            "Each dot is a unit whose best concept is this one. Filled dots reach the cut "
            f"(dotted, {INTERPRETABLE_IOU}) and are above their null; open ones are not evidence."
        ),
        data=data,
        layout={
            "xaxis": {
                "tickvals": list(range(len(names))),
                "ticktext": names,
                "range": [-0.6, len(names) - 0.4],
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {"title": {"text": "IoU"}, "rangemode": "tozero"},
            "shapes": [{**rule, "line": DASHED}],
            "showlegend": False,
        },
        head=("model", "layer", "units", "above the null", "best IoU"),
        rows=[
            (
                layer.model.title,
                layer.name,
                len(units),
                sum(unit.verdict == "above" for unit in units),
                f"{max(unit.iou for unit in units):.3f}",
            )
            for layer, units in found
        ],
    )


def _spread(number: int) -> float:
    """A place beside the middle, the same every time, so that dots do not hide each other."""
    return (number * 0.618034 % 1 - 0.5) * 0.5


def _units(counts: dict[str, ConceptCount], slug: str) -> int:
    count = counts.get(slug)
    return count.above + count.chance if count else 0


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _plain(text: str) -> str:
    """Plotly reads a few HTML tags and its own braces in text; names are no markup."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("{", "(")
        .replace("}", ")")
    )


def _short(text: str, most: int = 22) -> str:
    return _plain(text if len(text) <= most else text[: most - 1] + "…")
