"""Parts: in order, and each one's key hangs on what it needs and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit59.studies.dissected import Dissected
from unit59.studies.part import Part, PartError, in_order, keys_of
from unit59.studies.tables import Tables


class Made(Part):
    """A part of a number and of its needs."""

    def __init__(self, name: str, needs: tuple[str, ...] = (), setting: int = 0) -> None:
        self.name, self.needs, self.setting = name, needs, setting

    def depends_on(self) -> Mapping[str, Any]:
        """See `Part.depends_on`."""
        return {"setting": self.setting}

    def measure(self, model: Dissected) -> Tables:
        """Never."""
        raise NotImplementedError


class Newer(Made):
    """Its numbers changed."""

    version = 2


@st.composite
def graphs(draw: st.DrawFn) -> list[Made]:
    """Parts that need some of those before them, shuffled."""
    count = draw(st.integers(1, 8))
    parts = []
    for number in range(count):
        needs = draw(st.sets(st.integers(0, number - 1))) if number else set()
        parts.append(Made(f"part{number}", tuple(f"part{each}" for each in sorted(needs))))
    return draw(st.permutations(parts))


def all_needs(name: str, parts: Mapping[str, Made]) -> set[str]:
    """What a part needs, directly or not, and itself."""
    return {name}.union(*(all_needs(each, parts) for each in parts[name].needs))


@given(graphs())
def test_what_is_needed_comes_first(parts: list[Made]) -> None:
    ordered = [part.name for part in in_order(parts)]
    assert sorted(ordered) == sorted(part.name for part in parts)
    for part in parts:
        assert all(ordered.index(name) < ordered.index(part.name) for name in part.needs)


@given(st.integers(0, 6))
def test_parts_that_need_nothing_stay_as_they_come(count: int) -> None:
    names = [f"part{number}" for number in reversed(range(count))]
    assert [part.name for part in in_order(map(Made, names))] == names


@given(graphs(), st.data())
def test_a_change_makes_stale_what_needs_it_and_nothing_else(parts: list[Made], data: st.DataObject) -> None:
    before = keys_of(in_order(parts))
    changed = data.draw(st.sampled_from(parts))
    named = {part.name: part for part in parts}
    anew = Made(changed.name, changed.needs, setting=1)
    after = keys_of(in_order([anew if part is changed else part for part in parts]))
    stale = {name for name in before if before[name] != after[name]}
    assert stale == {name for name in named if changed.name in all_needs(name, named)}


def test_kind_and_version_are_of_the_key() -> None:
    class Two(Made):
        version = 2

    keys = {keys_of([kind("part")])["part"] for kind in (Made, Newer, Two)}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([Made("a"), Made("a")], "two parts are named 'a'"),
        ([Made("a", ("b",))], "'a' needs 'b', which is not measured"),
        ([Made("a", ("b",)), Made("b", ("a",))], "'a' needs itself: a needs b needs a"),
        ([Made("a", ("a",))], "'a' needs itself: a needs a"),
    ],
)
def test_parts_that_do_not_go_together(parts: list[Made], said: str) -> None:
    with pytest.raises(PartError, match=said):
        in_order(parts)
