"""The tables of the study of noise: what their columns hold. Never imports torch."""

from __future__ import annotations

from typing import Annotated

from unit59.results.columns import LEVELS, Column, High, LayerName, Low, Schema, column, table_row

RemovedPart = Annotated[str, Column("what is taken away from the network", heading="network")]
State = Annotated[str, Column("how many units are off, in words", heading="units off")]
ShareOff = Annotated[float, Column("units of the layer that are off", "share of the layer", "units off")]
Variation = Annotated[
    float | None,
    Column(
        "standard deviation over noise draws, root mean square over pixels and colours",
        LEVELS,
        "variation over noise draws",
    ),
]
Growth = Annotated[float | None, Column("variation less that with no unit off", LEVELS, "more variation")]


@table_row
class NoiseLayerRow:
    """A layer, what is taken away, an order of the units, and how many of them are off."""

    layer: LayerName
    removed: RemovedPart
    order: str = column("in which units go off")
    state: State
    share: ShareOff
    off: int = column("units that are off", heading="units off")
    variation: Variation
    variation_low: Low
    variation_high: High
    growth: Growth
    growth_low: Low
    growth_high: High


@table_row
class NoiseMeanRow:
    """What is taken away, and how many units are off at random: means over layers."""

    removed: RemovedPart
    share: ShareOff
    variation: Variation
    variation_low: Low
    variation_high: High
    growth: Growth
    growth_low: Low
    growth_high: High


@table_row
class NoiseChangeRow:
    """The same noise or noise drawn anew, and how many units are off at random: means over layers."""

    noise: str = column("before and after the edit: the same, drawn anew")
    share: ShareOff
    change: float | None = column("root mean square change of the picture", LEVELS, "rms change")
    change_low: Low
    change_high: High


@table_row
class MechanismRow:
    """A layer that grows noisier with so many units off, and what is taken away."""

    layer: LayerName
    state: State
    share: ShareOff
    removed: RemovedPart
    explained: float | None = column(
        "of the extra variance, what is gone without it", "share", "extra variance gone"
    )
    explained_low: Low
    explained_high: High


SCHEMAS = {
    "layers.parquet": Schema(NoiseLayerRow),
    "mean.parquet": Schema(NoiseMeanRow),
    "change.parquet": Schema(NoiseChangeRow),
    "mechanism.parquet": Schema(MechanismRow),
}
