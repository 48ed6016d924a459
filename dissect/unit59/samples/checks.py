"""What a pass over samples gives, checked when a shard is made: what is wrong is named with its sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import describe, is_out_of_memory
from unit59.networks.base import Layer

#: Pictures lie in [-1, 1], and trained networks go a little beyond: of the bundled ones at most 0.03 % of a
#: picture's values lie beyond `LIMIT`. A picture with more than `SHARE` of them there is on another scale.
#: Published families are not asked: theirs is known, and with untrained weights half a picture may lie there.
LIMIT, SHARE = 1.5, 0.05
#: What can be done where memory runs out.
WAY_OUT = "Free some memory, dissect fewer layers, or use another --device."
#: Edge of a grid from which on its cost is worth a word.
COSTLY_GRID = 1024


class SampleError(Unit59Error):
    """A sample of which nothing can be measured: names it, and the layer and unit where there is one."""


@dataclass(frozen=True)
class Shortage:
    """What ran out of memory, and with how many at once; see `unit59.samples.memory.Batches`."""

    what: Literal["network", "segmenter", "gradients"]
    rows: int


class ShortageError(SampleError):
    """Memory ran out.

    Attributes:
        short: what could be done with fewer at once; None where that would not help.
    """

    def __init__(self, said: str, short: Shortage | None = None) -> None:
        super().__init__(said)
        self.short = short


@contextmanager
def checked_pass(who: str, numbers: Sequence[int]) -> Iterator[None]:
    """A network, handle or segmenter runs inside: what it raises is said with the samples that it was given.

    Args:
        who: for the message, e.g. ``model.yaml: the network``.
        numbers: of the samples.

    Raises:
        SampleError: in place of one of our own errors; other faults pass.
        ShortageError: in place of running out of memory.
    """
    try:
        yield
    except ShortageError as error:
        raise ShortageError(f"{who}, {named(numbers)}: {error}", error.short) from error
    except SampleError:
        raise
    except Unit59Error as error:
        raise SampleError(f"{who}, {named(numbers)}: {error}") from error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise ShortageError(f"{who}, {named(numbers)}: {describe(error)} {WAY_OUT}") from error


def check_activations(layer: Layer, x: Tensor, numbers: Sequence[int], counted: int | None = None) -> None:
    """Refuse activations that are not finite float [samples, units, height, width] of the layer.

    Args:
        layer: whose.
        x: its activations.
        numbers: of the samples.
        counted: only so many of them, from the first, are kept; the others fill the pass. None is all.

    Raises:
        SampleError: names layer, unit and sample.
    """
    shape = (len(numbers), layer.units, layer.height, layer.width)
    if tuple(x.shape) != shape or not x.is_floating_point():
        raise SampleError(
            f"layer {layer.name}, {named(numbers)}: it gives {x.dtype} {list(x.shape)}, "
            f"expected float32 {list(shape)}."
        )
    check_finite(layer.name, x[:counted], numbers)


def check_finite(layer: str, values: Tensor, numbers: Sequence[int]) -> None:
    """Refuse values [samples, units, h, w] of a layer's units that are not finite.

    Raises:
        SampleError: names layer, unit and sample.
    """
    finite = torch.isfinite(values)
    if bool(finite.all()):
        return
    row, unit = torch.nonzero(~finite.flatten(2).all(2))[0].tolist()
    raise SampleError(
        f"layer {layer}, unit {unit}, sample {numbers[row]}: the activation is not finite (NaN or "
        "infinite), so no threshold can be taken. Look at the weights, and at `sampling` in the recipe."
    )


def check_pictures(image: Tensor, numbers: Sequence[int], counted: int | None = None) -> None:
    """Refuse pictures that are not finite float [samples, 3, H, W].

    Args:
        image: the pictures.
        numbers: of the samples.
        counted: see `check_activations`.

    Raises:
        SampleError: names the sample.
    """
    if image.dim() != 4 or len(image) != len(numbers) or image.shape[1] != 3 or not image.is_floating_point():
        raise SampleError(f"{named(numbers)}: pictures of {image.dtype} {list(image.shape)}.")
    flat = image[:counted].flatten(1)
    broken = torch.nonzero(~torch.isfinite(flat).all(1)).flatten().tolist()
    if broken:
        raise SampleError(
            f"sample {numbers[broken[0]]}: the picture holds values that are not finite (NaN or infinite). "
            "Look at the weights, and at `sampling` in the recipe."
        )


def check_range(image: Tensor, numbers: Sequence[int], counted: int | None = None) -> None:
    """Refuse pictures plainly not on the scale of [-1, 1]: a mistake of own code, not of published networks.

    Args:
        image: the pictures; finite.
        numbers: of the samples.
        counted: see `check_activations`.

    Raises:
        SampleError: names the sample and its range.
    """
    flat = image[:counted].flatten(1)
    outside = torch.nonzero((flat.abs() > LIMIT).float().mean(1) > SHARE).flatten().tolist()
    if outside:
        low, high = float(flat[outside[0]].min()), float(flat[outside[0]].max())
        raise SampleError(
            f"sample {numbers[outside[0]]}: the picture's values reach from {low:.4g} to {high:.4g}; "
            "pictures lie in [-1, 1]. Bring them there in `forward` (of 0 to 255: x / 127.5 - 1)."
        )


def range_note(low: float, high: float) -> str | None:
    """A line for pictures of which many lie in [0, 1] and none below; None where there is nothing to say.

    Args:
        low: smallest value of a shard's pictures.
        high: largest.
    """
    if low < 0 or high > 1 + 1e-3:
        return None
    return (
        f"All pictures lie between {low:.3g} and {high:.3g}, none below 0. Are they in [0, 1]? "
        "Expected are pictures in [-1, 1]: x * 2 - 1."
    )


def check_grid(grid: int | None, resolution: tuple[int, int]) -> str | None:
    """What is wrong with a recipe's `grid`: it may be 4 times the picture's longer edge, and always 64.

    Finer ones repeat pixels, and cost memory and time with the square of the edge.
    """
    most = max(64, 4 * max(resolution))
    if grid is None or grid <= most:
        return None
    return f"{grid} is far finer than the pictures of {resolution[1]} x {resolution[0]}: at most {most}."


def costly_grid(grid: int | None, resolution: tuple[int, int]) -> str | None:
    """A word about the cost of a recipe's `grid`, where it is large and finer than the pictures."""
    if grid is None or grid < COSTLY_GRID or grid <= max(resolution):
        return None
    times = grid**2 / (resolution[0] * resolution[1])
    return (
        f"grid: {grid} x {grid} has {times:.0f} times the pixels of the pictures, and takes memory, disk and "
        "time in proportion; nothing is seen on it that the pictures do not show. `unit59 plan` says more."
    )


def named(numbers: Sequence[int]) -> str:
    """Sample numbers as a message names them."""
    first, last = min(numbers, default=0), max(numbers, default=0)
    return f"sample {first}" if first == last else f"samples {first} to {last}"
