"""IoU of label maps against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from unit59.bedrooms.confusion import Confusion


def test_iou_from_counts() -> None:
    rng = np.random.default_rng(1)
    true, said = rng.integers(1, 4, (6, 8, 8)), rng.integers(0, 4, (6, 8, 8))
    counts = Confusion("abc")
    counts.add(true[:2], said[:2])
    counts.add(true[2:], said[2:])
    found = counts.iou()
    for number, name in enumerate("abc", start=1):
        both = ((true == number) & (said == number)).sum()
        either = ((true == number) | (said == number)).sum()
        assert found[name] == pytest.approx(both / either, abs=1e-4)
    assert found["mean"] == pytest.approx(np.mean([found[name] for name in "abc"]), abs=1e-4)
