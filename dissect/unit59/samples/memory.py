"""When memory runs out: what can be read again is let go, then fewer samples go through at once.

Some convolutions round differently with another number of samples in a pass. So the numbers are one decision
for a whole run: they are part of what samples are known by, and are kept beside them for later runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import describe, is_out_of_memory
from unit59.samples.checks import WAY_OUT, Shortage, ShortageError
from unit59.samples.shards import GROUP
from unit59.store import Kept, Store, key_of

_T = TypeVar("_T")

_NAMES = {
    "network": "samples in the network",
    "segmenter": "pictures in the segmenter",
    "gradients": "samples in a pass with gradients",
}


@dataclass(frozen=True)
class Batches:
    """How many go through at once.

    Attributes:
        network: samples in one pass.
        segmenter: pictures.
        gradients: samples in one pass with gradients.
    """

    network: int = GROUP
    segmenter: int = GROUP
    gradients: int = GROUP

    def smaller(self, short: Shortage) -> Batches | None:
        """With half as many of what was short; None where fewer cannot help."""
        if short.rows > 1:
            return replace(self, **{short.what: short.rows // 2})
        if short.what == "segmenter" and self.network > 1:  # what else is held is the network's
            return replace(self, network=self.network // 2)
        return None

    @property
    def of_samples(self) -> dict[str, Any]:
        """What samples depend on, where it is not the usual number."""
        return {} if self.network == GROUP else {"batch": self.network}

    @property
    def of_labels(self) -> dict[str, Any]:
        """What all else depends on besides the samples, likewise."""
        return {} if self == Batches(self.network) else {"batches": vars(self)}


USUAL_BATCHES = Batches()


class Decided:
    """The batches of a run, as they were decided when memory last ran out.

    Args:
        store: of the model.
        depends_on: what a sample and its segmentation depend on, but for batches.
    """

    def __init__(self, store: Store, **depends_on: Any) -> None:
        self._store, self._kept = store, Kept("batches", key_of(**depends_on))

    def get(self) -> Batches:
        """The usual ones where memory never ran out."""
        found = self._store.arrays(self._kept) or {}
        return Batches(**{name: int(number) for name, number in found.items()})

    def lower(self, batches: Batches, error: ShortageError) -> tuple[Batches, str]:
        """Decide for fewer from now on; how many, and a line that says so.

        Raises:
            ShortageError: the given one; fewer cannot help.
        """
        smaller = batches.smaller(error.short) if error.short else None
        if error.short is None or smaller is None:
            raise error
        self._store.keep_arrays(
            self._kept, {name: np.array(number) for name, number in vars(smaller).items()}
        )
        what = error.short.what if error.short.rows > 1 else "network"
        count = getattr(smaller, what)
        return smaller, (
            f"Out of memory: {_NAMES[what]} at once are {count} from now on, for all samples alike, as sums "
            "may round differently."
        )


def within(short: Shortage | None, work: Callable[[], _T], let_go: Callable[[], None]) -> _T:
    """What `work` gives; where memory runs out, once more with less held.

    Args:
        short: what could be done with fewer at once, and how many it does.
        work: may be done twice.
        let_go: of what can be had again.

    Raises:
        ShortageError: memory runs out even so.
    """
    try:
        return work()
    except Exception as error:
        if _cause(error) is None:
            raise
    let_go()  # here, where nothing holds the frames that failed
    try:
        return work()
    except Exception as error:
        cause = _cause(error)
        if cause is None:
            raise
        raise ShortageError(f"{describe(cause)} {WAY_OUT}", short) from error


def _cause(error: Exception) -> BaseException | None:
    """What ran out of memory, perhaps in own code; None where it was something else, or has been said."""
    if isinstance(error, ShortageError):
        return None
    inner = error.__cause__ if isinstance(error, Unit59Error) else error
    return inner if inner is not None and is_out_of_memory(inner) else None
