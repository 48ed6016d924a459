"""Edits of a layer's activation. An edit never changes the tensor it is given."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def ablate(x: Tensor, units: Sequence[int], level: float | Sequence[float] = 0.0) -> Tensor:
    """Switch units off everywhere: x[:, u] = level (zero, or the unit's mean).

    Args:
        x: activation [N,U,h,w].
        units: which.
        level: one for all, or one a unit.
    """
    return _set(x, units, level)


def insert(x: Tensor, units: Sequence[int], level: float | Sequence[float]) -> Tensor:
    """Switch units on everywhere: x[:, u] = level (by default of a recipe, the unit's 0.995 quantile).

    Arguments as for `ablate`.
    """
    return _set(x, units, level)


def _set(x: Tensor, units: Sequence[int], level: float | Sequence[float]) -> Tensor:
    changed = x.clone()
    if len(units):
        levels = x.new_tensor(level).expand(len(units))
        changed[:, list(units)] = levels[None, :, None, None]
    return changed
