"""The tables of agreement against effect: what their columns hold. Never imports torch."""

from __future__ import annotations

from unit59.results.columns import (
    PICTURE,
    ConceptName,
    EditKind,
    High,
    LayerName,
    Low,
    PlaneName,
    Schema,
    UnitNumber,
    column,
    table_row,
)


@table_row
class PairRow:
    """A measured unit, a kind of edit and a concept."""

    layer: LayerName
    unit: UnitNumber
    kind: EditKind
    concept: ConceptName
    plane: PlaneName
    iou: float = column("overlap of the unit's mask and the concept", "IoU", "IoU with the concept")
    agrees: bool = column("whether the unit agrees with its label better than chance")
    own_label: str | None = column("the unit's label: the concept with its largest IoU", heading="its label")
    control: float | None = column(
        "what the edit does of what it is to do: loss of the concept when off, gain when on", PICTURE
    )
    effect: float | None = column("mean paired difference of the concept's area", PICTURE, "change")
    low: Low
    high: High
    q: float | None = column("q-value of the effect, as in effects.parquet", form="p")
    found: bool = column("whether q is at most 0.05")
    before: float | None = column("mean area of the concept without the edit", PICTURE)
    shown: int | None = column("measured samples that show the concept", "samples", "samples that show it")


@table_row
class CorrelationRow:
    """A set of units and a kind of edit: whether IoU and control go together."""

    of: str = column("units of what: all, or those of a layer with their labels; all with one concept")
    name: str = column("the layer, or the concept", heading="which")
    kind: EditKind
    units: int = column("how many")
    rho: float | None = column("Spearman's rank correlation of IoU and control", heading="rank correlation")
    low: Low
    high: High
    top: int = column("how many a tenth of the units are", heading="in a tenth")
    both: int = column(
        "units in the tenth with the largest IoU and in that with the most control", heading="in both"
    )
    chance: float = column("how many these are on average by chance", heading="by chance")
    chance_high: int = column("by chance, no more than so many in 97.5 % of cases")


PAIRS, CORRELATIONS = Schema(PairRow), Schema(CorrelationRow)
SCHEMAS = {
    "units.parquet": PAIRS,
    "correlations.parquet": CORRELATIONS,
    "agrees-without-effect.parquet": PAIRS,
    "effect-without-agreement.parquet": PAIRS,
}
