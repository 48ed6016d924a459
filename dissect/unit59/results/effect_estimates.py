"""What the estimates of effects and the relations between agreement and effect hold."""

from __future__ import annotations

from unit59.results.columns import (
    PICTURE,
    ConceptName,
    ConceptNumber,
    Schema,
    UnitNumber,
    column,
    table_row,
)


@table_row
class AttributionRow:
    """A unit and a concept: the first-order estimate of the effect, for all units, measured or not."""

    unit: UnitNumber
    concept: ConceptNumber
    label: ConceptName
    ablate: float = column("estimated effect of ablation", PICTURE)
    insert: float | None = column("estimated effect of insertion", PICTURE)
    score: float | None = column(
        "of the unit: its largest estimate relative to the concept's usual one in the layer"
    )


@table_row
class RelationRow:
    """How agreement and effect go together over the layer's measured units."""

    of: str = column(
        "what is correlated: label (IoU with the label, loss of it), any (the same IoU, size of the "
        "largest effect on any concept), concept (IoU with one concept, loss of it)"
    )
    concept: int | None = column("number of the concept, for a relation of one concept")
    label: str | None = column("its name", heading="concept")
    plane: str | None = column("its plane")
    kind: str = column("the edit: ablate", heading="edit")
    units: int = column("measured units that it is over")
    rho: float | None = column(
        "Spearman's rank correlation; nothing with fewer than ten units, or where one side is all equal",
        "−1 … 1",
        "correlation",
    )
    low: float | None = column("lower end of its 95 % bootstrap interval over units", "−1 … 1")
    high: float | None = column("upper end of its 95 % bootstrap interval over units", "−1 … 1")
    sign: int = column("1 where the interval lies above 0, −1 where it lies below, 0 for no evidence")


ATTRIBUTION = Schema(AttributionRow)
RELATIONS = Schema(RelationRow)
