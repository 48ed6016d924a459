"""Units' rows as files: one unit's as JSON, a layer's as CSV, and as a script for the comparison."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from unit59.results.rows import UnitRow, as_dict
from unit59.site.content import Published
from unit59.site.views import ConceptAgreement, LayerView, UnitView
from unit59.site.views.effects import UnitEffects

#: What a threshold of its own adds to a concept's row.
OF_LEVEL = ("share", "threshold", "on_share", "null_iqr", "null_iqr_99")


def unit_data(unit: UnitView, agreements: Sequence[ConceptAgreement], effects: UnitEffects | None) -> bytes:
    """A unit's rows of the results, as JSON."""
    rows = {
        "model": unit.layer.model.name,
        "layer": unit.layer.name,
        "units.parquet": as_dict(unit.row),
        "agreement.parquet": [
            {
                "concept": one.concept.label,
                "plane": one.concept.plane,
                **{name: getattr(one, name) for name in ("iou", "low", "high", "null", "null_99", "iqr")},
                "intersection": one.intersection,
                "union": one.union,
                **({name: getattr(one.level, name) for name in OF_LEVEL} if one.level else {}),
            }
            for one in agreements
        ],
    }
    if effects:
        # All rows are in the layer's table; most say that nothing changes.
        rows["effects.parquet"] = [
            as_dict(each.row)
            for kind in effects.effects.values()
            for each in kind
            if each.found or each.row.erased or each.row.inserted
        ]
        rows["unit_effects.parquet"] = [as_dict(one.row) for one in (unit.off, unit.on) if one]
    # Without indentation: Python's own encoder is ten times slower than the one in C, for 10 000 pages.
    return json.dumps(rows, ensure_ascii=False).encode()


def unit_tables(layer: LayerView) -> list[Published]:
    """A layer's units for spreadsheets, and for the comparison."""
    # A script, not JSON: pages opened from disk may load scripts, but may not fetch.
    data = json.dumps(layer_script(layer), separators=(",", ":"), ensure_ascii=False)
    return [
        (f"{layer.path}/units.csv", _units_csv(layer)),
        (f"{layer.path}/units.js", f"window.unit59Layer({data});\n".encode()),
    ]


def layer_script(layer: LayerView) -> dict[str, Any]:
    """What the comparison's script needs of one layer."""
    record = layer.model.record
    return {
        "layer": layer.path,
        "title": f"{layer.name} · {layer.model.title}",
        "tile": record.tile,
        "units": {
            unit.number: {
                "label": unit.concept.label if unit.concept else None,
                "colour": unit.concept.colour if unit.concept else None,
                "verdict": unit.verdict,
                "iou": unit.row.iou,
                "low": unit.row.iou_low,
                "high": unit.row.iou_high,
                "null": unit.row.null_iou,
                "null_99": unit.row.null_99,
                "samples": unit.row.exemplars or [],
                "changed": unit.ablated_change,
            }
            for unit in layer.units
        },
    }


def _units_csv(layer: LayerView) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([field.name for field in fields(UnitRow)])
    for unit in layer.units:
        table.writerow([_cell(value) for value in as_dict(unit.row).values()])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Lists as `1;2;3`; text that a spreadsheet would run as a formula gets a quote before it."""
    if isinstance(value, list):
        return ";".join(f"{item:.6g}" if isinstance(item, float) else str(item) for item in value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
