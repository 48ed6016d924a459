"""What the study of textures measured, with intervals, and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from unit59.foundation.arrays import Numbers
from unit59.results.tables import fitted
from unit59.stats.intervals import bootstrapped, mean_interval, spearman
from unit59.stats.ranks import partial_spearman
from unit59.studies.facts import Estimate
from unit59.studies.textures.facts import End, StandingOut, TextureFacts
from unit59.studies.textures.tables import LAYERS, LOOKS, POINTS, LookRow, PointRow, TextureLayerRow

#: Columns of what `unit59.studies.textures.effects.effects` gives.
OBJECTS, TEXTURE, COLOUR, DETAIL = range(4)
#: Their names.
PARTS = {"objects": OBJECTS, "texture": TEXTURE, "colour": COLOUR, "detail": DETAIL}
#: Units shown at each end.
ENDS = 3


@dataclass(frozen=True)
class MeasuredLayer:
    """One layer's units, switched off one by one.

    Attributes:
        name: its name.
        depth: its number in forward order.
        units: which were switched off, U of them.
        values: float64 [n,U,4], see `unit59.studies.textures.effects.effects`.
    """

    name: str
    depth: int
    units: list[int]
    values: Numbers


@dataclass(frozen=True)
class TextureNumbers:
    """What was measured of objects and textures.

    Attributes:
        layers: in forward order.
        reference: by kind of noise [n,amplitudes,4].
        samples: which.
        window: side in pixels.
        seed: of the bootstrap.
    """

    layers: Sequence[MeasuredLayer]
    reference: Mapping[str, Numbers]
    samples: Sequence[int]
    window: int
    seed: int

    def of_unit(self, layer: str, unit: int) -> Numbers:
        """Its effects by sample, [n,4]."""
        (found,) = [each for each in self.layers if each.name == layer]
        return found.values[:, found.units.index(unit)]

    @cached_property
    def units(self) -> pl.DataFrame:
        """A row for each unit: means over samples with intervals; no `ratio` where it changes nothing."""
        frames = []
        for layer in self.layers:
            mean = mean_interval(layer.values)
            columns: dict[str, Any] = {
                "layer": [layer.name] * len(layer.units),
                "depth": [layer.depth] * len(layer.units),
                "unit": layer.units,
            }
            for name, part in PARTS.items():
                columns[name] = mean.value[:, part]
                columns[f"{name}_low"], columns[f"{name}_high"] = mean.low[:, part], mean.high[:, part]
            frames.append(pl.DataFrame(columns))
        units = pl.concat(frames)
        return (
            units.with_columns(
                pl.when(pl.col("texture") > 0).then(pl.col("objects") / pl.col("texture")).alias("ratio"),
                pl.Series("noise", self._noise(units["texture"].to_numpy())),
            )
            # One sample alone has no interval; polars would call NaN larger than anything.
            .with_columns(pl.selectors.float().fill_nan(None))
            .with_columns((pl.col("objects_low") > pl.col("noise")).fill_null(value=False).alias("beyond"))
        )

    def _noise(self, texture: Numbers) -> Numbers:
        """Object effect of noise with this texture effect, of the kind that has more."""
        means = [values.mean(axis=0) for values in self.reference.values()]
        kinds = [np.interp(texture, [0.0, *mean[:, TEXTURE]], [0.0, *mean[:, OBJECTS]]) for mean in means]
        worst: Numbers = np.max(kinds, axis=0)
        return worst

    # ---- along the network

    @cached_property
    def trend(self) -> Estimate:
        """Rank correlation of depth with the ratio of object to texture effect, over units."""
        rows = self.units.drop_nulls("ratio")
        return Estimate.of(*spearman(rows["depth"].to_numpy(), rows["ratio"].to_numpy(), self.seed))

    @cached_property
    def trend_at_equal_texture(self) -> Estimate:
        """Partial rank correlation of depth with the object effect, the texture effect held."""
        rows = self.units.drop_nulls("ratio")
        given = rows.select("depth", "texture").to_numpy()

        def partial(given: Numbers, objects: Numbers) -> float:
            return partial_spearman(given[:, 0], objects, given[:, 1])

        return Estimate.of(*bootstrapped(partial, given, rows["objects"].to_numpy(), self.seed))

    def median(self, layer: str, column: str) -> tuple[float, float, float]:
        """Over the layer's units, with a bootstrap interval over units."""
        values = self.units.filter(layer=layer)[column].drop_nulls().to_numpy()
        if not len(values):
            return float("nan"), float("nan"), float("nan")
        middle = float(np.median(values))
        return middle, *bootstrapped(lambda a, _: float(np.median(a)), values, values, self.seed)[1:]

    def standing_out(self, end: End) -> list[tuple[str, int]]:
        """Units with the highest or lowest ratio among the quarter with the largest effect of that kind."""
        column, lowest = ("objects", False) if end == "objects" else ("texture", True)
        rows = self.units.drop_nulls("ratio").filter(pl.col(column) > 0)
        if rows.is_empty():
            return []
        rows = rows.filter(pl.col(column) >= pl.col(column).quantile(0.75, "nearest"))
        if end == "objects":
            rows = rows.filter("beyond")
        best = rows.sort(["ratio", "depth", "unit"], descending=[not lowest, False, False]).head(ENDS)
        return list(best.select("layer", "unit").iter_rows())

    # ---- tables

    def tables(self) -> dict[str, pl.DataFrame]:
        """By file name."""
        return {
            "units.parquet": self.units,
            "layers.parquet": LAYERS.frame(self._layer_rows()),
            "looks.parquet": LOOKS.frame(self._look_rows()),
            "points.parquet": self._points(),
        }

    def _layer_rows(self) -> Iterator[TextureLayerRow]:
        for layer in self.layers:
            medians = {
                f"{column}{end}": value
                for column in ("objects", "texture", "ratio")
                for end, value in zip(("", "_low", "_high"), self.median(layer.name, column), strict=True)
            }
            beyond = int(self.units.filter(layer=layer.name)["beyond"].sum())
            yield TextureLayerRow(
                layer=layer.name, depth=layer.depth, units=len(layer.units), beyond=beyond, **medians
            )

    def _look_rows(self) -> Iterator[LookRow]:
        for layer in self.layers:
            for column in ("colour", "detail"):
                yield LookRow(layer.name, column, *self.median(layer.name, column))

    def _points(self) -> pl.DataFrame:
        """Units and noise as points of one chart."""
        units = fitted(self.units.rename({"layer": "what"}), POINTS)
        rows = []
        for name, values in self.reference.items():
            mean = mean_interval(values)
            for step in range(values.shape[1]):
                objects = (float(each[step, OBJECTS]) for each in (mean.value, mean.low, mean.high))
                rows.append(PointRow(name, None, float(mean.value[step, TEXTURE]), *objects))
        return pl.concat([units, POINTS.frame(rows)])


def facts_of(found: TextureNumbers, plane: str, shown: list[StandingOut]) -> TextureFacts:
    """What the report says and no table has."""
    trend, equal = found.trend, found.trend_at_equal_texture
    known = None not in (trend.value, trend.low, trend.high)
    return TextureFacts(
        plane=plane,
        window=found.window,
        samples=len(found.samples),
        layers=len(found.layers),
        units=len(found.units),
        beyond=int(found.units["beyond"].sum()),
        trend=trend,
        direction=_DIRECTIONS[trend.side] if known else "unknown",
        equal_texture=equal,
        holds_at_equal_texture=equal.value is not None and bool(equal.side) and equal.side == trend.side,
        shown=shown,
    )


_DIRECTIONS: dict[int, Literal["falls", "rises", "open"]] = {-1: "falls", 1: "rises", 0: "open"}
