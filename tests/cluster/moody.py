"""Laid beside a recipe: a planted network with moods, and a study whose tasks hold code of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from tests.planted.network import Planted
from tests.planted.segmenter import PlantedSegmenter
from tests.planted.things import THINGS
from unit59.edit.group import Group, Seen
from unit59.networks import Batch, State
from unit59.results.report import Measured
from unit59.studies.base import Report, Study, Tables

#: A word and a number: what happens to the samples whose first latent number is this one.
MOOD = Path(__file__).with_name("mood.txt")


class Moody(Planted):
    """Raises, or kills its process, at one sample, as long as a file says so."""

    def __init__(self) -> None:
        super().__init__(THINGS[:3], 12)

    def start(self, batch: Batch) -> State:
        if MOOD.exists():
            word, number = MOOD.read_text().split()
            if (batch.inputs[:, 0] == np.float32(number).item()).any():
                if word == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise ValueError("not in the mood")
        return super().start(batch)


class Colours(PlantedSegmenter):
    """Never wrong."""

    def __init__(self) -> None:
        super().__init__(THINGS[:3])


@dataclass(frozen=True)
class Mirror:
    """A change of its own."""

    depends_on: ClassVar[str] = "left and right"
    inserts: ClassVar[bool] = False

    def images(self, group: Group) -> tuple[Tensor, Tensor]:
        return group.image, group.image.flip(3)


@dataclass(frozen=True)
class Moved:
    """A probe of its own."""

    depends_on: ClassVar[str] = "pixels"

    def look(self, seen: Seen) -> Mapping[str, NDArray[Any]]:
        return {"moved": (seen.difference > 0).sum(dim=(1, 2)).numpy()}


class Mirrored(Study):
    """How many pixels change in the mirror?"""

    reads: ClassVar[frozenset[str]] = frozenset()
    uses: ClassVar[frozenset[str]] = frozenset()

    def measure(self, model: Any) -> Tables:
        moved = model.bench.sweep("layer1").all([Mirror()], range(32), Moved())["moved"][0]
        return Tables({"moved.parquet": pl.DataFrame({"moved": moved})}, {"mean": float(moved.mean())})

    def tell(self, tables: Tables) -> Report:
        mean = Measured(words="pixels change", value=tables.facts["mean"])
        return Report("How many?", "Some.", ["Mirrored."], [], ["None."], mean)
