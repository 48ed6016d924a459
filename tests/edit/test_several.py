"""Several edits of the same samples in one pass, as a graphics card wants them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.edit.planting import levels_of, planted_cache, planted_sweep
from tests.published import STYLEGAN
from unit59.edit import sweep as sweeps
from unit59.edit.edits import Edit
from unit59.edit.questions import batches
from unit59.edit.sweep import Sweep
from unit59.edit.tail import Tail
from unit59.networks import load
from unit59.segmenters.colours import Colours

EDITS = [Edit.ablate([unit]) for unit in range(11)] + [Edit.insert([5]), Edit.ablate([])]


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "AT_ONCE", {"cpu": 8})


def test_they_count_what_one_after_the_other_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly, on a network whose sums are exact."""
    alone = planted_sweep(tmp_path / "alone").counts(EDITS, range(20))
    monkeypatch.setattr(sweeps, "AT_ONCE", {"cpu": 8})
    assert np.array_equal(planted_sweep(tmp_path / "several").counts(EDITS, range(20)), alone)


@pytest.mark.usefixtures("eight")
def test_what_an_edit_does_never_hangs_on_those_beside_it(tmp_path: Path) -> None:
    """Bit for bit, on a network whose sums are rounded, with noise of its own in every sample."""
    network = load(STYLEGAN)
    cache = planted_cache(tmp_path, network, Colours(), samples=8)
    sweep = Sweep.here(cache, Tail(cache, "layer4"), levels_of(cache, "layer4"), "test")
    group = sweep.group(batches(range(8))[0])
    with torch.no_grad():
        among = [after for _, after in sweep._images(group, EDITS)]
        for place, edit in enumerate(EDITS):
            ((before, after),) = sweep._images(group, [edit])
            assert torch.equal(after, among[place])
            assert edit.units or torch.equal(before, after)
