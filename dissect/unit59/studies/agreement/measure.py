"""Agreement against effect: does a unit's IoU with a concept predict that the unit controls it?

Nothing is generated: the study reads what agreement and single-unit effects have measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import polars as pl

from unit59.edit.workbench import Workbench
from unit59.measure.agreement import agrees, best_concepts, null_scores
from unit59.results import INTERPRETABLE_IOU
from unit59.results.columns import Schema
from unit59.studies.agreement.numbers import (
    AgreementFacts,
    all_related,
    hits_of,
    strongest,
    unit_columns,
    verdict_of,
)
from unit59.studies.agreement.tables import CORRELATIONS, SCHEMAS
from unit59.studies.agreement.tell import tell
from unit59.studies.base import Study
from unit59.studies.dissected import Dissected
from unit59.studies.part import Cost
from unit59.studies.tables import Report, Tables

#: What an edit has to do to a concept to count as control of it: take away when off, bring when on.
WANTED = {"ablate": -1.0, "insert": 1.0}


class AgreementVsEffect(Study):
    """Compares every measured unit's IoU with what switching it off and on does to the same concept."""

    needs_effects: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset({"effects"})
    uses: ClassVar[frozenset[str]] = frozenset({"quantile", "shuffles"})
    schemas: ClassVar[Mapping[str, Schema]] = SCHEMAS

    def measure(self, model: Dissected) -> Tables:
        """Join agreement and effects, and correlate them."""
        pairs = all_pairs(model)
        return Tables() if pairs.is_empty() else compared(pairs, all_units(model), model.seed)

    def cost(self, bench: Workbench, layers: list[str]) -> Cost:
        """See `Study.cost`."""
        return Cost()

    def tell(self, tables: Tables) -> Report:
        """See `unit59.studies.agreement.tell`."""
        return tell(tables)


def compared(pairs: pl.DataFrame, units: pl.DataFrame, seed: int) -> Tables:
    """What is related, what agrees in vain, what acts unseen.

    Args:
        pairs: see `all_pairs`; at least one.
        units: see `all_units`.
        seed: of the bootstrap.
    """
    known = pairs.join(units, on=["layer", "unit"], how="left", maintain_order="left")
    labelled = known.filter(pl.col("concept") == pl.col("label_concept"))
    related = list(all_related(pairs, labelled, seed))
    vain = labelled.filter((pl.col("kind") == "ablate") & pl.col("agrees") & ~pl.col("found"))
    unseen = strongest(known).filter(pl.col("iou") < INTERPRETABLE_IOU)
    verdict, strength = verdict_of(related[0])
    facts = AgreementFacts(
        units=len(units),
        measured=pairs.select("layer", "unit").n_unique(),
        verdict=verdict,
        strength=strength,
        agreeing=hits_of(labelled, agrees=True),
        others=hits_of(labelled, agrees=False),
    )
    frames = {
        "units.parquet": unit_columns(labelled),
        "correlations.parquet": CORRELATIONS.frame(related),
        "agrees-without-effect.parquet": unit_columns(vain.sort("iou", descending=True, maintain_order=True)),
        "effect-without-agreement.parquet": unit_columns(unseen),
    }
    return Tables(frames, facts.model_dump(mode="json"))


def all_pairs(model: Dissected) -> pl.DataFrame:
    """One row a (layer, unit, kind of edit, concept) that was measured.

    Columns of `unit59.results.schema.EFFECTS`, with layer, iou, beyond (beyond_others, where that is known)
    and control: the effect with the sign of what the edit is to do.
    """
    frames = []
    for layer in model.layers:
        measured = model.effects(layer)
        if measured is None or measured.is_empty():
            continue
        agreement = model.bench.agreement(layer)  # [U,C]
        rows = measured.filter(pl.col("kind").is_in(list(WANTED)))
        places = rows["unit"].to_numpy(), rows["concept"].to_numpy() - 1
        sign = pl.col("kind").replace_strict(WANTED, return_dtype=pl.Float64)
        frames.append(
            rows.with_columns(
                layer=pl.lit(layer),
                iou=pl.Series(np.nan_to_num(agreement[places])),
                beyond=pl.col("beyond_others").fill_null(value=False),
                control=pl.col("effect") * sign,
            ).sort("unit", "kind", "concept")
        )
    return pl.concat(frames) if frames else pl.DataFrame()


def all_units(model: Dissected) -> pl.DataFrame:
    """One row a unit of any layer: its label, and whether it agrees (IoU >= 0.05 and above the null)."""
    frames = []
    for layer in model.layers:
        labels, score = best_concepts(model.bench.agreement(layer))
        null = null_scores(model.bench.measurer.agreement(layer))
        columns = {
            "layer": [layer] * len(labels),
            "unit": range(len(labels)),
            "label_concept": [int(label) or None for label in labels],
            "own_label": [model.concepts[label - 1] if label else None for label in labels],
            "agrees": agrees(score, null.best_bound),
        }
        types = {"unit": pl.Int32, "label_concept": pl.Int32, "own_label": pl.String}
        frames.append(pl.DataFrame(columns, schema_overrides=types))
    return pl.concat(frames)
