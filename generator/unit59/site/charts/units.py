"""Charts of units: what one agrees with, how its values lie, and all units of a concept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unit59.results import INTERPRETABLE_IOU
from unit59.site.charts.base import Chart, short
from unit59.site.charts.marks import DASHED, NAMES, bars, cut, edge, intervals, points, rounded, rule, scale
from unit59.site.heads import heads
from unit59.site.views import ConceptAgreement, LayerView, UnitView


def agreement_chart(unit: UnitView, agreements: Sequence[ConceptAgreement]) -> Chart | None:
    """A unit's IoU with its best concepts, each with interval and null. None where nothing overlaps."""
    shown = [agreement for agreement in agreements if agreement.iou > 0][:8]
    if not shown:
        return None
    return Chart(
        label=f"IoU of unit {unit.number} with its {len(shown)} best concepts, with intervals and nulls.",
        caption=(
            "IoU with 95 % interval (dot and bar) per concept; the upright mark is the 99 % bound with other "
            "samples' masks. A dot left of its mark is no more than chance."
        ),
        data=_agreement_marks(shown[::-1]),
        layout={
            "xaxis": scale("IoU"),
            "yaxis": NAMES,
            "shapes": [cut()],
            "showlegend": False,
        },
        head=[
            *heads("agreement", label="", iou="", iou_low="95 % interval", null_iou="", null_99="", iqr=""),
            *(heads("levels", null_iqr_99="", on_share="") if shown[0].level else []),
        ],
        rows=[
            (
                a.concept.label,
                f"{a.iou:.4f}",
                f"{a.low:.4f} – {a.high:.4f}",
                *(f"{value:.4f}" for value in (a.null, a.null_99, a.iqr)),
                *((f"{a.level.null_iqr_99:.4f}", f"{a.level.on_share * 100:.2g} %") if a.level else ()),
            )
            for a in shown
        ],
        height=120 + 28 * len(shown),
    )


def _agreement_marks(ordered: Sequence[ConceptAgreement]) -> list[dict[str, Any]]:
    labels = [short(each.concept.label) for each in ordered]
    null = points(
        [rounded(each.null_99) for each in ordered],
        labels,
        name="null, 99 %",
        hover="%{y}: null %{x:.4f}",
        symbol="line-ns",
        size=16,
        line=edge("@ink", 2),
    )
    dots = points(
        [rounded(each.iou) for each in ordered],
        labels,
        name="IoU",
        hover="%{y}: IoU %{x:.4f}",
        size=12,
        color=[each.concept.colour for each in ordered],
        line=edge("@ink"),
    )
    iou, low, high = zip(*[(each.iou, each.low, each.high) for each in ordered], strict=True)
    return [null, dots | {"error_x": intervals(iou, low, high, color="@muted", thickness=2)}]


def activation_chart(unit: UnitView, low: float, high: float, counts: Sequence[int]) -> Chart | None:
    """How a unit's values are distributed, with its threshold. None where nothing was counted."""
    if not counts or not sum(counts):
        return None
    width = (high - low) / len(counts)
    threshold = float(unit.row.threshold)
    middles = [float(f"{low + (i + 0.5) * width:.5g}") for i in range(len(counts))]
    return Chart(
        label=f"Histogram of unit {unit.number}'s values, with its threshold.",
        caption=(
            f"All values of the unit over all samples, on a log scale. The dotted rule is its threshold, "
            f"{threshold:.3g}: {unit.mask_words}."
        ),
        data=[
            bars(middles, counts, hover="%{x:.3g}: %{y} values", wide=float(f"{width:.5g}"), color="@accent")
        ],
        layout={
            "bargap": 0,
            "xaxis": scale("activation", zero=False),
            "yaxis": scale("values", zero=False, type="log", dtick=1, exponentformat="power"),
            "shapes": [rule("x", threshold, {**DASHED, "width": 2})],
            "showlegend": False,
        },
        head=heads("activations", low="", high="", counts=""),
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
        points(
            [round(place + _spread(unit.number), 3) for unit in units],
            [rounded(unit.iou) for unit in units],
            name=layer.name,
            hover="%{text}: IoU %{y:.3f}",
            text=[f"unit {unit.number}" for unit in units],
            size=10,
            opacity=0.85,
            symbol=["circle" if unit.verdict == "above" else "circle-open" for unit in units],
            color=colour,
            line=edge(),
        )
        for place, (layer, units) in enumerate(found)
    ]
    names = [f"{short(layer.model.title, 18)}<br>{layer.name}" for layer, _ in found]
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
            "yaxis": scale("IoU"),
            "shapes": [cut("y")],
            "showlegend": False,
        },
        head=[
            *heads("ModelRecord", title="model"),
            *heads("LayerRecord", name="layer"),
            *heads("units", label="units with this label", agrees="above the null", iou="best IoU"),
        ],
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
