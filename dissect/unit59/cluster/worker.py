"""What runs in a worker: one task at a time, at a place that is opened once.

A worker that sees the run's cache keeps what it makes there. One that does not (no file system is shared)
keeps it in a folder of its own and hands it back with its hash; what it needs of others it asks for, and
samples it makes itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from unit59.edit.workbench import Workbench
from unit59.engine import Task, run_task
from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import describe
from unit59.foundation.reads import noted_as_late, unknown_reads
from unit59.run import Place
from unit59.samples.checks import Shortage, ShortageError
from unit59.samples.shards import MakeShard
from unit59.store import Kept

#: Networks and sweeps are no place for two threads at once.
_ALONE = Lock()


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        what: it is done; it failed; it needs what is not here; or this worker cannot do any task of the run.
        data: its products, sealed, where the run's process has to keep them.
        needs: pickled tasks that make what is not here.
        fault: why it failed.
        again: whether another try may help.
        short: what ran out of memory, and could be done with fewer samples at once.
        said: lines for the person who watches.
    """

    what: Literal["done", "failed", "needs", "unfit"]
    data: tuple[tuple[Kept, bytes], ...] = ()
    needs: bytes = b""
    fault: str = ""
    again: bool = False
    short: Shortage | None = None
    said: tuple[str, ...] = ()


class Needs(BaseException):
    """A task needs what others make. No `Exception`, so that no code takes it for a fault of its own."""

    def __init__(self, tasks: Sequence[Task[Any]]) -> None:
        super().__init__()
        self.tasks = tasks


class Apart:
    """The engine of a worker that sees no cache but its own: it makes samples, and asks for all else.

    Args:
        bench: of this worker.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def make(self, tasks: Sequence[Task[Any]], done: Callable[[int], None]) -> None:
        """See `unit59.engine.Engine.make`."""
        store = self._bench.cache.store
        others = [task for task in tasks if not isinstance(task, MakeShard)]
        if needs := [task for task in others if not all(map(store.has, task.products))]:
            raise Needs(needs)
        for number, task in enumerate(tasks):
            run_task(task, store, self._bench)
            done(number)


def work(place: Place, mark: Path, task: bytes, given: Sequence[tuple[Kept, bytes]]) -> Outcome:
    """Do one task.

    Args:
        place: that it needs.
        mark: a file in the run's cache that names the run, for those who see it.
        task: pickled: what it holds may be a recipe's own code, which is imported when the place is opened.
        given: what it asked for, sealed.
    """
    with _ALONE:
        try:
            place, shared = _own(place, mark)
            bench = place.open()
        except Exception as fault:  # noqa: BLE001  # whatever it is, the run's process says it
            return Outcome("unfit", fault=_said(fault))
        return _run(bench, place.recipe.parent.resolve(), shared, task, given)


def _run(
    bench: Workbench, root: Path, shared: bool, packed: bytes, given: Sequence[tuple[Kept, bytes]]
) -> Outcome:
    store, said = bench.cache.store, list[str]()
    store.say = said.append
    if not shared:
        bench.cache.engine = Apart(bench)
    try:
        for kept, sealed in given:
            store.unseal(kept, sealed)
        task: Task[Any] = pickle.loads(packed)  # noqa: S301  # from the run's process, as this function is
        with noted_as_late():
            run_task(task, store, bench)
        said += sorted(unknown_reads(root))
        found = [] if shared else [(kept, store.sealed(kept) or b"") for kept in task.products]
        return Outcome("done", data=tuple(found), said=tuple(said))
    except Needs as need:
        return Outcome("needs", needs=pickle.dumps(need.tasks), said=tuple(said))
    except Exception as fault:  # noqa: BLE001  # likewise
        short = fault.short if isinstance(fault, ShortageError) else None
        again = not isinstance(fault, Unit59Error) or isinstance(fault, ShortageError)
        return Outcome("failed", fault=_said(fault), again=again, short=short, said=tuple(said))


@lru_cache(maxsize=1)
def _own(place: Place, mark: Path) -> tuple[Place, bool]:
    """The place as this worker sees it, and whether its cache is the run's."""
    from distributed import get_worker

    try:
        if mark.read_text() == place.run:
            return place, True
    except (OSError, ValueError):
        pass
    folder = Path(get_worker().local_directory) / "unit59"
    return replace(place, options=replace(place.options, cache=folder)), False


def _said(fault: Exception) -> str:
    return str(fault) if isinstance(fault, Unit59Error) else describe(fault, Path(__file__).parent.parent)
