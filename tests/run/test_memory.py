"""Where memory runs out: what can be read again is let go, then batches halve, for the whole run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch.nn.functional as F
from torch import Tensor

from tests import tiny
from tests.conftest import StopAt
from tests.test_cli import call
from unit59.foundation.progress import Reporter
from unit59.recipe.sections import read_recipe
from unit59.run import Options, dissect
from unit59.samples.checks import Shortage
from unit59.samples.memory import Batches
from unit59.segmenters.colours import Colours
from unit59.store import Store

MORE = "effects: {samples: 12, extra: 0, layers: [layer2]}"
LIMIT = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 7 bytes.")

Limit = Callable[[int, int | None], None]


def limited(call: Callable[..., Tensor], most: int, times: int | None) -> Callable[..., Tensor]:
    """The call, which runs out of memory for more rows than `most`, but only so many times."""
    left = [times]

    def run(*args: Any, **kwargs: Any) -> Tensor:
        rows = len(next(arg for arg in args if isinstance(arg, Tensor)))
        if rows > most and left != [0]:
            left[0] = None if left[0] is None else left[0] - 1
            raise LIMIT
        return call(*args, **kwargs)

    return run


@pytest.fixture
def network_fits(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Says how many samples fit into a convolution, and for how many calls that holds."""
    whole = F.conv_transpose2d
    return lambda most, times: monkeypatch.setattr(F, "conv_transpose2d", limited(whole, most, times))


@pytest.fixture
def segmenter_fits(monkeypatch: pytest.MonkeyPatch) -> Limit:
    whole = Colours.segment
    return lambda most, times: monkeypatch.setattr(Colours, "segment", limited(whole, most, times))


def asked_for(folder: Path, batches: Batches) -> dict[str, bytes]:
    """What a run gives that has these batches from its start."""
    options = Options(folder / "asked", folder / "asked-cache", batches=batches)
    file = read_recipe(tiny.write_recipe(folder, more=MORE))
    return tiny.contents(dissect(file, options, Reporter(quiet=True)))


def test_the_network_takes_fewer_samples(
    tmp_path: Path, network_fits: Limit, stop_at: StopAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    network_fits(2, None)
    report = tiny.Listening()
    stop_at(20)
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path, report=report, more=MORE)
    assert [line for line in report.said if "memory" in line] == [
        f"Out of memory: samples in the network at once are {count} from now on, for all samples alike, as "
        "sums may round differently."
        for count in (4, 2)
    ]
    stop_at(10**9)
    found = tiny.run(tmp_path, report=report, more=MORE)
    assert len([line for line in report.said if "memory" in line]) == 2  # decided once
    assert tiny.contents(found) == asked_for(tmp_path, Batches(network=2))
    monkeypatch.undo()  # with memory again, what was decided holds
    report = tiny.Listening()
    tiny.run(tmp_path, report=report, more=MORE)
    assert report.said[-1].endswith("all there, nothing to do.")


def test_the_segmenter_takes_fewer_pictures(tmp_path: Path, segmenter_fits: Limit) -> None:
    report = tiny.Listening()
    segmenter_fits(4, None)
    found = tiny.run(tmp_path, report=report, more=MORE)
    assert [line for line in report.said if "memory" in line] == [
        "Out of memory: pictures in the segmenter at once are 4 from now on, for all samples alike, as sums "
        "may round differently."
    ]
    assert tiny.contents(found) == asked_for(tmp_path, Batches(segmenter=4))


def test_a_passing_shortage_changes_nothing(
    finished: Path, tmp_path: Path, network_fits: Limit, segmenter_fits: Limit
) -> None:
    network_fits(0, 1)
    segmenter_fits(1, 1)
    report = tiny.Listening()
    assert tiny.contents(tiny.run(tmp_path, report=report)) == tiny.contents(finished)
    assert not [line for line in report.said if "memory" in line]


@pytest.mark.parametrize("what", ["network", "segmenter", "shard"])
def test_where_nothing_helps_it_ends_with_one_line(
    what: str,
    tmp_path: Path,
    network_fits: Limit,
    segmenter_fits: Limit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arrays = Store.arrays

    def full(store: Store, kept: Any) -> Any:
        if kept.place.startswith("samples/"):
            raise MemoryError
        return arrays(store, kept)

    if what == "shard":
        monkeypatch.setattr(Store, "arrays", full)
    else:
        (network_fits if what == "network" else segmenter_fits)(0, None)
    recipe = tiny.write_recipe(tmp_path)
    status, _, err = call(
        capsys, "dissect", recipe, "--cache", tmp_path / "cache", "--results", tmp_path / "results"
    )
    assert status == 2
    assert "Traceback" not in err
    assert "out of memory (" in err
    assert "Free some memory" in err


def test_who_gives_way() -> None:
    usual = Batches()
    assert usual.smaller(Shortage("network", 8)) == Batches(network=4)
    assert usual.smaller(Shortage("gradients", 2)) == Batches(gradients=1)
    assert Batches(segmenter=1).smaller(Shortage("segmenter", 1)) == Batches(network=4, segmenter=1)
    assert Batches(network=1).smaller(Shortage("network", 1)) is None
    assert usual.smaller(Shortage("gradients", 1)) is None
