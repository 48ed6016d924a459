"""Which units come first, and whether two scores of them go together: shared tops, partial correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unit59.stats.intervals import ENDS

#: One in so many is among the strongest.
TENTH = 10


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


def relative_sizes(effects: NDArray[Any], among: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """Sizes of effects relative to their concept's root mean square, so that large concepts crowd out none.

    Args:
        effects: [...,U,C] of units on concepts.
        among: [...,N,C], the units that the root mean square is over; by default these.
    """
    usual = np.sqrt(((effects if among is None else among) ** 2).mean(axis=-2, keepdims=True))
    sizes: NDArray[np.float64] = np.abs(effects) / np.where(usual > 0, usual, 1.0)
    return sizes


def strongest(scores: NDArray[Any]) -> list[int]:
    """The tenth with the largest scores, at least one, largest first; among equals those that come first."""
    top = max(1, len(scores) // TENTH)
    found: list[int] = np.argsort(-scores, kind="stable")[:top].tolist()
    return found


def shared_top(a: NDArray[Any], b: NDArray[Any]) -> SharedTop:
    """How much the strongest by both scores have in common; see `strongest`.

    Args:
        a: [n].
        b: [n].
    """
    from scipy.stats import hypergeom

    count = len(a)
    if not count:
        return SharedTop(0, 0, 0.0, 0)
    first, other = strongest(a), strongest(b)
    top = len(first)
    return SharedTop(
        top=top,
        both=len(set(first) & set(other)),
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
