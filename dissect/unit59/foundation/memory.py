"""Memory that a pass of a network gives back stays with the process, for the next one."""

from __future__ import annotations

import ctypes
from contextlib import suppress

#: glibc's `malloc.h`: from which size on memory comes from the system by itself, and how much of the heap's
#: end may lie free before the system gets it back.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
#: The largest that glibc takes for the first; larger tensors go back to the system at once, as ever.
_APART = 32 << 20
#: At most so much lies free.
_FREE = 256 << 20


def keep_freed_memory() -> None:
    """Keep up to 256 MiB of what was freed, where the C library is glibc; elsewhere nothing happens.

    With glibc's defaults every pass of a small network takes its memory from the system and gives it back:
    a tenth of its processor time, and more on a busy machine, goes into that.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such library, or none with `mallopt`
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _APART)
        mallopt(_TRIM_THRESHOLD, _FREE)
