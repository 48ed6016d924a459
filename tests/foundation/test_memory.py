"""What is freed is used again."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

#: Page faults of twenty rounds of 32 MiB each, taken and given back.
_ROUNDS = """
import resource, sys
import numpy as np
from unit59.foundation.memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
for turn in range(22):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 20, np.uint8) for _ in range(32)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    made = subprocess.run([sys.executable, "-c", _ROUNDS, how], capture_output=True, text=True, check=True)
    return int(made.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is not glibc")
def test_freed_memory_is_used_again() -> None:
    pages = 20 * (32 << 20) // resource.getpagesize()
    assert _faults("kept") < pages / 20 < _faults("plain")
