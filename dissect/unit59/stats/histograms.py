"""How scores between 0 and 1 are distributed. Never imports torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Equal bins of 0.01.
BINS = 100


def score_histogram(scores: NDArray[Any]) -> list[int]:
    """How many scores lie in each bin: a bin holds its lower edge, the last one also 1.

    Args:
        scores: between 0 and 1, of any shape.
    """
    # In binary 0.29 * 100 is a little less than 29: so little decides nothing.
    bins = np.minimum((np.asarray(scores, np.float64) * BINS + 1e-9).astype(int), BINS - 1)
    counts: list[int] = np.bincount(bins.reshape(-1), minlength=BINS).tolist()
    return counts
