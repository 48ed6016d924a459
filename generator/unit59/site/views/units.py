"""Units as the pages see them, and how well they agree with concepts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from unit59.results.rows import LevelRow, UnitRow
from unit59.site.views.concepts import ConceptView
from unit59.site.views.effects import Summary

if TYPE_CHECKING:  # a layer makes its units
    from unit59.site.views.layers import LayerView

#: What the numbers say about a unit's label, from best to nothing at all.
UnitVerdict = Literal["above", "chance", "below", "none"]


@dataclass(frozen=True)
class ConceptAgreement:
    """How well one unit agrees with one concept (a row of agreement.parquet)."""

    concept: ConceptView
    iou: float
    low: float
    high: float
    null: float
    null_99: float
    iqr: float
    agrees: bool  # at or above the cut, and above what other samples' masks give
    intersection: int
    union: int
    level: LevelRow | None = None  # its threshold, where it has one of its own


@dataclass(frozen=True)
class UnitView:
    """One unit: a row of units.parquet, with its place in the site."""

    layer: LayerView
    row: UnitRow

    @property
    def number(self) -> int:
        """Its channel, from 0."""
        return int(self.row.unit)

    @property
    def path(self) -> str:
        """Its page."""
        return f"{self.layer.path}/{self.number}"

    @property
    def concept(self) -> ConceptView | None:
        """The concept of its label; None where no concept overlaps."""
        return self.layer.model.concept(self.row.concept)

    @property
    def verdict(self) -> UnitVerdict:
        """What its IoU is worth beside the cut and the null."""
        if self.concept is None or not self.row.iou:
            return "none"
        if self.row.agrees:
            return "above"
        return "chance" if self.row.interpretable else "below"

    @property
    def mask_words(self) -> str:
        """How much of the grid its mask takes, and by which rule."""
        share = f"the top {self.row.on_share * 100:.2g} % on the compared grid make its mask"
        if self.layer.results.levels is None:
            return share
        return f"{share}, of 100 shares the one with the largest IQR for its best concept"

    @property
    def iou(self) -> float:
        """IoU with its label; 0 without one."""
        return float(self.row.iou or 0.0)

    @property
    def over_null(self) -> float:
        """IoU over the mean best IoU with other samples' masks; 0 without a label."""
        null = self.row.null_iou
        return self.iou / null if null else 0.0

    @property
    def ablated_change(self) -> float | None:
        """Mean absolute change of its exemplars when it is off, in levels of 255."""
        return mean(self.row.ablated_change)

    @property
    def inserted_change(self) -> float | None:
        """Mean absolute change of the pictures it is inserted into, in levels of 255."""
        return mean(self.row.inserted_change)

    @property
    def off(self) -> Summary | None:
        """What switching it off does most; None where that was not measured."""
        return self.layer.effects.summary(self.number) if self.layer.effects else None

    @property
    def on(self) -> Summary | None:
        """What switching it on does most; None where that was not measured."""
        return self.layer.effects.summary(self.number, "insert") if self.layer.effects else None

    def has_strip(self, kind: str) -> bool:
        """Whether there is a strip of pictures of this kind."""
        if kind == "effect":
            return bool(self.off and self.off.row.samples)
        return bool(self.row.inserted if kind == "inserted" else self.row.exemplars)

    def strip(self, kind: str) -> str:
        """Where its strip of pictures lies in the site."""
        return f"{self.layer.path}/pictures/{self.number:04d}-{kind}.webp"


def take_turns(units: Iterable[UnitView]) -> list[UnitView]:
    """The units with their labels' planes taking turns, so that no plane crowds out the others."""
    by_plane: dict[str, list[UnitView]] = {}
    for unit in units:
        by_plane.setdefault(unit.row.plane or "", []).append(unit)
    return [unit for turn in zip_longest(*by_plane.values()) for unit in turn if unit is not None]


def mean(values: list[float] | None) -> float | None:
    """The mean; None of nothing."""
    return sum(values) / len(values) if values else None
