"""Ctrl-C and SIGTERM end a command with one line and status 130 or 143, whatever they interrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

BOTH = pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM"],
)
START = """
import contextlib, os, signal, sys, time
from unit59 import cli
from unit59.__main__ import main
from unit59.foundation.progress import Reporter
def come():
    os.kill(os.getpid(), signal.{name})
"""


def ended(code: str, number: signal.Signals) -> tuple[int, str]:
    """Exit status and standard error of a program in which a signal comes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "program.py").write_text(START.replace("{name}", number.name) + code)
        command = [sys.executable, "-m", "program"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@BOTH
@pytest.mark.parametrize("come", ["come()", "exec('come()')"])  # dataclasses are made by `exec`, for one
@pytest.mark.parametrize("raised", ["", "ImportError('initialization failed')", "SystemExit(0)"])
def test_what_a_signal_interrupts_does_not_hide_it(
    raised: str, come: str, number: signal.Signals, status: int, word: str
) -> None:
    """A C extension's import, for one, makes an ImportError of it."""
    code = f"""
def app():
    try:
        {come}
    except BaseException as fault:
        raise {raised}
cli.app = app
main()
"""
    assert ended(code, number) == (status, f"unit59: {word}. The same command goes on from here.\n")


@BOTH
def test_a_signal_while_the_command_is_imported(number: signal.Signals, status: int, word: str) -> None:
    code = """
class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            come()
for name in [name for name in sys.modules if name.startswith(("typer", "unit59.cli"))]:
    del sys.modules[name]
del sys.modules["unit59"].cli
sys.meta_path.insert(0, Finder())
main()
"""
    assert ended(code, number) == (status, f"unit59: {word}. The same command goes on from here.\n")


@BOTH
def test_one_that_was_swallowed_ends_the_run_at_its_next_step(
    number: signal.Signals, status: int, word: str
) -> None:
    code = """
def app():
    with Reporter(quiet=True).step("s", 100, "samples") as advance:
        try:
            come()
        except:
            pass
        advance(1)
        print("went on", file=sys.stderr)
cli.app = app
main()
"""
    assert ended(code, number) == (status, f"unit59: {word}. The same command goes on from here.\n")


@BOTH
def test_a_second_one_ends_at_once(number: signal.Signals, status: int, word: str) -> None:
    code = """
def app():
    for _ in range(3):
        with contextlib.suppress(BaseException):
            come()
            print("the same, sent twice", file=sys.stderr)
    time.sleep(0.6)
    come()
    print("went on", file=sys.stderr)
cli.app = app
main()
"""
    said = "the same, sent twice\n" * 2 + "unit59: ended at once. The same command goes on from here.\n"
    assert ended(code, number) == (status, said), word


@BOTH
def test_a_signal_in_a_callback_of_c_code_is_neither_lost_nor_shown(
    number: signal.Signals, status: int, word: str
) -> None:
    """Compiled loops are written to files in one: what is raised there goes nowhere."""
    code = """
import ctypes
def app():
    ctypes.CFUNCTYPE(None)(come)()
    with Reporter(quiet=True).step("a", 1, "b") as tick:
        tick(1)
    raise AssertionError("not reached")
cli.app = app
main()
"""
    assert ended(code, number) == (status, f"unit59: {word}. The same command goes on from here.\n")
