"""What a person sees while it runs: bars with rates on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from unit59.foundation.ending import end_if_asked
from unit59.foundation.printable import printable

#: Seconds between two lines of the plain log.
EVERY = 10.0


class Reporter:
    """Says what happens, on standard error.

    Args:
        quiet: say nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        """One line."""
        text = printable(text)
        if self.console.is_terminal:
            self.console.print(text, markup=False, emoji=False)
        elif not self.quiet:
            print(text, file=sys.stderr, flush=True)

    @contextmanager
    def step(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Show one step's progress; the block is given a function that takes how much more is done.

        The function ends the run where a signal has come that the code between two calls has swallowed.
        """
        began = time.monotonic()
        shown = self._bar(name, total, unit) if self.console.is_terminal else self._lines(name, total, unit)
        with shown as advance:

            def go_on(more: int) -> None:
                end_if_asked()
                advance(more)

            yield go_on
        self.seconds[name] = round(time.monotonic() - began, 2)

    @contextmanager
    def _bar(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        columns = (
            TextColumn("{task.description:<34}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(unit),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(printable(name), total=total)
            yield lambda more: progress.advance(task, more)

    @contextmanager
    def _lines(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        began = said = time.monotonic()
        done = 0

        def advance(more: int) -> None:
            nonlocal done, said
            done += more
            now = time.monotonic()
            if now - said >= EVERY:
                said = now
                rate = done / max(now - began, 1e-9)
                left = (total - done) / max(rate, 1e-9)
                self.say(f"{name}: {done}/{total} {unit}, {rate:.1f} {unit}/s, {left:.0f} s left")

        yield advance
        spent = time.monotonic() - began
        self.say(f"{name}: {done} {unit} in {spent:.1f} s")


class _Rate(ProgressColumn):
    """`123.4 samples/s`."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """The column's text."""
        return Text(f"{task.speed or 0:.1f} {self.unit}/s", style="progress.data.speed")
