"""Kills, rotten caches, full disks and tampered results: a few; `benchmarks/faults.py` does hundreds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_nothing_is_lost_and_nothing_is_left() -> None:
    command = [sys.executable, "-m", "benchmarks.faults", "--kills", "2", "--flips", "2"]
    command += ["--full", "2", "--tampered", "5", "--workers-killed", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.endswith("0 differences, 0 leftovers, 0 other faults.\n")
