"""What is left of the outlines at every step of every layer, as scores and tables. Never imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unit59.stats.scores import Interval, Score, Scorer, score_columns
from unit59.studies.outlines.facts import GONE, STAY
from unit59.studies.outlines.tables import CONCEPTS, CurveRow, OutlineConceptRow, OutlineLayerRow

Counted = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class UnitsOff:
    """One change: so many units of the layer off, chosen in this order."""

    order: Literal["none", "random", "agreement", "all"]
    off: int


@dataclass(frozen=True)
class LayerScores:
    """One layer's scores, by step.

    Attributes:
        steps: E of them; the first is nothing off, the last the whole layer.
        lines: F-score of the boundaries.
        agreement: mean IoU.
        kept_lines: what is left of `lines`, from chance (0) to nothing off (1).
        kept_agreement: the same of `agreement`.
        change: [E], mean absolute change of the picture, 0..255.
    """

    steps: Sequence[UnitsOff]
    lines: Score
    agreement: Score
    kept_lines: Score
    kept_agreement: Score
    change: NDArray[np.float64]

    @classmethod
    def of(
        cls, scorer: Scorer, chance: Counted, counts: Counted, steps: Sequence[UnitsOff], pixels: int
    ) -> Self:
        """Score a layer's counts.

        Args:
            scorer: of the samples.
            chance: counts of one "change", against other samples.
            counts: of the steps; see `unit59.edit.asked.AskedAreas`.
            steps: E of them.
            pixels: of a picture.
        """
        lines, agreement = scorer.lines(counts), scorer.agreement(counts)
        return cls(
            steps,
            lines,
            agreement,
            lines.kept(lines[[0]], scorer.lines(chance)),
            agreement.kept(agreement[[0]], scorer.agreement(chance)),
            counts["change"].mean(axis=1) / (3 * pixels),
        )

    @property
    def outcome(self) -> Literal["stay", "gone", "in part"]:
        """What becomes of the outlines without the layer."""
        low, high = float(self.kept_lines.low[-1]), float(self.kept_lines.high[-1])
        return "stay" if low >= STAY else "gone" if high <= GONE else "in part"

    def curves(self, layer: str, half: str) -> list[CurveRow]:
        """A row for each order and number of units."""
        units = self.steps[-1].off
        return [
            CurveRow(
                layer=layer,
                half=half,
                order=order,
                off=step.off,
                share=step.off / units,
                **score_columns("lines", self.lines, row),
                **score_columns("agreement", self.agreement, row),
                **score_columns("kept_lines", self.kept_lines, row),
                change=float(self.change[row]),
            )
            for order in ("random", "agreement")
            for row, step in enumerate(self.steps)
            if step.order in (order, "none", "all")
        ]

    def whole(self, layer: str, half: str) -> OutlineLayerRow:
        """The row of the whole layer."""
        return OutlineLayerRow(
            layer=layer,
            half=half,
            units=self.steps[-1].off,
            **score_columns("kept_lines", self.kept_lines, -1),
            **score_columns("kept_agreement", self.kept_agreement, -1),
            outcome=self.outcome,
            change=float(self.change[-1]),
        )


def at_half(scores: Sequence[LayerScores]) -> Interval | None:
    """What is left of the outlines when half of one layer is off at random, mean over layers."""
    parts = []
    for each in scores:
        half = round(each.steps[-1].off / 2)
        rows = [i for i, step in enumerate(each.steps) if (step.order, step.off) == ("random", half)]
        parts += [each.kept_lines[rows]] if rows else []
    if not parts:
        return None
    value = np.concatenate([part.value for part in parts]).mean(keepdims=True)
    drawn = np.concatenate([part.drawn for part in parts], axis=1).mean(axis=1, keepdims=True)
    # A network that draws nothing of what it is asked for has nothing to lose.
    return Score(value, drawn).first if np.isfinite(value[0]) else None


def concept_table(
    scorer: Scorer, counts: Mapping[str, Counted], halves: Mapping[str, str], names: Sequence[str]
) -> pl.DataFrame:
    """IoU of every concept that is asked for: with nothing off, and with each layer off whole."""
    rows = []
    for layer, values in counts.items():
        score = scorer.concepts(values)
        # What is off on no layer is the same on every layer: it stands once in each half's chart.
        for state, row in (("nothing off", 0), (layer, -1)):
            for number, name in enumerate(names):
                if np.isfinite(score.value[row, number]):
                    ends = (float(each[row, number]) for each in (score.value, score.low, score.high))
                    rows.append(OutlineConceptRow(state, halves[layer], name, *ends))
    return CONCEPTS.frame(rows).unique(maintain_order=True)
