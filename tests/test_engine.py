"""Tasks make what is not kept, once, and what rots in between is made again."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unit59.engine import Here, results_of
from unit59.store import Kept, Store, key_of


@dataclass
class Bench:
    """Notes which products were made."""

    made: list[str] = field(default_factory=list)
    fails: bool = False


@dataclass(frozen=True)
class Square:
    """Two products of one number."""

    number: int

    @property
    def products(self) -> Sequence[Kept]:
        """See `Task.products`."""
        return [Kept(f"{what}/{self.number}", key_of(of=self.number)) for what in ("square", "cube")]

    def make(self, bench: Bench, wanted: Sequence[Kept]) -> Iterable[tuple[Kept, Mapping[str, Any]]]:
        """See `Task.make`."""
        for kept in wanted:
            if bench.fails:
                raise KeyboardInterrupt
            bench.made.append(kept.place)
            yield kept, {"value": np.array([self.number ** (2 if kept.place.startswith("square") else 3)])}


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    store, bench, done = Store(tmp_path), Bench(), list[int]()
    store.keep_arrays(Square(2).products[0], {"value": np.array([4])})
    tasks = [pickle.loads(pickle.dumps(Square(number))) for number in (1, 2, 3)]
    assert tasks == [Square(1), Square(2), Square(3)]
    found = list(results_of(tasks, Here(store, bench), store, done.append))
    assert [int(each["value"][0]) for each in found] == [1, 1, 4, 8, 9, 27]
    assert bench.made == ["square/1", "cube/1", "cube/2", "square/3", "cube/3"]
    assert done == [0, 1, 2]
    bench.made.clear()
    list(results_of(tasks, Here(store, bench), store, done.append))
    assert bench.made == []
    assert done == [0, 1, 2] * 2


def test_interrupted_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store, bench = Store(tmp_path), Bench()
    engine = Here(store, bench)

    def stop(number: int) -> None:
        bench.fails = number == 0

    with pytest.raises(KeyboardInterrupt):
        engine.make([Square(1), Square(2)], stop)
    bench.fails = False
    engine.make([Square(1), Square(2)], lambda _: None)
    assert bench.made == ["square/1", "cube/1", "square/2", "cube/2"]


def test_what_rots_before_it_is_read_is_made_again(tmp_path: Path) -> None:
    said: list[str] = []
    store, bench = Store(tmp_path, said.append), Bench()
    path = tmp_path / Square(3).products[0].path

    def rot(number: int) -> None:
        if len(bench.made) == 2:
            path.write_bytes(path.read_bytes()[:-1])

    found, _ = results_of([Square(3)], Here(store, bench), store, rot)
    assert found["value"].tolist() == [9]
    assert bench.made == ["square/3", "cube/3", "square/3"]
    assert said
