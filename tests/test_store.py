"""What is kept: whole or not at all, and never believed once it is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit59.engine import Here, results_of
from unit59.store import Kept, Store, key_of

KEPT = Kept("rooms/thing", key_of(of=1))


@dataclass(frozen=True)
class Count:
    """Gives its number, and counts how often it was asked."""

    number: int

    @property
    def products(self) -> Sequence[Kept]:
        return [Kept(f"counts/{self.number}", key_of(number=self.number))]

    def make(self, bench: list[int], wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        bench.append(self.number)
        yield wanted[0], {"x": np.full(5, self.number)}


@pytest.mark.parametrize("small", [False, True])
def test_arrays_come_back_as_they_were(tmp_path: Path, small: bool) -> None:
    store = Store(tmp_path)
    arrays: dict[str, Any] = {"a": np.arange(6).reshape(2, 3).T, "b": np.float32(2.5), "c": np.zeros((0, 4))}
    store.keep_arrays(KEPT, arrays, small=small)
    found = Store(tmp_path).arrays(KEPT)
    assert found is not None
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(small=st.booleans(), data=st.data())
def test_no_flipped_bit_and_no_lost_end_is_believed(tmp_path: Path, small: bool, data: st.DataObject) -> None:
    said: list[str] = []
    store = Store(tmp_path, said.append)
    store.keep_arrays(KEPT, {"x": np.arange(20)}, small=small)
    path = tmp_path / KEPT.path
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[place:]
    path.write_bytes(content)
    assert store.arrays(KEPT) is None
    assert not store.has(KEPT)
    assert all(line == f"{path}: damaged since it was written; made again." for line in said)
    assert said


def test_what_rots_during_a_run_is_made_again(tmp_path: Path) -> None:
    """Neither its size nor its time tells, where the disk itself is at fault."""
    store, made, said = Store(tmp_path), list[int](), list[str]()
    store.say = said.append
    tasks = [Count(1), Count(2)]
    assert [found["x"][0] for found in results_of(tasks, Here(store, made), store)] == [1, 2]
    path = tmp_path / tasks[1].products[0].path
    before, content = path.stat(), bytearray(path.read_bytes())
    content[9] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [found["x"][0] for found in results_of(tasks, Here(store, made), store)] == [1, 2]
    assert made == [1, 2, 2]
    assert len(said) == 1


def test_nothing_is_made_twice(tmp_path: Path) -> None:
    made: list[int] = []
    done: list[int] = []
    for _ in range(2):
        store = Store(tmp_path)
        list(results_of([Count(1), Count(2)], Here(store, made), store, done.append))
    assert made == [1, 2]
    assert done == [0, 1, 0, 1]
