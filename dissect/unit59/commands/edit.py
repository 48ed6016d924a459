"""`unit59 edit`: one edit on some samples, as pictures and as a table of effects."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from PIL import Image
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unit59.edit.edits import Edit, Levels
from unit59.edit.regions import EditError, Where
from unit59.edit.sweep import Sweep
from unit59.foundation.files import sweep_partials, write_atomically
from unit59.foundation.printable import printable
from unit59.foundation.suggest import nearest
from unit59.results.columns import (
    LEVELS,
    PICTURE,
    ConceptName,
    ConceptNumber,
    High,
    Low,
    PlaneName,
    Schema,
    column,
    rows,
    table_row,
)
from unit59.results.tables import fitted
from unit59.run import Run, alone
from unit59.samples.shards import to_uint8
from unit59.stats.intervals import central, mean_interval
from unit59.stats.rates import Floor, rate_columns, rates_of
from unit59.studies.effects.units import concept_columns
from unit59.studies.unit_sets import random_sets

#: Numbers in one range on the command line.
MOST = 100_000


@table_row
class EditEffectRow:
    """A concept, and what the edit does to it."""

    concept: ConceptNumber
    label: ConceptName
    plane: PlaneName
    before: float = column("mean area of the concept without the edit", PICTURE)
    after: float = column("mean area of the concept with it", PICTURE)
    effect: float = column("mean paired difference of the concept's area", PICTURE)
    low: Low
    high: High
    random_low: float | None = column("lower end of where 95 % of random units' effects lie", PICTURE)
    random_high: float | None = column("upper end of where 95 % of random units' effects lie", PICTURE)
    shown: int = column("samples that show the concept", "samples")
    erased: int = column("of those, samples in which it is gone after the edit", "samples")
    erasure_rate: float | None = column("how often the edit makes the concept go", "share of `shown`")
    erasure_low: Low
    erasure_high: High
    absent: int = column("samples without the concept", "samples")
    inserted: int = column("of those, samples that show it after the edit", "samples")
    insertion_rate: float | None = column("how often the edit makes the concept come", "share of `absent`")
    insertion_low: Low
    insertion_high: High
    side: float = column("mean absolute change of the picture outside where the concept was or came", LEVELS)


EDIT_EFFECTS = Schema(EditEffectRow)


def run_edit(
    run: Run, layer: str, edit: Edit, numbers: Sequence[int], out: Path, floor: float, random: int
) -> pl.DataFrame:
    """Carry out an edit: write before, after and difference of every sample, and the effects as CSV.

    Args:
        run: of the recipe.
        layer: any of the network's.
        edit: what to do.
        numbers: of the samples.
        out: folder for the pictures and `effects.csv`.
        floor: share of the grid from which on a sample shows a concept.
        random: how many random sets of as many other units to measure beside it.

    Returns:
        The effects, one row a concept.

    Raises:
        Unit59Error: there is no such layer, unit, sample or concept.
    """
    bench, inputs = _sweep(run, layer, edit), run.bench.cache.sampler.inputs
    if inputs is not None and max(numbers) >= len(inputs):
        raise EditError(f"sample {max(numbers)}: the inputs hold {len(inputs)} pictures.")
    sweep_partials(out)
    before, after = (to_uint8(images).cpu().numpy() for images in bench.pictures(edit, numbers))
    for row, number in enumerate(numbers):
        # Mid-grey is no change; half the contrast, so that no difference is cut off.
        difference = (255 + after[row].astype(int) - before[row]) // 2
        for name, picture in (
            ("before", before[row]),
            ("after", after[row]),
            ("difference", difference.astype(np.uint8)),
        ):
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "PNG")
            write_atomically(out / f"{number:06d}-{name}.png", buffer.getvalue())
    chance = random_edits(edit, bench.units, random, run.file.recipe.seed)
    table = effects_of(bench, edit, numbers, floor, chance)
    write_atomically(out / "effects.csv", table.write_csv().encode())
    return table


def random_edits(edit: Edit, units: int, count: int, seed: int) -> list[Edit]:
    """The same edit of random other units, as many; of any units, where there are not so many others."""
    others = [unit for unit in range(units) if unit not in edit.units]
    pool = others if len(others) >= len(edit.units) else range(units)
    sets = random_sets(pool, len(edit.units), count, seed)
    return [edit.model_copy(update={"units": tuple(each)}) for each in sets]


def effects_of(
    bench: Sweep, edit: Edit, numbers: Sequence[int], floor: float, chance: Sequence[Edit]
) -> pl.DataFrame:
    """The effects of one edit, one row a concept that is there before or after, the largest first.

    The columns random_low and random_high say between what 95 % of the effects of the edits `chance` lie.
    """
    plain, outcome = bench.plain(numbers), bench.area(edit, numbers)
    mean = mean_interval((outcome.counts[0] - plain.counts) / plain.pixels)
    rates = rates_of(plain.counts, outcome.counts[0], Floor(floor, plain.pixels), axis=0)
    band: dict[str, Any] = {"random_low": None, "random_high": None}
    if chance:
        drawn = bench.counts(chance, numbers) - plain.counts
        band = dict(zip(band, central(drawn.mean(axis=1) / plain.pixels), strict=True))
    table = pl.DataFrame(
        {
            **concept_columns(bench.cache.segmenter.concepts, 1),
            "before": plain.counts.mean(axis=0) / plain.pixels,
            "after": outcome.counts[0].mean(axis=0) / plain.pixels,
            "effect": mean.value,
            "low": mean.low,
            "high": mean.high,
            **band,
            **rate_columns(rates),
            "side": outcome.side[0].mean(axis=0),
        }
    )
    there = fitted(table, EDIT_EFFECTS).filter((pl.col("before") > 0) | (pl.col("after") > 0))
    return there.sort(pl.col("effect").abs(), descending=True, maintain_order=True)


def print_effects(table: pl.DataFrame, console: Console) -> None:
    """The table on a terminal; shares in percent of the picture, effects in percentage points."""
    shown = Table("concept", title="Effects, % of the picture (95 % interval)")
    heads = [
        "before",
        "after",
        "effect",
        "interval",
        "random units",
        "erased",
        "inserted",
        "change elsewhere",
    ]
    for name in heads:
        shown.add_column(name, justify="right")
    for row in rows(table, EditEffectRow):
        shown.add_row(
            Text(printable(row.label)),
            f"{100 * row.before:.2f}",
            f"{100 * row.after:.2f}",
            f"{100 * row.effect:+.2f}",
            _span(row.low, row.high),
            _span(row.random_low, row.random_high),
            f"{row.erased} of {row.shown}" if row.shown else "–",
            f"{row.inserted} of {row.absent}" if row.absent else "–",
            f"{row.side:.2f}",
        )
    console.print(shown)


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "–"
    return f"{100 * low:+.2f} … {100 * high:+.2f}"


def make_edit(
    units: Sequence[int],
    choice: Literal["ablate", "insert", "scale"],
    value: float | None,
    quantile: float | None,
    mean: bool,
    where: Where | None,
) -> Edit:
    """The edit that the command line's options say.

    Args:
        units: which.
        choice: what to do with them.
        value: the level, or the factor of a scaling.
        quantile: of an insertion.
        mean: set to the mean.
        where: by default everywhere.

    Raises:
        EditError: options that do not go together.
    """
    try:
        return Edit(
            do=choice,
            units=tuple(units),
            level="mean" if mean else None if choice == "scale" else value,
            factor=value if choice == "scale" else None,
            quantile=quantile,
            where=where,
        )
    except ValidationError as error:
        raise EditError(_said(error)) from None


def make_where(box: str | None, mask: Path | None, concept: str | None) -> Where | None:
    """Where the command line says; None for everywhere.

    Raises:
        EditError: options that do not go together.
    """
    if box is None and mask is None and concept is None:
        return None
    try:
        edges = None if box is None else [float(edge) for edge in box.split(",")]
        return Where.model_validate({"box": edges, "mask": mask, "concept": concept})
    except ValidationError as error:
        raise EditError(_said(error)) from None
    except ValueError:
        raise EditError(f"--box {box!r}: expected top,left,bottom,right, such as 0,0,0.5,1.") from None


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    place = f"{first['loc'][0]}: " if first["loc"] else ""
    return place + str(first["msg"]).removeprefix("Value error, ") + "."


def parse_numbers(text: str, what: str) -> list[int]:
    """``0-3,9`` as [0, 1, 2, 3, 9], each once.

    Raises:
        EditError: it is written otherwise.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or bool(dash) != last.isdecimal() or len(part) > 20:
            raise EditError(f"--{what} {text!r}: expected numbers such as 59,12 or 0-15.")
        numbers = range(int(first), int(last or first) + 1)
        if len(numbers) > MOST:
            raise EditError(f"--{what} {text!r}: at most {MOST} numbers.")
        found += numbers
    return list(dict.fromkeys(found))


def _sweep(run: Run, layer: str, edit: Edit) -> Sweep:
    """Edits at any layer; samples and levels are only made where the edit needs them."""
    bench, layers = run.bench, run.opened.network.layers
    if layer not in layers and layer not in bench.cache.layers:
        known = [*layers, *(name for name in bench.cache.layers if name not in layers)]
        raise EditError(
            f"{run.opened.network.family} has no layer {layer!r}{nearest(layer, known)} "
            f"It has {', '.join(known)}."
        )
    units = bench.units(layer).count
    if edit.units and max(edit.units) >= units:
        raise EditError(f"unit {max(edit.units)}: {layer} has {units} units, 0 to {units - 1}.")
    if edit.level == "mean" or edit.inserts or edit.quantile is not None:
        if layer not in bench.cache.layers:
            raise EditError(
                f"{run.file.path} does not dissect {layer}, so its units' usual levels are not known: "
                "give a --level, or add it to `layers`."
            )
        with alone(bench.cache.store.folder):
            run.fill()
            return bench.sweep(layer)
    unknown = torch.zeros(units, 1, 1)
    return bench.bare_sweep(layer, Levels(unknown, unknown))
