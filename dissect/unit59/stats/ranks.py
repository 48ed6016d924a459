"""Whether two scores of the same units go together: partial rank correlation, and shared tops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.stats.intervals import ENDS


@dataclass(frozen=True)
class SharedTop:
    """How many of the first by one score are among the first by another.

    Attributes:
        top: how many the first are.
        both: of those by one score, those by the other.
        chance: what `both` is on average when the two have nothing to do with each other.
        chance_high: 97.5 % of such draws have no more than so many (hypergeometric).
    """

    top: int
    both: int
    chance: float
    chance_high: int


def shared_top(a: NDArray[Any], b: NDArray[Any], part: int) -> SharedTop:
    """Compare the largest of both scores; among equals those that come first.

    Args:
        a: [n].
        b: [n].
        part: the first are one in so many, at least one.
    """
    from scipy.stats import hypergeom

    count = len(a)
    if not count:
        return SharedTop(0, 0, 0.0, 0)
    top = max(1, count // part)
    first = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (a, b)]
    return SharedTop(
        top=top,
        both=len(first[0] & first[1]),
        chance=top * top / count,
        chance_high=int(hypergeom(count, top, top).ppf(ENDS[1] / 100)),
    )


def partial_spearman(a: NDArray[Any], b: NDArray[Any], held: NDArray[Any]) -> float:
    """Partial rank correlation of a with b, the third held; NaN where that leaves nothing to vary.

    Args:
        a: [n].
        b: [n].
        held: [n].
    """
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(each) for each in (a, b, held)])
    with np.errstate(invalid="ignore", divide="ignore"):
        (_, ab, ah), (_, _, bh), _ = np.corrcoef(ranks)
        rest = (1 - ah**2) * (1 - bh**2)
        return float((ab - ah * bh) / np.sqrt(rest)) if rest > 1e-12 else float("nan")
