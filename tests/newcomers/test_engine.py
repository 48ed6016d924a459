"""An engine that runs the tasks in two other processes: the results are the same, byte for byte."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests import tiny
from tests.newcomers.running import write
from unit59.edit.workbench import Workbench
from unit59.engine import Task, run_task
from unit59.foundation.progress import Reporter
from unit59.recipe import read_recipe
from unit59.run import Options, Place, dissect

RECIPE = """\
layers: [layer1]
effects: {samples: 8, extra: 0}
searches: [{concept: lamp, samples: 16}]
"""


class Elsewhere:
    """Sends every task to one of two workers, which open what the recipe names for themselves.

    Args:
        place: where tasks run; it travels, as they do.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._workers = ProcessPoolExecutor(2, get_context("spawn"))

    def make(self, tasks: Sequence[Task[Any]], done: Callable[[int], None]) -> None:
        """See `unit59.engine.Engine.make`."""
        packed = [pickle.dumps(task) for task in tasks]
        sent = {self._workers.submit(work, self._place, task): number for number, task in enumerate(packed)}
        for finished in as_completed(sent):
            finished.result()
            done(sent[finished])


def work(place: Place, packed: bytes) -> None:
    """In a worker; a task may hold the recipe's own code, which is there once the place is open."""
    bench = place.open()
    run_task(pickle.loads(packed), bench.cache.store, bench)
    (place.options.cache / f"worker-{os.getpid()}").touch()


def elsewhere(bench: Workbench, place: Place) -> Elsewhere:
    """What `Options.engine` takes."""
    return Elsewhere(place)


def test_the_results_are_the_same(tmp_path: Path) -> None:
    file = read_recipe(write(tmp_path, __file__, RECIPE))
    here = Options(tmp_path / "here", tmp_path / "cache-here")
    there = Options(tmp_path / "there", tmp_path / "cache-there", engine=elsewhere)
    first, second = (dissect(file, options, Reporter(quiet=True)) for options in (here, there))
    assert tiny.contents(first) == tiny.contents(second)
    workers = {int(mark.name.removeprefix("worker-")) for mark in there.cache.glob("worker-*")}
    assert len(workers) == 2
    assert os.getpid() not in workers
