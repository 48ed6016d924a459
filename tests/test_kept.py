"""What is kept is whole or not there, and what is damaged is said and made again."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import StopAt
from unit59.store import Kept, Store, key_of

KEPT = Kept("measures/layer 1/activity", key_of(what="activity"))
ARRAYS = {"counts": np.arange(6).reshape(2, 3), "mean": np.float32(0.5), "none": np.zeros((0, 4))}


def damaged(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "cut short":
        del data[-5:]
    elif how == "empty":
        data.clear()
    else:
        data[{"first byte": 0, "a byte": len(data) // 2, "its hash": len(data) - 1}[how]] ^= 1
    path.write_bytes(data)


DAMAGE = ["first byte", "a byte", "its hash", "cut short", "empty"]


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_arrays_are_said_and_made_again(tmp_path: Path, how: str, small: bool) -> None:
    Store(tmp_path).keep_arrays(KEPT, ARRAYS, small=small)
    damaged(tmp_path / KEPT.path, how)
    said: list[str] = []
    store = Store(tmp_path, said.append)
    assert not store.has(KEPT)
    found = store.arrays_of(KEPT, lambda: ARRAYS)
    assert {name: (each.dtype, each.tolist()) for name, each in found.items()} == {
        name: (np.asarray(each).dtype, np.asarray(each).tolist()) for name, each in ARRAYS.items()
    }
    assert set(said) == {f"{tmp_path / KEPT.path}: damaged since it was written; made again."}
    said.clear()
    assert Store(tmp_path, said.append).has(KEPT)
    assert said == []


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_bytes_are_said_and_made_again(tmp_path: Path, how: str) -> None:
    Store(tmp_path).keep(KEPT, b"a picture")
    damaged(tmp_path / KEPT.path, how)
    said: list[str] = []
    assert Store(tmp_path, said.append).bytes_of(KEPT, lambda: b"anew") == b"anew"
    assert len(said) == 1
    assert Store(tmp_path, said.append).bytes_of(KEPT, lambda: b"never") == b"anew"
    assert len(said) == 1


def test_rot_while_it_runs_is_not_believed(tmp_path: Path) -> None:
    said: list[str] = []
    store = Store(tmp_path, said.append)
    store.keep_arrays(KEPT, ARRAYS)
    assert store.has(KEPT)
    damaged(tmp_path / KEPT.path, "a byte")
    assert store.arrays(KEPT) is None
    assert len(said) == 1


def test_what_is_kept_is_whole_or_not_there(tmp_path: Path, stop_at: StopAt) -> None:
    store = Store(tmp_path)
    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        stop_at(1, error)
        with pytest.raises(type(error)):
            store.keep_arrays(KEPT, ARRAYS)
        assert not store.has(KEPT)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    store.keep(KEPT, b"old")
    stop_at(1)
    with pytest.raises(KeyboardInterrupt):
        store.keep(KEPT, b"new")
    assert store.bytes_of(KEPT, lambda: b"never") == b"old"


def test_what_another_version_wrote_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(KEPT, b"pnothing of the kind")
    assert store.arrays(KEPT) is None
    assert store.arrays_of(KEPT, lambda: {"a": np.ones(2)})["a"].tolist() == [1, 1]


def test_a_place_of_odd_words_stays_in_the_folder() -> None:
    path = Kept("measures/../../etc/layer:1?", "abc").path
    assert ".." not in path.parts
    assert not path.is_absolute()


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text(), min_size=1), st.data())
def test_a_key_hangs_on_everything_and_on_no_order(values: dict[str, object], data: st.DataObject) -> None:
    assert key_of(values=values) == key_of(values=dict(reversed(values.items())))
    name = data.draw(st.sampled_from(sorted(values)))
    assert key_of(values={**values, name: [values[name]]}) != key_of(values=values)
