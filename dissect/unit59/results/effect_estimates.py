"""What the estimates of effects and the relations between agreement and effect hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import polars as pl

from unit59.results.columns import PICTURE, Column, ConceptName, ConceptNumber, Schema, UnitNumber


@dataclass(slots=True)
class AttributionRow:
    """A unit and a concept: the first-order estimate of the effect, for all units, measured or not."""

    unit: UnitNumber
    concept: ConceptNumber
    label: ConceptName
    ablate: Annotated[float, Column(pl.Float64, "estimated effect of ablation", PICTURE)]
    insert: Annotated[float | None, Column(pl.Float64, "estimated effect of insertion", PICTURE)]
    score: Annotated[
        float | None,
        Column(
            pl.Float64, "of the unit: its largest estimate relative to the concept's usual one in the layer"
        ),
    ]


@dataclass(slots=True)
class RelationRow:
    """How agreement and effect go together over the layer's measured units."""

    of: Annotated[
        str,
        Column(
            pl.String,
            "what is correlated: label (IoU with the label, loss of it), any (the same IoU, size of the "
            "largest effect on any concept), concept (IoU with one concept, loss of it)",
        ),
    ]
    concept: Annotated[int | None, Column(pl.Int32, "number of the concept, for a relation of one concept")]
    label: Annotated[str | None, Column(pl.String, "its name", heading="concept")]
    plane: Annotated[str | None, Column(pl.String, "its plane")]
    kind: Annotated[str, Column(pl.String, "the edit: ablate", heading="edit")]
    units: Annotated[int, Column(pl.Int32, "measured units that it is over")]
    rho: Annotated[
        float | None,
        Column(
            pl.Float64,
            "Spearman's rank correlation; nothing with fewer than ten units, or where one side is all equal",
            "−1 … 1",
            "correlation",
        ),
    ]
    low: Annotated[
        float | None, Column(pl.Float64, "lower end of its 95 % bootstrap interval over units", "−1 … 1")
    ]
    high: Annotated[
        float | None, Column(pl.Float64, "upper end of its 95 % bootstrap interval over units", "−1 … 1")
    ]


ATTRIBUTION = Schema(AttributionRow)
RELATIONS = Schema(RelationRow)
