"""Edits of a layer: which units, what becomes of them, and where. Data only, from Python, YAML or a command.

    Edit.ablate([59])                                   switched off everywhere
    Edit.insert([59, 12], where=Where(concept="bed"))   switched on where the unedited picture shows a bed
    Edit(do="scale", units=[59], factor=2)              twice as strong

An edit never changes the tensor it is given, and an edit of no unit gives the same tensor back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol, Self, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from unit59.edit.regions import EditError, Where
from unit59.results import sha256_of

_T = TypeVar("_T")


class Editable(Protocol):
    """Samples that an edit can be carried out on; see `unit59.edit.group.Group`."""

    @property
    def image(self) -> Tensor:
        """Without an edit."""

    def with_edit(self, edit: Edit) -> Tensor:
        """With one."""


class Edit(BaseModel):
    """An edit of units of one layer."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    do: Literal["ablate", "insert", "scale", "shift"]
    """Switch off, switch on, multiply, or move."""
    units: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Which; each once."""
    level: float | Literal["zero", "mean"] | None = None
    """Ablation sets the units to it (by default zero), insertion too (by default the insertion level)."""
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Insertion: set each unit to this quantile of its values, instead of a level."""
    factor: float | None = None
    """Scaling: multiply by it."""
    by: float | None = None
    """Shift: by how many standard deviations over samples."""
    where: Where | None = None
    """By default everywhere."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.units)) < len(self.units):
            raise ValueError("a unit is named twice")
        if (self.do == "scale") != (self.factor is not None):
            raise ValueError("`factor` goes with `do: scale`, and only with it")
        if (self.do == "shift") != (self.by is not None):
            raise ValueError("`by` goes with `do: shift`, and only with it")
        if self.do != "insert" and self.quantile is not None:
            raise ValueError("`quantile` goes with `do: insert`")
        if self.level is not None and (self.do in {"scale", "shift"} or self.quantile is not None):
            raise ValueError("`level` goes with ablation, or with insertion instead of `quantile`")
        return self

    @classmethod
    def ablate(
        cls, units: Iterable[int], level: float | Literal["zero", "mean"] = "zero", where: Where | None = None
    ) -> Self:
        """Switch units off: x[:, u] = 0, or the unit's mean, or a number."""
        return cls(do="ablate", units=tuple(map(int, units)), level=level, where=where)

    @property
    def depends_on(self) -> str:
        """All that it depends on: what it says, and the content of its mask."""
        mask = self.where.mask if self.where else None
        content = sha256_of(mask) if mask and mask.is_file() else ""
        return f"{self.model_dump_json()}{content}"

    @property
    def inserts(self) -> bool:
        """Whether it sets units to the recipe's insertion level."""
        return self.do == "insert" and self.level is None and self.quantile is None

    def images(self, group: Editable) -> tuple[Tensor, Tensor]:
        """Pictures [N,3,H,W] of a group without and with the edit; see `unit59.edit.questions.Change`."""
        return group.image, group.with_edit(self)

    @classmethod
    def insert(
        cls,
        units: Iterable[int],
        level: float | Literal["zero", "mean"] | None = None,
        quantile: float | None = None,
        where: Where | None = None,
    ) -> Self:
        """Switch units on: x[:, u] = the insertion level, or a number, or a quantile of the unit's values."""
        return cls(do="insert", units=tuple(map(int, units)), level=level, quantile=quantile, where=where)


@dataclass(frozen=True)
class Levels:
    """The values that units can be set to; [U,1,1] for maps, [U,a,b] for units of several numbers.

    Attributes:
        zero: what switches a unit off: 0, or at what nothing passes.
        mean: of each unit over samples.
        insert: the insertion level of the recipe; None for units without maps.
        spread: standard deviation over samples, as far as a shift moves it; None where it is not known.
        quantile: gives any quantile of each unit's native values.
    """

    zero: Tensor
    mean: Tensor
    insert: Tensor | None = None
    spread: Tensor | None = None
    quantile: Callable[[float], Tensor] | None = None

    def of(self, edit: Edit) -> Tensor:
        """What the edit's units are set to, float32 [len(units),a,b].

        Raises:
            EditError: there is no such level of these units.
        """
        units = list(edit.units)
        if edit.quantile is not None:
            return _known(self.quantile, "quantiles")(edit.quantile)[units]
        if isinstance(edit.level, float):
            return torch.full_like(self.zero[units], edit.level)
        if edit.level == "mean":
            return self.mean[units]
        if edit.do == "ablate" or edit.level == "zero":
            return self.zero[units]
        return _known(self.insert, "insertion levels")[units]


def _known(value: _T | None, what: str) -> _T:
    if value is None:
        raise EditError(f"units of this kind have no {what}.")
    return value


def apply_edit(x: Tensor, edit: Edit, levels: Levels, mask: Tensor | None = None) -> Tensor:
    """The units' values [N,U,a,b] after an edit.

    Args:
        x: before it.
        edit: what to do.
        levels: of the units.
        mask: bool [N or 1,1,h,w], where on their maps; None is everywhere (see `region`).

    Raises:
        EditError: there is no such unit.
    """
    if not edit.units:
        return x
    if max(edit.units) >= x.shape[1]:
        raise EditError(f"unit {max(edit.units)}: the layer has {x.shape[1]} units, 0 to {x.shape[1] - 1}.")
    units = list(edit.units)
    if edit.do == "scale":
        assert edit.factor is not None  # noqa: S101  # the model's check
        return _put(x, units, x[:, units] * edit.factor, mask)
    if edit.do == "shift":
        assert edit.by is not None  # noqa: S101  # the model's check
        return _put(x, units, x[:, units] + edit.by * _known(levels.spread, "known spread")[units], mask)
    return _put(x, units, levels.of(edit)[None], mask)


def set_units(x: Tensor, units: Sequence[int], level: float | Tensor, mask: Tensor | None = None) -> Tensor:
    """x[:, u] = level, everywhere or where `mask` is set.

    Args:
        x: activation [N,U,h,w]; it is left as it is.
        units: which.
        level: one for all, or one a unit.
        mask: bool [N or 1,1,h,w].
    """
    levels = torch.as_tensor(level, dtype=x.dtype, device=x.device).expand(len(units))[None, :, None, None]
    return _put(x, units, levels, mask)


def _put(x: Tensor, units: Sequence[int], values: Tensor, mask: Tensor | None) -> Tensor:
    changed = x.clone()
    if len(units):
        chosen = list(units)
        changed[:, chosen] = values if mask is None else torch.where(mask, values, x[:, chosen])
    return changed
