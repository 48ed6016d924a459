"""SIGTERM ends a command with one line and status 143, whatever it interrupts."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: SIGTERM comes in the middle of something; a C extension's import, for one, makes an ImportError of it.
CODE = """
import os, signal
from unit59 import cli
def app():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException as fault:
        raise {raised} from fault
cli.app = app
cli.main()
"""


@pytest.mark.parametrize("raised", ["fault", "ImportError('initialization failed')", "SystemExit(0)"])
def test_what_sigterm_interrupts_does_not_hide_it(raised: str) -> None:
    code = CODE.format(raised=raised).replace("raise fault from fault", "raise")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert done.stderr == "unit59: terminated. The same command goes on from here.\n"
