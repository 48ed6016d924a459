"""From a newcomer's file to its results and pages.

The file is what a user would write: it is laid beside a recipe, which names what it defines. Nothing here
imports torch before it dissects, as a study is told without.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from unit59.foundation.progress import Reporter
from unit59.recipe import read_recipe
from unit59.results import ModelResults, ResultsWriter, read_model
from unit59.site.export import export

RECIPE = """\
model: planted
title: A planted network
checkpoint: {checkpoint}
segmenter: planted:Colours
samples: 64
quantile: 0.1
shuffles: 3
bootstrap: 20
exemplars: 1
similar: 2
"""


def write(folder: Path, newcomer: str, more: str, checkpoint: str = "planted:network") -> Path:
    """A recipe; beside it the planted network and a newcomer's file, named without its ``test_``."""
    shutil.copy(Path(__file__).with_name("planted.py"), folder)
    shutil.copy(newcomer, folder / Path(newcomer).name.removeprefix("test_"))
    recipe = folder / "planted.yaml"
    recipe.write_text(RECIPE.format(checkpoint=checkpoint) + more)
    return recipe


def dissected(recipe: Path) -> ModelResults:
    """Its results."""
    from unit59.run import Options, dissect

    options = Options(recipe.with_name("results"), recipe.with_name("cache"))
    return read_model(dissect(read_recipe(recipe), options, Reporter(quiet=True)))


@contextmanager
def counted() -> Iterator[list[str]]:
    """The parts that are measured while the block runs: each is written once it is."""
    measured: list[str] = []
    write = ResultsWriter.write_part

    def noted(writer: ResultsWriter, part: str, *given: Any) -> None:
        measured.append(part)
        write(writer, part, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResultsWriter, "write_part", noted)
        yield measured


def page(folder: Path, address: str) -> str:
    """A page of the site that the results below a folder make."""
    export(folder / "results", folder / "site", "html")
    return (folder / "site" / address / "index.html").read_text("utf-8")
