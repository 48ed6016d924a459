"""Named streams: each use its own numbers, the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from unit59.foundation.random import (
    normal_draw,
    null_shifts,
    permutation,
    poisson_draws,
    seed_of_sample,
    stream,
)

names = st.text(max_size=30) | st.sampled_from(
    ["bootstrap over samples", "low-ranked units", "orders of units", "shifts"]
)
uses = st.tuples(st.integers(0, 2**32), names, st.integers(0, 2**56 - 1))


def bits(use: tuple[int, str, int]) -> list[int]:
    """256 bits of a stream: equal by chance never."""
    return [int(each) for each in stream(*use).integers(0, 2**63, 4)]


@given(uses, uses)
def test_different_uses_draw_different_numbers(
    one: tuple[int, str, int], other: tuple[int, str, int]
) -> None:
    assume(one != other)
    assert bits(one) == bits(one)
    assert bits(one) != bits(other)


@given(uses, st.integers(0, 2**56 - 1))
def test_numbers_tell_streams_of_one_use_apart(use: tuple[int, str, int], number: int) -> None:
    assume(number != use[2])
    assert bits(use) != bits((use[0], use[1], number))


@pytest.mark.parametrize("number", [-1, 2**56])
def test_a_number_that_would_meet_another_use_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="stream 'shifts': number"):
        stream(0, "shifts", number)


def four(generator: np.random.Generator) -> list[int]:
    return [int(each) for each in generator.integers(0, 1000, 4)]


def test_the_numbers_of_published_results_stay() -> None:
    assert four(stream(59, "shifts")) == [168, 181, 584, 835]
    assert four(stream(59, "orders of units")) == [988, 678, 274, 506]
    assert four(stream(59, "low-ranked units", 2)) == [
        135,
        736,
        573,
        183,
    ]
    assert four(stream(59, "random sets of units", 5)) == [
        405,
        360,
        554,
        99,
    ]
    assert poisson_draws(59, 4, 2).tolist() == [[0, 1, 1, 2], [2, 1, 4, 1]]
    assert null_shifts(59, 30, 5).tolist() == [3, 9, 20, 24, 29]
    assert permutation(59, "a use of its own", 1, 8) == [2, 7, 3, 1, 0, 4, 6, 5]
    assert seed_of_sample(59, "latent", 7) == 11937140364840179
    assert [round(float(each), 6) for each in normal_draw(59, 1, (3,))] == [-0.494988, -1.730271, -1.340711]


def test_a_sample_s_draws_hang_on_no_other_sample() -> None:
    assert (poisson_draws(3, 20, 7)[:, :5] == poisson_draws(3, 5, 7)).all()
    assert (normal_draw(3, 4, (2, 3)) == normal_draw(3, 4, (6,)).reshape(2, 3)).all()
    parts = {seed_of_sample(3, part, number) for part in ("latent", "class", "noise") for number in range(50)}
    assert len(parts) == 150
    assert max(parts) < 2**56
