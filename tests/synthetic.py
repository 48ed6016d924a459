"""A small, plausible results folder with pictures of its own, for tests of everything that reads results."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from tests.synthetic_effects import ON_STRIP, effects_of
from tests.synthetic_reports import write_reports
from unit59.results import (
    ACTIVATIONS,
    AGREEMENT,
    CONCEPTS,
    EFFECT_TABLES,
    INTERPRETABLE_IOU,
    LAYER_TABLES,
    QUALITY,
    SIMILAR,
    UNITS,
    CheckpointRecord,
    LayerRecord,
    ModelRecord,
    NullSummary,
    QualityRecord,
    ResultsWriter,
    SegmenterRecord,
    picture_name,
    table_bytes,
    to_json,
)
from unit59.stats.correlation import effect_relations
from unit59.stats.histograms import score_histogram

Concepts = Sequence[tuple[str, str, str]]

#: (label, plane, colour); the names of the second are what a stranger's segmenter may say.
BEDROOM: Concepts = (
    ("bed", "object", "#c2543f"),
    ("window", "object", "#3f7fb5"),
    ("cushion", "object", "#d9a441"),
    ("lamp", "object", "#7a9e4e"),
    ("red", "colour", "#d62728"),
    ("white", "colour", "#ffffff"),
)
HOSTILE: Concepts = (
    ("<script>alert(1)</script>", "object", "#8a6bb1"),
    ("a/b", "object", "#4f9d9d"),
    ("a b", "part", "red;background:url(https://example.com/x)"),
    ('quote" onload="alert(1)', "part", "#b0643c"),
    ("../../escape", "part", "#5b8c5a"),
    ("cushion", "object", "#000000"),
)
TILE, SAMPLES, EXEMPLARS = 64, 256, 6


def write_results(root: Path) -> Path:
    """Two models: `bedrooms`, whole, and `hostile`, whose run was interrupted after two of three layers."""
    write_model(
        root,
        "bedrooms",
        "Toy bedrooms",
        BEDROOM,
        layers={"layer1": (12, 8), "layer2": (40, 16), "layer3": (16, 32)},
        planned=["layer1", "layer2", "layer3"],
        summary="A toy generator that draws rooms.",
        effects={"layer2": 24},
    )
    write_model(
        root,
        "hostile",
        'Strange <b>names</b> & "quotes"',
        HOSTILE,
        layers={"b8.conv0": (12, 8), "b16.conv1": (14, 16)},
        planned=["b8.conv0", "b16.conv1", "b32.conv0"],
        summary="<img src=x onerror=alert(1)>",
    )
    write_reports(
        root, _webp(_grid(3, 4, lambda row, column: _room(column, cushion=row == 0, lamp=row == 2)))
    )
    return root


def write_model(
    root: Path,
    name: str,
    title: str,
    concepts: Concepts,
    layers: dict[str, tuple[int, int]],
    planned: list[str],
    summary: str = "",
    *,
    pictures: bool = True,
    effects: Mapping[str, int] | None = None,
) -> None:
    """Write one model.

    Args:
        root: the results folder.
        name: the model's name.
        title: its title.
        concepts: label, plane and colour of each concept.
        layers: by layer its units and the edge of its maps.
        planned: the layers that the recipe asked for.
        summary: what it is.
        pictures: draw a strip of its own for every unit, or one strip for all (for large folders).
        effects: the layers whose units' effects were measured, and the budget of units.
    """
    draw = np.random.default_rng(len(name))
    writer = ResultsWriter(root, name)
    records = []
    for number, (layer, (units, edge)) in enumerate(layers.items()):
        tables, record = _layer_tables(draw, layer, number, units, edge, concepts, list(layers.items()))
        strips = _strips(tables["units.parquet"], concepts, pictures)
        home = f"layers/{layer}"
        files = {f"{home}/{name}": table_bytes(table, LAYER_TABLES[name]) for name, table in tables.items()}
        writer.write_part(
            home, "key", files | {f"{home}/pictures/{name}": data for name, data in strips.items()}
        )
        if budget := (effects or {}).get(layer):
            found = _effects(layer, tables, concepts, budget)
            writer.write_part(f"layers/{layer}/effects", "key", found)
        records.append(record)
    planes = list(dict.fromkeys(plane for _, plane, _ in concepts))
    model = ModelRecord(
        name=name,
        title=title,
        summary=summary,
        family="toy",
        resolution=(TILE, TILE),
        checkpoint=CheckpointRecord(
            file=f"{name}.safetensors",
            sha256="5" * 64,
            bytes=123456,
            family="toy",
            source="https://example.org/toy",
            licence="MIT",
            terms="None: the rooms are drawn.",
        ),
        segmenter=SegmenterRecord(
            names=["toy"], planes=planes, licence="MIT", limits="Sees rectangles only."
        ),
        samples=SAMPLES,
        overlap_samples=64,
        sampling={"truncation": "psi 0.7 on all layers"},
        seed=59,
        quantile=0.01,
        grid=(64, 64),
        tile=TILE,
        sheet=(2, 8),
        network=[
            {"name": layer, "units": units, "height": edge, "width": edge, "path": f"net.{place}"}
            for place, (layer, (units, edge)) in enumerate([*layers.items(), ("rgb", (3, 64))])
        ],
        layers=records,
        planned_layers=planned,
        recipe=f"name: {name}\n\nlayers: {planned}\n",
        versions={"unit59": "0.1.0", "torch": "2.13.0"},
    )
    table = pl.DataFrame(
        [
            {
                "concept": number,
                "label": label,
                "plane": plane,
                "colour": colour,
                "share": 0.4 / number,
                "presence": 0.9 / number,
            }
            for number, (label, plane, colour) in enumerate(concepts, 1)
        ]
    )
    writer.write_part(
        "model",
        "key",
        {
            "concepts.parquet": table_bytes(table, CONCEPTS),
            "pictures/samples.webp": _webp(_grid(2, 8, lambda row, column: _room(row * 8 + column))),
        },
        {"model.json": to_json(model)},
    )
    writer.write_part("quality", "key", _quality(concepts))
    writer.write_run(
        {
            "finished": "2026-11-20T12:00:00Z",
            "seconds": 17.94,
            "steps": {"samples": 12.34, "layer1: pictures": 5.6},
        }
    )


def _effects(
    layer: str, tables: dict[str, pl.DataFrame], concepts: Concepts, budget: int
) -> dict[str, bytes]:
    units = tables["units.parquet"]
    record, found_tables = effects_of(layer, units["concept"].to_list(), concepts, budget)
    iou = tables["agreement.parquet"].sort("unit", "concept")["iou"].fill_null(0).to_numpy()
    found_tables["relations.parquet"] = effect_relations(
        iou.reshape(len(units), -1), found_tables["effects.parquet"], seed=59
    )
    home = f"layers/{layer}/effects"
    files = {f"{home}/effects.json": to_json(record)}
    files |= {
        f"{home}/{name}": table_bytes(table, EFFECT_TABLES[name]) for name, table in found_tables.items()
    }
    found = found_tables["unit_effects.parquet"].filter(pl.col("samples").is_not_null())
    strip = _strip("ablated", ON_STRIP, 0)
    for unit in found["unit"]:
        files[f"{home}/pictures/{picture_name(unit, 'effect')}"] = strip
    return files


def _quality(concepts: Concepts) -> dict[str, bytes]:
    """Beside real pictures: the second concept shows far too rarely, the others about as often."""

    def bounds(name: str, value: float, reach: float) -> dict[str, float]:
        return {name: value, f"{name}_low": value - reach, f"{name}_high": value + reach}

    rows = [
        {
            "concept": number,
            "label": label,
            "plane": plane,
            **bounds("presence_real", 0.9 / number, 0.02),
            **bounds("presence_generated", 0.9 / number - (0.3 if number == 2 else 0.04), 0.03),
            **bounds("presence_difference", -0.3 if number == 2 else -0.04, 0.035),
            **bounds("area_real", 0.4 / number, 0.01),
            **bounds("area_generated", 0.35 / number, 0.01),
            **bounds("agreement", 0.8 - 0.1 * number, 0.02),
        }
        for number, (label, plane, _) in enumerate(concepts, 1)
    ]
    record = QualityRecord(
        source='{"folder": "<real>"}',
        real=2 * SAMPLES,
        generated=SAMPLES,
        floor=0.002,
        distance=12.34,
        distance_of_halves=0.56,
        half=SAMPLES,
        agreement=0.45,
        agreement_low=0.43,
        agreement_high=0.47,
        sheet=(2, 8),
    )
    return {
        "quality/quality.json": to_json(record),
        "quality/quality.parquet": table_bytes(_table(rows, QUALITY), QUALITY),
        "quality/pictures/real.webp": _webp(
            _grid(2, 8, lambda row, column: _room(900 + row * 8 + column, lamp=True))
        ),
    }


def _layer_tables(
    draw: np.random.Generator,
    layer: str,
    number: int,
    units: int,
    edge: int,
    concepts: Concepts,
    layers: list[tuple[str, tuple[int, int]]],
) -> tuple[dict[str, pl.DataFrame], LayerRecord]:
    rows: list[dict[str, Any]] = []
    agreement: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    similar: list[dict[str, Any]] = []
    null = draw.beta(2, 60, size=(8, units))
    for unit in range(units):
        silent = unit % 11 == 10
        ious = np.zeros(len(concepts)) if silent else draw.beta(1.2, 40, size=len(concepts))
        if unit % 3 == 0 and not silent:
            ious[unit // 3 % len(concepts)] = 0.05 + 0.25 * draw.random()
        best = int(ious.argmax())
        low, high = null[:, unit].mean(), float(np.quantile(null[:, unit], 0.99))
        iou = float(ious[best])
        samples = [] if silent else sorted(draw.choice(SAMPLES, EXEMPLARS, replace=False).tolist())
        rows.append(
            {
                "unit": unit,
                "threshold": 0.0 if silent else float(2 + draw.random()),
                "on_share": 0.0 if silent else 0.0098,
                "concept": None if silent else best + 1,
                "label": None if silent else concepts[best][0],
                "plane": None if silent else concepts[best][1],
                "iou": None if silent else iou,
                "iou_low": None if silent else iou * 0.9,
                "iou_high": None if silent else iou * 1.1,
                "null_iou": low,
                "null_99": high,
                "iqr": None if silent else iou / 3,
                "interpretable": iou >= INTERPRETABLE_IOU,
                "above_null": iou > high,
                "agrees": iou >= INTERPRETABLE_IOU and iou > high,
                "mean": 0.1,
                "maximum": 0.0 if silent else 7.5,
                "insert_level": 0.0 if silent else 5.5,
                "exemplars": samples,
                "exemplar_peaks": [7.5 - 0.3 * i for i in range(len(samples))],
                "ablated_change": [0.2 + 0.1 * i for i in range(len(samples))],
                "inserted": samples[:4],
                "inserted_change": [1.5] * len(samples[:4]),
            }
        )
        agreement.extend(
            {
                "unit": unit,
                "concept": i + 1,
                "label": label,
                "plane": plane,
                "intersection": int(1000 * ious[i]),
                "union": 1000,
                "iou": float(ious[i]),
                "iou_low": float(ious[i]) * 0.9,
                "iou_high": float(ious[i]) * 1.1,
                "null_iou": 0.01,
                "null_99": 0.02,
                "agrees": bool(ious[i] >= INTERPRETABLE_IOU),
                "iqr": float(ious[i]) / 3,
            }
            for i, (label, plane, _) in enumerate(concepts)
        )
        counts = [int(10_000 * math.exp(-i / 4)) for i in range(40)]
        values.append({"unit": unit, "low": 0.0, "high": 8.0, "counts": [0] * 40 if silent else counts})
        for rank in range(0 if silent else 4):
            other, (size, _) = layers[rank % len(layers)]
            fellow = (unit * 7 + rank + 1) % size
            similar.append(
                {"unit": unit, "rank": rank + 1, "other_layer": other, "other_unit": fellow, "overlap": 0.3}
            )
    interpretable = [row for row in rows if row["interpretable"]]
    passing = (null >= INTERPRETABLE_IOU).sum(axis=1)
    record = LayerRecord(
        name=layer,
        number=number,
        units=units,
        height=edge,
        width=edge,
        path=f"net.{number}",
        interpretable=len(interpretable),
        above_null=sum(bool(row["above_null"]) for row in interpretable),
        histogram=score_histogram(np.array([row["iou"] or 0.0 for row in rows])),
        null=NullSummary(
            shuffles=8,
            interpretable=float(passing.mean()),
            interpretable_max=int(passing.max()),
            histogram=score_histogram(null),
        ),
    )
    tables = {
        "units.parquet": _table(rows, UNITS),
        "agreement.parquet": _table(agreement, AGREEMENT),
        "activations.parquet": _table(values, ACTIVATIONS),
        "similar.parquet": _table(similar, SIMILAR),
    }
    return tables, record


def _table(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema)


def _strips(units: pl.DataFrame, concepts: Concepts, each: bool) -> dict[str, bytes]:
    drawn: dict[str, bytes] = {}
    shared: dict[str, bytes] = {}
    for row in units.iter_rows(named=True):
        if not row["exemplars"]:
            continue
        for kind, samples in (
            ("exemplars", row["exemplars"]),
            ("ablated", row["exemplars"]),
            ("inserted", row["inserted"]),
        ):
            if each or kind not in shared:
                shared[kind] = _strip(kind, samples, row["unit"])
            drawn[picture_name(row["unit"], kind)] = shared[kind]
    return drawn


def _strip(kind: str, samples: list[int], unit: int) -> bytes:
    def picture(row: int, column: int) -> Image.Image:
        room = _room(
            samples[column], cushion=row == 0 or kind == "inserted", lamp=kind == "inserted" and row == 1
        )
        if kind == "exemplars":
            box = [18 + unit % 9, 34, 40 + unit % 9, 46]
            ImageDraw.Draw(room).rectangle(box, outline=(255, 230, 0), width=1)
        return room

    return _webp(_grid(1 if kind == "exemplars" else 2, len(samples), picture))


def _grid(rows: int, columns: int, picture: Any) -> Image.Image:
    sheet = Image.new("RGB", (columns * TILE, rows * TILE))
    for row in range(rows):
        for column in range(columns):
            sheet.paste(picture(row, column), (column * TILE, row * TILE))
    return sheet


def _room(sample: int, *, cushion: bool = True, lamp: bool = False) -> Image.Image:
    shade = np.random.default_rng(sample).integers(0, 60, size=3).tolist()
    room = Image.new("RGB", (TILE, TILE), (200 - shade[0], 190 - shade[1], 170 - shade[2]))
    pen = ImageDraw.Draw(room)
    pen.rectangle((0, 48, TILE, TILE), fill=(120 - shade[2], 90, 70))
    pen.rectangle((8, 6, 24, 24), fill=(150, 190, 230))
    pen.rectangle((14, 36, 56, 54), fill=(170, 60 + shade[0], 60))
    if cushion:
        pen.rectangle((18, 34, 30, 42), fill=(230, 210, 160))
    if lamp:
        pen.ellipse((50, 10, 60, 22), fill=(255, 240, 140))
    return room


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=75, method=0)
    return buffer.getvalue()
