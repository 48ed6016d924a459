"""How a run is ended from outside: SIGTERM like Ctrl-C, and with the process that started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

#: Exit status after Ctrl-C, and after SIGTERM.
INTERRUPTED, TERMINATED = 130, 143
#: Set for the children of a side-by-side run: their standard input closes when the parent is gone.
WATCHED = "UNIT59_ENDS_WITH_STDIN"
#: Exit status of such a child that has done all: 0 can also come of code that ends it halfway.
DONE = 59

_CAME, _IS_WATCHED = threading.Event(), threading.Event()


class Terminated(BaseException):
    """SIGTERM arrived. No `Exception`, so that nobody takes it for a fault of the code that it interrupts."""


def end_in_order() -> None:
    """Raise `Terminated` where SIGTERM would kill; a watched child does so too when its parent is gone."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    if os.environ.pop(WATCHED, "") and sys.stdin is not None:
        _IS_WATCHED.set()
        threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True).start()


def done_status() -> int:
    """The exit status of a run that has done all."""
    return DONE if _IS_WATCHED.is_set() else 0


def was_terminated() -> bool:
    """Whether SIGTERM has come; what it interrupts may turn `Terminated` into an error of its own."""
    return _CAME.is_set()


def _terminated(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: the ending itself is not interrupted
    _CAME.set()
    raise Terminated


def _watch(pipe: int) -> None:
    """Nothing is ever written there: it ends when the parent does, however that came about."""
    while os.read(pipe, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
