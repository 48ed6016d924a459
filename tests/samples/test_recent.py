"""What was read last stays in memory, up to a limit; nothing but the time shows it."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests.edit.planting import planted_cache
from unit59.samples import cache as module


@pytest.mark.parametrize(("limit", "expected"), [(1 << 29, 3), (0, 4)])
def test_recently_read_shards_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, expected: int
) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", limit)
    cache = planted_cache(tmp_path, samples=160)  # in three shards
    numbers = np.array([0, 1, 64, 130, 2])
    with mock.patch.object(cache.store, "arrays", wraps=cache.store.arrays) as read:
        pictures = cache.pictures(numbers)
    assert read.call_count == expected
    fresh = planted_cache(tmp_path, samples=160)
    assert (pictures == np.concatenate([fresh.pictures(numbers[i : i + 1]) for i in range(5)])).all()
