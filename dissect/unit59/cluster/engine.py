"""The engine that sends tasks to the workers of a Dask cluster.

Only a few tasks a worker are under way at a time, so that a million of them take no memory, and workers that
join have work at once. What is lost with a worker is sent again, by Dask. The results are written by the
process of the run alone.
"""

from __future__ import annotations

import pickle
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from unit59.cluster.worker import Outcome, work
from unit59.edit.workbench import Workbench
from unit59.engine import Engine, Task, run_task
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import write_atomically
from unit59.foundation.progress import Reporter
from unit59.run import Place
from unit59.samples.checks import Shortage, ShortageError
from unit59.store import Kept

EngineMaker = Callable[[Workbench, Place], Engine]
_T = TypeVar("_T")

#: Names the run in the model's cache: a worker that reads it there shares the file system.
MARK = ".run"
#: Tasks under way for each worker: one that it does, and the next.
AHEAD = 2
#: How often a task is tried whose fault may be the machine's.
TRIES = 3
#: After so many faults no further tasks are begun.
MOST_FAULTS = 10
#: Seconds until a file written elsewhere must be seen here: network file systems remember what was missing.
UNSEEN = 60.0


class ClusterError(Unit59Error):
    """A cluster that cannot be had or used, or tasks that failed on one."""


class DaskEngine:
    """Runs tasks on a cluster.

    Args:
        client: a `distributed.Client`.
        dask: the module `distributed`.
        report: is told what workers say.
        bench: of the run; a task that is alone runs at it, as it would gain nothing elsewhere.
        place: of the run, for workers.
    """

    def __init__(self, client: Any, dask: Any, report: Reporter, bench: Workbench, place: Place) -> None:
        self.client, self.dask, self.bench, self.place = client, dask, bench, place
        self.store = bench.cache.store
        self.mark = (self.store.folder / MARK).absolute()
        write_atomically(self.mark, place.run.encode())
        self._report, self._heard = report, set[str]()
        self._workers, self._counted = 1, 0.0

    def make(self, tasks: Sequence[Task[Any]], done: Callable[[int], None]) -> None:
        """See `unit59.engine.Engine.make`.

        Raises:
            ClusterError: tasks failed, all others being done; or the cluster is gone or unfit.
        """
        missing = []
        for number, task in enumerate(tasks):
            if all(self.store.has(kept) for kept in task.products):
                done(number)
            else:
                missing.append(number)
        if len(missing) == 1:
            run_task(tasks[missing[0]], self.store, self.bench)
            done(missing[0])
        elif missing:
            _Round(self, [_Attempt(number, tasks[number]) for number in missing], done).run()

    def say(self, line: str) -> None:
        """Say a line once, however many workers do."""
        if line not in self._heard:
            self._heard.add(line)
            self._report.say(line)

    def workers(self) -> int:
        """How many there are now; asked once a second."""
        if time.monotonic() - self._counted > 1:
            self._workers = len(self.reached(self.client.nthreads))
            self._counted = time.monotonic()
            if self.client.cluster is not None:
                self._revive(self.client.cluster)
            elif not self._workers:
                self.say("No worker is there: waiting for one. Ctrl-C ends the run; nothing is lost.")
        return self._workers

    def _revive(self, local: Any) -> None:
        """Start workers anew that died while they started: those Dask leaves where they are."""
        if self._workers < len(local.worker_spec):
            local.scale(len(local.worker_spec))

    def reached(self, ask: Callable[[], _T]) -> _T:
        """What the scheduler answers.

        Raises:
            ClusterError: it is gone.
        """
        try:
            return ask()
        except (OSError, RuntimeError, self.dask.CancelledError) as error:
            raise ClusterError(
                f"the Dask scheduler is gone ({type(error).__name__}). What was finished is kept: the same "
                "command goes on from here."
            ) from None


@dataclass(frozen=True)
class _Attempt:
    """A task to send.

    Attributes:
        number: among those of the round.
        task: itself.
        given: what it asked for, sealed.
        faults: how often it failed.
        alone: it was under way when workers were lost, so that now no other is.
    """

    number: int
    task: Task[Any]
    given: tuple[tuple[Kept, bytes], ...] = ()
    faults: int = 0
    alone: bool = False


