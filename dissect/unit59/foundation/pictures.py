"""Strips and sheets: pictures in a row, with or without a mask's outline, as WebP."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]  # [H,W,3]
Mask = NDArray[np.bool_]  # [h,w]

#: Edge that a tile comes nearest to.
TILE = 128
QUALITY = 75
#: Rows and columns of a sheet.
SHEET = (4, 8)
INNER, OUTER = (255, 236, 64), (16, 16, 16)


def tile_edge(height: int, width: int) -> int:
    """Edge of one tile in pixels: the largest whole multiple that fits, or TILE for larger ones."""
    longer = max(height, width)
    return longer * (TILE // longer) if longer <= TILE else TILE


def tile(picture: Picture, edge: int, mask: Mask | None = None) -> Picture:
    """The picture on a square tile, with the outline of `mask` if one is given.

    Each pixel is repeated a whole number of times (never blurred), or averaged down; what is not square
    stands in the middle.
    """
    longer = max(picture.shape[:2])
    if longer <= edge:
        scaled = picture.repeat(edge // longer, axis=0).repeat(edge // longer, axis=1)
    else:
        height, width = (max(1, round(side * edge / longer)) for side in picture.shape[:2])
        scaled = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
    if mask is not None:
        scaled = _outlined(scaled, mask)
    canvas = np.zeros((edge, edge, 3), np.uint8)
    top, left = (edge - scaled.shape[0]) // 2, (edge - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def _outlined(picture: Picture, mask: Mask) -> Picture:
    """A bright line just inside the mask's border, a dark one just outside."""
    rows, columns = (
        np.arange(side) * size // side for side, size in zip(picture.shape[:2], mask.shape, strict=True)
    )
    mask = mask[rows[:, None], columns[None, :]]
    drawn = picture.copy()
    drawn[~mask & ~_eroded(~mask)] = OUTER
    drawn[mask & ~_eroded(mask)] = INNER
    return drawn


def strip(rows: Sequence[Sequence[Picture]]) -> bytes:
    """Tiles of equal size, row by row, as one WebP."""
    picture = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    return encode(picture)


def sheet_shape(count: int) -> tuple[int, int]:
    """Rows and columns of a sheet of at most `count` pictures."""
    columns = min(SHEET[1], count)
    return min(SHEET[0], count // columns), columns


def sheet(pictures: Sequence[Picture], rows: int, edge: int) -> bytes:
    """Pictures on tiles, row by row, as one WebP."""
    tiles = [tile(picture, edge) for picture in pictures]
    columns = len(tiles) // rows
    return strip([tiles[row * columns : (row + 1) * columns] for row in range(rows)])


def encode(picture: Picture) -> bytes:
    """A picture as WebP; the same bytes for the same picture.

    Method 2 takes half the time of 4, a tenth more room, and is closer to the picture.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=QUALITY, method=2)
    return buffer.getvalue()


def _eroded(mask: Mask) -> Mask:
    """The pixels whose four neighbours are set too; beyond the border counts as set."""
    around = np.pad(mask, 1, constant_values=True)
    eroded: Mask = mask & around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    return eroded
