"""The figures say what the tables say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from unit59.site import charts
from unit59.site.pages import site_pages, unit_pages
from unit59.site.site import Site


def test_units_per_concept_counts_every_interpretable_unit_once(site: Site) -> None:
    for layer in site.layers:
        chart = charts.units_per_concept(layer)
        assert chart is not None
        above, chance = (sum(trace["x"]) for trace in chart.data)
        assert above == layer.record.above_null
        assert above + chance == layer.record.interpretable


def test_iou_distribution_counts_all_units_and_the_null_per_shuffle(site: Site) -> None:
    for layer in site.layers:
        bars, null = charts.iou_distribution(layer).data
        assert sum(bars["y"]) == layer.record.units
        assert abs(sum(null["y"]) - layer.record.units) < 0.01 * len(null["y"])
        assert bars["x"] == null["x"]


def test_iou_distribution_ends_with_units_that_are_their_label(site: Site) -> None:
    layer = site.models[0].layers[0]
    full = layer.record.model_copy(update={"histogram": [0] * 99 + [layer.record.units]})
    bars, _ = charts.iou_distribution(replace(layer, results=replace(layer.results, record=full))).data
    assert (bars["x"][-1], bars["y"][-1]) == (0.995, layer.record.units)


def test_a_bin_holds_its_left_edge(site: Site) -> None:
    layer = site.models[0].layers[0]
    chart = charts.iou_distribution(layer)
    bins = Counter(int(unit.iou * 100 + 1e-9) for unit in layer.units)
    assert dict(bins) == {
        int(x * 100): y for x, y in zip(chart.data[0]["x"], chart.data[0]["y"], strict=True) if y
    }


def test_the_layers_chart_adds_up(site: Site) -> None:
    for model in site.models:
        chart = charts.layers_chart(model)
        bars = [trace["y"] for trace in chart.data if trace["type"] == "bar"]
        assert [sum(column) for column in zip(*bars, strict=True)] == [
            layer.record.interpretable for layer in model.layers
        ]
        assert chart.data[-1]["y"] == [layer.record.null.interpretable for layer in model.layers]


def test_every_chart_has_words_a_table_and_axes_with_units(site: Site) -> None:
    for chart in _all(site):
        assert chart.label.endswith(".")
        assert chart.caption.endswith(".")
        assert chart.rows
        assert all(len(row) == len(chart.head) for row in chart.rows)
        assert any("title" in chart.layout[axis] for axis in ("xaxis", "yaxis"))
        json.dumps(chart.figure, allow_nan=False)


def test_names_are_no_markup_in_charts(site: Site) -> None:
    hostile = site.models[1]
    for layer in hostile.layers:
        for chart in (charts.units_per_concept(layer), charts.layers_chart(hostile)):
            assert chart is not None
            assert not [text for text in _strings(chart.figure) if "<script" in text]


def _all(site: Site) -> list[charts.Chart]:
    found: list[charts.Chart] = []
    for page in site_pages(site):
        found += list(page.context.get("charts", []))
        found += [chart] if (chart := page.context.get("chart")) else []
        for section in page.context.get("sections", []):
            found += [chart for _, chart in section.charts if chart]
    for layer in site.layers:
        for page in unit_pages(site, layer):
            charts_here = (page.context["agreement_chart"], page.context["activation_chart"])
            found += [chart for chart in charts_here if chart]
    return found


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []
