"""What a budget of disk leaves of the samples changes no result."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests import tiny
from unit59.measure import floors
from unit59.samples.shards import MakeShard

EFFECTS = "effects: {samples: 8, extra: 2}\nsearches: [{concept: red, samples: 16}]"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.run(tmp_path_factory.mktemp("whole"), more=EFFECTS)


def measured(folder: Path) -> dict[str, bytes]:
    """All but the files that hold the recipe's text."""
    return {
        name: data
        for name, data in tiny.contents(folder).items()
        if name not in ("model.json", "manifest.json")
    }


def run(folder: Path) -> tuple[Path, tiny.Listening]:
    report = tiny.Listening()
    return tiny.run(folder, more=f"{EFFECTS}\ncache: 1 B", report=report), report


def test_results_are_the_same_from_thin_maps(whole: Path, tmp_path: Path) -> None:
    found, report = run(tmp_path)
    assert measured(found) == measured(whole)
    assert not any("second pass" in line for line in report.said)
    kept = tmp_path / "cache/tiny/samples"
    assert len(list((kept / "layer3/tail").iterdir())) == 2
    # Whole: the samples of effects alone, in one group; of small layers all.
    assert [path.name[:7] for path in kept.glob("layer3/0*")] == ["0000000"]
    assert len(list(kept.glob("layer2/0*"))) == 2


@pytest.mark.parametrize("room", [0.1, 0.9])
def test_floors_that_are_too_high_cost_a_second_pass(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: float
) -> None:
    monkeypatch.setattr(floors, "ROOM", room)
    made = MakeShard.make
    with mock.patch.object(MakeShard, "make", autospec=True, side_effect=made) as making:
        found, report = run(tmp_path)
    assert measured(found) == measured(whole)
    assert sum("second pass" in line for line in report.said) == 1
    # The first look, and the full shard twice; the others are small.
    assert sum(call.args[0].count > 8 for call in making.call_args_list) == 3


def test_a_tail_that_rots_is_made_again(whole: Path, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with mock.patch("unit59.run.Run._measure", broken), pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    (tail,) = (tmp_path / "cache/tiny/samples/layer3/tail").glob("0000064*")
    data = bytearray(tail.read_bytes())
    data[len(data) // 2] ^= 1
    tail.write_bytes(data)
    found, report = run(tmp_path)
    assert measured(found) == measured(whole)
    assert any("damaged" in line for line in report.said)


def test_second_floors_have_enough_values_above_them() -> None:
    from unit59.samples.summary import Summary

    rng = np.random.default_rng(0)
    x = rng.exponential(size=(40, 3, 8, 8)).astype(np.float32)
    x[:, 2] = 0
    summary = Summary.of(x)
    high = x.max((0, 2, 3))
    short = np.array([True, False, True])
    found = floors.lowered(high, short, summary, 0.01)
    assert found[1] == high[1]
    assert ((x > found[:, None, None]).mean((0, 2, 3))[[0, 2]] >= 0.04).all()
    assert found[0] > x[:, 0].mean()
