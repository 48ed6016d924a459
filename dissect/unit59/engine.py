"""Where tasks run. A task is a small picklable description of work; what it makes is kept in the store.

The engine here runs them in this process. Another one may send them elsewhere, as `unit59.cluster` does: a
task, and the place that it needs (`unit59.run.Place`), are all that has to travel. A task may hold a recipe's
own code, which is found once the place is open: pickle it, and unpickle it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from unit59.store import Kept, Store

C_contra = TypeVar("C_contra", contravariant=True)


class Task(Protocol[C_contra]):
    """One piece of work: a frozen dataclass of plain values, so that it can be pickled and compared.

    As text it says what fails when it does, with its samples.
    """

    @property
    def products(self) -> Sequence[Kept]:
        """What it makes."""

    def make(self, bench: C_contra, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """Make the wanted ones of its products, as arrays by name.

        Args:
            bench: the opened place that the work is done at.
            wanted: of `products`, those that are not kept yet.
        """


class Engine(Protocol):
    """Runs tasks."""

    def make(self, tasks: Sequence[Task[Any]], done: Callable[[int], None]) -> None:
        """Keep every product of these tasks that is not kept yet.

        Args:
            tasks: none depends on another.
            done: is told the number of each task that is finished (whether or not it had to run).
        """


class Here:
    """The engine that runs tasks one after the other, in this process.

    Args:
        store: keeps what they make.
        bench: is handed to each.
    """

    def __init__(self, store: Store, bench: Any) -> None:
        self._store, self._bench = store, bench

    def make(self, tasks: Sequence[Task[Any]], done: Callable[[int], None]) -> None:
        """See `Engine.make`."""
        for number, task in enumerate(tasks):
            run_task(task, self._store, self._bench)
            done(number)


def run_task(task: Task[Any], store: Store, bench: Any) -> None:
    """Run one task, as far as its products are not kept yet."""
    wanted = [kept for kept in task.products if not store.has(kept)]
    if wanted:
        for kept, arrays in task.make(bench, wanted):
            store.keep_arrays(kept, arrays, small=getattr(task, "small", False))


def results_of(
    tasks: Sequence[Task[Any]], engine: Engine, store: Store, done: Callable[[int], None] = lambda _: None
) -> Iterator[dict[str, NDArray[Any]]]:
    """The products of every task, in order; made where they are not kept, or no longer whole."""
    engine.make(tasks, done)
    for task in tasks:
        for kept in task.products:
            found = store.arrays(kept)
            if found is None:
                engine.make([task], lambda _: None)
                found = store.arrays(kept)
            if found is None:
                raise OSError(f"{store.folder / kept.path}: what was just made cannot be read.")
            yield found
