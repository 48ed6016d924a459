"""Fixtures that several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Protocol

import hypothesis
import pytest

# No test is about how long one example takes, and a busy machine takes its time.
hypothesis.settings.register_profile("unit59", deadline=None)
hypothesis.settings.load_profile("unit59")


class StopAt(Protocol):
    """Arms the next run; see `stop_at`."""

    def __call__(self, when: int, error: BaseException | None = None) -> None: ...


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[StopAt]:
    """Raise an error (by default as a key press does) at the n-th flush of a file to the disk."""
    flush = os.fsync

    def arm(when: int, error: BaseException | None = None) -> None:
        left = when

        def fsync(file: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise error or KeyboardInterrupt
            flush(file)

        monkeypatch.setattr(os, "fsync", fsync)

    yield arm
    monkeypatch.setattr(os, "fsync", flush)
