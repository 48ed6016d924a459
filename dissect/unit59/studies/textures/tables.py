"""The tables of the study of textures: what their columns hold. Never imports torch."""

from __future__ import annotations

from typing import Annotated

from unit59.results.columns import LEVELS, Column, High, LayerName, Low, Schema, UnitNumber, column, table_row

Depth = Annotated[int, Column("number of the layer, in forward order")]
Objects = Annotated[float, Column("pixels whose concept changes", "share", "pixels whose concept changes")]
Texture = Annotated[float, Column("mean absolute change of the other pixels", LEVELS, "change of the others")]
Ratio = Annotated[
    float | None,
    Column("pixels whose concept changes per change of the others", "share a level", "objects per texture"),
]


@table_row
class TextureUnitRow:
    """A unit that is switched off: means over samples."""

    layer: LayerName
    depth: Depth
    unit: UnitNumber
    objects: Objects
    objects_low: Low
    objects_high: High
    texture: Texture
    texture_low: Low
    texture_high: High
    colour: float | None = column("what of the texture effect is a change of colour", LEVELS)
    colour_low: Low
    colour_high: High
    detail: float | None = column("what of the texture effect is a change of detail", LEVELS)
    detail_low: Low
    detail_high: High
    ratio: Ratio
    noise: float | None = column(
        "pixels whose concept changes by noise with the same texture effect", "share"
    )
    beyond: bool = column("whether the interval of the object effect lies above that of such noise")


@table_row
class TextureLayerRow:
    """A layer: medians over its units."""

    layer: LayerName
    depth: Depth
    units: int = column("units that were switched off", heading="units measured")
    objects: Objects
    objects_low: Low
    objects_high: High
    texture: Texture
    texture_low: Low
    texture_high: High
    ratio: Ratio
    ratio_low: Low
    ratio_high: High
    beyond: int = column("units that change more concepts than noise does", heading="units beyond noise")


@table_row
class LookRow:
    """A layer and a part of the texture effect: medians over its units."""

    layer: LayerName
    part: str = column("of the texture effect: colour, detail")
    change: float | None = column("mean absolute change of the pixels that keep their concept", LEVELS)
    low: Low
    high: High


@table_row
class PointRow:
    """A unit that is switched off, or noise of some strength: means over samples."""

    what: str = column("the unit's layer, or the kind of noise")
    unit: int | None = column("number of the unit; nothing for noise")
    texture: Texture
    objects: Objects
    objects_low: Low
    objects_high: High


LAYERS, LOOKS, POINTS = Schema(TextureLayerRow), Schema(LookRow), Schema(PointRow)
SCHEMAS = {
    "units.parquet": Schema(TextureUnitRow),
    "layers.parquet": LAYERS,
    "looks.parquet": LOOKS,
    "points.parquet": POINTS,
}
