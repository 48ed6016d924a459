"""How a run is ended from outside: by Ctrl-C, by SIGTERM, and with the process that started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

#: Exit status after Ctrl-C, and after SIGTERM.
INTERRUPTED, TERMINATED = 130, 143
#: Set for the children of a side-by-side run: their standard input closes when the parent is gone.
WATCHED = "UNIT59_ENDS_WITH_STDIN"
#: Exit status of such a child that has done all: 0 can also come of code that ends it halfway.
DONE = 59

#: Seconds within which a second signal is the same one: `timeout` sends it to a process and to its group.
_SAME = 0.5
#: The first signal that came, and when.
_CAME: list[tuple[int, float]] = []
_IS_WATCHED = threading.Event()


class Terminated(BaseException):
    """SIGTERM arrived. No `Exception`, so that nobody takes it for a fault of the code that it interrupts."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C was pressed. A plain one that has left an `exec` decides the exit status, whoever caught it."""


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Signals that come in the block end the process with one line, whatever is made of what they raise.

    A second one ends it at once. A watched child is ended when its parent is gone, too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)
    sys.unraisablehook = partial(_unraisable, sys.unraisablehook)
    if os.environ.pop(WATCHED, "") and sys.stdin is not None:
        _IS_WATCHED.set()
        threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True).start()
    try:
        yield
    except BaseException as fault:
        status = _status(fault)
        if status is None:
            raise
        word = "interrupted" if status == INTERRUPTED else "terminated"
        with suppress(BrokenPipeError):  # nobody reads it any more
            print(f"unit59: {word}. The same command goes on from here.", file=sys.stderr, flush=True)
        sys.exit(status)


def done_status() -> int:
    """The exit status of a run that has done all."""
    return DONE if _IS_WATCHED.is_set() else 0


def end_if_asked() -> None:
    """Raise again what a signal raised: code in which it came may have swallowed that.

    Raises:
        Interrupted: after Ctrl-C.
        Terminated: after SIGTERM.
    """
    if _CAME:
        raise Interrupted if _CAME[0][0] == signal.SIGINT else Terminated


def _unraisable(usual: Callable[[Any], None], what: Any) -> None:
    """A signal that comes in a callback of C code or a finalizer is not lost: the next step ends the run."""
    if not isinstance(what.exc_value, Terminated | Interrupted):
        usual(what)


def _status(fault: BaseException) -> int | None:
    """The exit status of what was ended by a signal, here or in a child; None for anything else."""
    if _CAME:
        return 128 + _CAME[0][0]
    if isinstance(fault, Terminated):
        return TERMINATED
    return INTERRUPTED if isinstance(fault, SystemExit) and fault.code == INTERRUPTED else None


def _end(number: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if not _CAME:
        _CAME.append((number, now))
        end_if_asked()
    elif now - _CAME[0][1] > _SAME:
        os.write(2, b"unit59: ended at once. The same command goes on from here.\n")
        os._exit(128 + number)


def _watch(pipe: int) -> None:
    """Nothing is ever written there: it ends when the parent does, however that came about."""
    while os.read(pipe, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
