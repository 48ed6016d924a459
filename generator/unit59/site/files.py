"""The files beside the pages: pictures, tables, data and assets, and what the whole will weigh."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from unit59.results import LAYER_TABLES, Kept, ModelResults
from unit59.site.pages.compare import layer_script
from unit59.site.quality import view_quality
from unit59.site.render import TEMPLATES
from unit59.site.site import Page, Site
from unit59.site.studies import Study
from unit59.site.views import LayerView, UnitView

#: What one unit page and its data weigh without pictures (measured with the Material theme).
UNIT_PAGE_BYTES = 52_000
#: What one effect of a unit on a concept adds to these (measured).
EFFECT_BYTES = 500
#: GitHub Pages refuses a larger site.
PAGES_LIMIT = 1_000_000_000
STRIPS = ("exemplars", "ablated", "inserted", "effect")

#: Of the results only what the manifest lists, verified as it is copied; of the assets, files as they are.
Content = Kept | Path | bytes


def site_files(site: Site, strips: Iterable[str] = STRIPS) -> Iterator[tuple[str, Content]]:
    """Every file that pages refer to, as (path in the site, its source or its content)."""
    strips = tuple(strips)
    for model in site.models:
        results = model.results
        if model.sheet:
            yield model.sheet, results.kept(model.sheet_file)
        yield f"{model.path}/model.json", results.kept(results.folder / "model.json")
        yield f"{model.path}/concepts.parquet", results.kept(results.folder / "concepts.parquet")
        yield f"{model.path}/recipe.yaml", model.record.recipe.encode()
        if quality := view_quality(model):
            yield from _kept(results, quality.files.items())
        for layer in model.layers:
            yield from _layer_files(layer, strips)
    for study in (*site.findings, *site.set_studies, *site.studies.reports):
        yield from _study_files(study)


def _study_files(study: Study) -> Iterator[tuple[str, Content]]:
    home = study.results.folder
    files = [(f"{study.path}/{name}", home / name) for name in ("study.json", *study.results.tables)]
    files += [(study.picture(picture), study.results.picture(picture.file)) for picture in study.pictures]
    yield from _kept(study.model.results, files)


def assets(templates: Iterable[Path] = ()) -> Iterator[tuple[str, Content]]:
    """The styles, scripts and fonts; a file of the same name below `templates`/assets goes first."""
    found: dict[str, Path] = {}
    for folder in [TEMPLATES, *reversed(list(templates))]:
        home = folder / "assets"
        found |= {path.relative_to(home).as_posix(): path for path in home.rglob("*") if path.is_file()}
    for name, path in sorted(found.items()):
        yield f"assets/unit59/{name}", path


def unit_data(page: Page) -> bytes:
    """A unit's rows of the results, as JSON."""
    unit = page.context["unit"]
    agreement = [
        {
            "concept": one.concept.label,
            "plane": one.concept.plane,
            **{name: getattr(one, name) for name in ("iou", "low", "high", "null", "null_99", "iqr")},
            "intersection": one.intersection,
            "union": one.union,
        }
        for one in page.context["agreements"]
    ]
    rows = {
        "model": unit.layer.model.name,
        "layer": unit.layer.name,
        "units.parquet": unit.row,
        "agreement.parquet": agreement,
    }
    if effects := page.context["effects"]:
        # All rows are in the layer's table; most say that nothing changes.
        rows["effects.parquet"] = [
            each.row
            for kind in effects.effects.values()
            for each in kind
            if each.found or each.row["erased"] or each.row["inserted"]
        ]
        rows["unit_effects.parquet"] = [one.row for one in (unit.off, unit.on) if one]
    # Without indentation: Python's own encoder is ten times slower than the one in C, for 10 000 pages.
    return json.dumps(rows, ensure_ascii=False).encode()


def write(files: Iterable[tuple[str, Content]], folder: Path) -> None:
    """Write files below a folder.

    Raises:
        ResultsError: a file of the results is not what was written, or is a link.
    """
    made: set[Path] = set()
    for name, content in files:
        target = folder / name
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(_read(content))


def predicted_bytes(site: Site, strips: Iterable[str] = STRIPS) -> int:
    """About how large the built site will be."""
    pictures = sum(_size(content) for layer in site.layers for _, content in _pictures(layer, tuple(strips)))
    effects = sum(
        _size(content) for layer in site.layers for _, content in _effect_files(layer)
    ) + EFFECT_BYTES * sum(
        len(layer.results.effects.effects) for layer in site.layers if layer.results.effects
    )
    units = sum(layer.record.units for layer in site.layers)
    tables = sum(_size(content) for layer in site.layers for _, content in _tables(layer))
    studies = sum(
        _size(content)
        for study in (*site.findings, *site.set_studies, *site.studies.reports)
        for _, content in _study_files(study)
    )
    return (
        pictures
        + tables
        + effects
        + studies
        + units * UNIT_PAGE_BYTES
        + sum(_size(content) for _, content in assets())
    )


def _read(content: Content) -> bytes:
    if isinstance(content, Kept):
        return content.read()
    return content if isinstance(content, bytes) else content.read_bytes()


def _size(content: Content) -> int:
    if isinstance(content, Kept):
        return content.entry.bytes
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _kept(results: ModelResults, files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Content]]:
    for name, path in files:
        yield name, results.kept(path)


def _layer_files(layer: LayerView, strips: tuple[str, ...]) -> Iterator[tuple[str, Content]]:
    yield from _pictures(layer, strips)
    yield from _tables(layer)
    yield from _effect_files(layer)
    yield f"{layer.path}/units.csv", _units_csv(layer)
    # A script, not JSON: pages opened from disk may load scripts, but may not fetch.
    data = json.dumps(layer_script(layer), separators=(",", ":"), ensure_ascii=False)
    yield f"{layer.path}/units.js", f"window.unit59Layer({data});\n".encode()


def _tables(layer: LayerView) -> Iterator[tuple[str, Content]]:
    files = [(f"{layer.path}/{name}", layer.results.folder / name) for name in LAYER_TABLES]
    yield from _kept(layer.model.results, files)


def _effect_files(layer: LayerView) -> Iterator[tuple[str, Content]]:
    home, names = layer.results.folder / "effects", layer.effects.files if layer.effects else ()
    yield from _kept(layer.model.results, [(f"{layer.path}/{name}", home / name) for name in names])


def _pictures(layer: LayerView, strips: tuple[str, ...]) -> Iterator[tuple[str, Content]]:
    for unit in layer.units:
        for kind in strips:
            if _has_strip(unit, kind):
                picture = layer.results.picture(unit.number, kind)
                yield unit.strip(kind), layer.model.results.kept(picture)


def _has_strip(unit: UnitView, kind: str) -> bool:
    if kind == "effect":
        return bool(unit.off and unit.off.row["samples"])
    return bool(unit.row["inserted" if kind == "inserted" else "exemplars"])


def _units_csv(layer: LayerView) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(layer.results.units.columns)
    for unit in layer.units:
        table.writerow([_cell(value) for value in unit.row.values()])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """Lists as `1;2;3`; text that a spreadsheet would run as a formula gets a quote before it."""
    if isinstance(value, list):
        return ";".join(f"{item:.6g}" if isinstance(item, float) else str(item) for item in value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