class _Round:
    """Some tasks, from the first to the last.

    Args:
        engine: whose.
        attempts: one a task.
        done: see `unit59.engine.Engine.make`.
    """

    def __init__(self, engine: DaskEngine, attempts: list[_Attempt], done: Callable[[int], None]) -> None:
        self._engine, self._done, self._count = engine, done, len(attempts)
        self._waiting, self._suspects = deque(attempts), deque[_Attempt]()
        self._under_way: dict[Any, _Attempt] = {}
        self._faults: list[str] = []

    def run(self) -> None:
        """Do all of them; those that fail are named when the others are done."""
        try:
            while self._waiting or self._under_way or self._suspects:
                self._send()
                for future in self._landed():
                    self._take(future, self._under_way.pop(future))
        finally:
            if self._under_way:
                self._engine.client.cancel(list(self._under_way))
        if self._faults:
            raise ClusterError(self._closing())

    def _send(self) -> None:
        engine = self._engine
        if not self._waiting and not self._under_way:
            self._waiting.append(self._suspects.popleft())
        while self._waiting and len(self._under_way) < max(1, AHEAD * engine.workers()):
            attempt = self._waiting.popleft()
            sent = (engine.place, engine.mark, pickle.dumps(attempt.task), attempt.given)
            name = f"{type(attempt.task).__name__}-{engine.place.run}-{secrets.token_hex(8)}"
            submit = partial(engine.client.submit, work, *sent, key=name, pure=False)
            self._under_way[engine.reached(submit)] = attempt

    def _landed(self) -> set[Any]:
        """Those that came back, waiting for one; none after a while, so that new workers are seen."""
        engine, under_way = self._engine, list(self._under_way)

        def wait() -> set[Any]:
            with suppress(TimeoutError), engine.client.as_current():
                return set(engine.dask.wait(under_way, timeout=1, return_when="FIRST_COMPLETED").done)
            return set()

        return engine.reached(wait)

    def _take(self, future: Any, attempt: _Attempt) -> None:
        engine = self._engine
        outcome = engine.reached(partial(_outcome, future))
        if isinstance(outcome, Exception):
            self._lost(attempt, outcome)
            return
        for line in outcome.said:
            engine.say(line)
        if outcome.what == "unfit":
            raise ClusterError(
                f"a worker cannot take part: {outcome.fault} Recipe, weights and code must lie at the same "
                "place for all, and machines be of one kind."
            )
        if outcome.what == "needs":
            given = *attempt.given, *self._asked(outcome)
            self._waiting.appendleft(replace(attempt, given=given))
        elif outcome.what == "failed":
            self._failed(attempt, outcome.fault, outcome.again, outcome.short)
        elif all(engine.store.unseal(*each) for each in outcome.data) and self._is_seen(attempt.task):
            self._done(attempt.number)
        else:
            self._failed(attempt, "what it made did not come whole.", True)

    def _asked(self, outcome: Outcome) -> list[tuple[Kept, bytes]]:
        """What a worker needs, sealed; made here where it is not kept."""
        store, found = self._engine.store, []
        for task in pickle.loads(outcome.needs):  # noqa: S301  # our own function wrote it
            run_task(task, store, self._engine.bench)
            found += [(kept, store.sealed(kept) or b"") for kept in task.products]
        return found

    def _is_seen(self, task: Task[Any]) -> bool:
        """Whether what a worker kept is seen here; listing a folder makes file systems look again."""
        ends = time.monotonic() + UNSEEN
        for kept in task.products:
            path = self._engine.store.folder / kept.path
            while not path.exists():
                if time.monotonic() > ends:
                    return False
                time.sleep(0.2)
                if path.parent.is_dir():
                    list(path.parent.iterdir())
        return True

    # ---- faults

    def _lost(self, attempt: _Attempt, error: Exception) -> None:
        """Its workers were lost again and again: by its own doing, if that happens to it alone."""
        if not isinstance(error, self._engine.dask.KilledWorker):
            raise ClusterError(
                f"a worker cannot run tasks: {type(error).__name__}: {error}. Is the same unit59 there?"
            )
        if attempt.alone:
            self._failed(attempt, "every worker that did it was lost (out of memory?).", False)
        else:
            self._suspects.append(replace(attempt, alone=True))

    def _failed(self, attempt: _Attempt, fault: str, again: bool, short: Shortage | None = None) -> None:
        if again and attempt.faults + 1 < TRIES:
            self._waiting.append(replace(attempt, faults=attempt.faults + 1))
            return
        if short:
            raise ShortageError(f"{attempt.task}: {fault}", short)
        self._faults.append(f"{attempt.task}: {fault}")
        if len(self._faults) == MOST_FAULTS:
            self._waiting.clear()
            self._suspects.clear()

    def _closing(self) -> str:
        few = len(self._faults) < MOST_FAULTS
        rest = "all others are done" if few else "no further ones were begun"
        return "\n".join(
            [
                f"{len(self._faults)} of {self._count} tasks failed, {rest}; what is done is kept, and the "
                "same command tries these again.",
                *self._faults,
            ]
        )


def _outcome(future: Any) -> Outcome | Exception:
    """What a future holds, or why it holds nothing: what was finished may be lost with its worker."""
    try:
        found: Outcome = future.result()
    except Exception as error:
        if future.status == "error":
            return error
        raise
    return found
