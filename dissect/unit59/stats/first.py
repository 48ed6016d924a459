"""Which effects are evidence, which stand out, and which is told first.

Needs polars only: the site stage uses the same rules.
"""

from __future__ import annotations

import polars as pl

#: q at or below it counts as found: of what is found, at most this share is false on average.
FALSE_DISCOVERIES = 0.05
#: The rule, as pages say it.
EVIDENCE = f"q ≤ {FALSE_DISCOVERIES}"
#: Added to the width of the other units' effects, which may be 0, before an effect is divided by it: a share
#: of the picture, less than a pixel.
LEAST_WIDTH = 1e-6


def is_found(q: float | None) -> bool:
    """Whether a q-value is evidence; a test without one is none."""
    return q is not None and q <= FALSE_DISCOVERIES


def judged(effects: pl.DataFrame) -> pl.DataFrame:
    """The effects with `found`, `beyond_others` and `unusual` (see `unit59.results.schema.EFFECTS`).

    What any unit does to large things would hide what only this one does to a small one: so effects are told
    by how far they stand out, their size over the width of where 95 % of the other units' effects lie.

    Args:
        effects: with the columns effect, q, others_low and others_high.
    """
    beyond = (pl.col("effect") < pl.col("others_low")) | (pl.col("effect") > pl.col("others_high"))
    width = pl.col("others_high") - pl.col("others_low") + LEAST_WIDTH
    return effects.with_columns(
        found=(pl.col("q") <= FALSE_DISCOVERIES).fill_null(value=False),
        beyond_others=beyond,
        unusual=pl.when(beyond).then(pl.col("effect").abs() / width).otherwise(0.0),
    )


def told_first(effects: pl.DataFrame) -> pl.DataFrame:
    """Of every (unit, kind of edit) with an effect that is found, the row that is told first.

    The one that stands out most; among equals the largest, then the concept with the smaller number.

    Args:
        effects: as `judged` gives them.
    """
    return (
        effects.filter(pl.col("found"))
        .sort(
            ["kind", "unit", "unusual", pl.col("effect").abs(), "concept"],
            descending=[False, False, True, True, False],
            nulls_last=True,
        )
        .group_by("kind", "unit", maintain_order=True)
        .first()
    )
