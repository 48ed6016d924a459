"""Pickled modules as data: names as in a state dict, and module trees without end."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch

from unit59.checkpoints import CheckpointError, PickledObject


def module(**state: Any) -> PickledObject:
    return PickledObject("torch_utils.persistence:Layer", state=state)


def test_tensors_are_named_as_in_a_state_dict() -> None:
    inner = module(
        _parameters={"weight": torch.ones(1), "bias": None}, _buffers={"noise": torch.zeros(2)}, size=4
    )
    outer = module(_modules={"b4": module(_modules={"conv1": inner}), "nothing": None})
    assert list(outer.tensors()) == ["b4.conv1.weight", "b4.conv1.noise"]
    assert inner.get("size") == 4
    assert inner.get("other", 5) == 5
    assert list(outer.children()) == ["b4"]


def test_modules_shared_without_end_are_refused() -> None:
    """Each level holds the one below twice: 2 to the power of 30 ways through 30 records."""
    tree = module()
    for _ in range(30):
        tree = module(_modules={"a": tree, "b": tree})
    start = time.process_time()
    with pytest.raises(CheckpointError, match="too many modules"):
        tree.tensors()
    assert time.process_time() - start < 1


def test_modules_nested_without_end_are_refused() -> None:
    tree = module()
    for _ in range(40):
        tree = module(_modules={"a": tree})
    with pytest.raises(CheckpointError, match="nested too deeply"):
        tree.tensors()


def test_tables_without_end_are_refused() -> None:
    with pytest.raises(CheckpointError, match="2000 _buffers, more than any network has"):
        module(_buffers={str(n): None for n in range(2000)}).tensors()


@pytest.mark.parametrize(
    "state", [None, [], {"_modules": [1], "_parameters": 3, "_buffers": {5: torch.ones(1)}}]
)
def test_other_states_have_no_tensors(state: Any) -> None:
    assert PickledObject("x", state=state).tensors() == {}
