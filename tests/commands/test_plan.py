"""`unit59 plan`: nothing is measured for it, and what it counts is what a run then does, or more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.test_cli import call
from unit59.commands.plan import Planned, make_plan
from unit59.edit.tail import Tail
from unit59.foundation.progress import Reporter
from unit59.networks import Network
from unit59.recipe.sections import read_recipe
from unit59.run import Options, Run
from unit59.samples.cache import SampleCache

EFFECTS = "effects: {samples: 16, extra: 0}"
WITH_STUDY = f"{EFFECTS}\nstudies: [agreement-vs-effect]"
SEARCH = "searches: [{concept: black, layers: [layer2], samples: 32}]"
SETS = "sets: [{concept: black, layer: layer2, samples: 32, steps: 4}]"


def opened(folder: Path, **values: Any) -> Run:
    recipe = tiny.write_recipe(folder, **values)
    options = Options(folder / "results", folder / "cache")
    return Run(read_recipe(recipe), options, Reporter(quiet=True))


def planned(folder: Path, **values: Any) -> dict[str, Planned]:
    return {each.name: each for each in make_plan(opened(folder, **values))}


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Pictures that go through networks, tails and segmenters while the block runs."""
    counts: Counter[str] = Counter()
    trace, image, segment = Network.trace, Tail.image, SampleCache.segment

    def traced(network: Network, state: Any, *given: Any) -> Any:
        found = trace(network, state, *given)
        counts["passes"] += len(found[0]["image"])
        return found

    def imaged(tail: Tail, state: Any) -> Any:
        found = image(tail, state)
        counts["tails"] += len(found)
        return found

    def segmented(cache: SampleCache, pictures: Any) -> Any:
        counts["segmented"] += len(pictures)
        return segment(cache, pictures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "trace", traced)
        patch.setattr(Tail, "image", imaged)
        patch.setattr(SampleCache, "segment", segmented)
        yield counts


def test_samples_and_layers_are_counted_exactly(tmp_path: Path) -> None:
    plan = planned(tmp_path, layers="[layer2]", samples=70)
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.yaml", "tiny.pth"}  # nothing was written
    samples, layer = plan["samples"].cost, plan["layers/layer2"].cost
    assert samples is not None
    assert layer is not None
    run = opened(tmp_path, layers="[layer2]", samples=70)
    with counted() as done:
        run.run()
    assert done == {
        "passes": samples.passes,
        "segmented": samples.segmented,
        "tails": (layer.tails or {})["layer2"],
    }
    files = [path for path in (tmp_path / "cache/tiny/samples").rglob("*") if path.is_file()]
    assert samples.disk == pytest.approx(sum(path.stat().st_size for path in files), rel=0.05)


@pytest.mark.parametrize("more", [EFFECTS, SEARCH, SETS, WITH_STUDY])
def test_what_edits_is_bounded(tmp_path: Path, more: str) -> None:
    plain: dict[str, Any] = {"layers": "[layer2]", "samples": 64}
    tiny.run(tmp_path, **plain)
    plan = planned(tmp_path, **plain, more=more)
    costs = [each.cost for each in plan.values() if each.cost is not None]
    assert len(costs) == len(plan)
    assert not any(plan[name].why for name in ("samples", "layers/layer2"))
    run = opened(tmp_path, **plain, more=more)
    with counted() as done:
        run.run()
    assert 0 < done["tails"] <= sum(sum((cost.tails or {}).values()) for cost in costs)
    assert done["segmented"] <= sum(cost.segmented for cost in costs)
    assert done["passes"] <= sum(cost.passes for cost in costs)


def test_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first: dict[str, Any] = {"layers": "[layer2]", "samples": 16, "more": WITH_STUDY}
    tiny.run(tmp_path, **first)
    before = tiny.contents(tmp_path / "results")
    assert not any(each.why for each in planned(tmp_path, **first).values())
    changed = planned(tmp_path, **{**first, "seed": 4})
    assert changed["samples"].why
    assert changed["layers/layer2"].why == "changed"
    assert changed["layers/layer2/effects"].why == "changed"
    assert changed["studies/agreement-vs-effect"].why == "needs layers/layer2/effects, which changes"
    assert planned(tmp_path, **{**first, "layers": "[layer2, layer3]"})["layers/layer3"].why == "new"
    next((tmp_path / "results/tiny/layers/layer2/pictures").iterdir()).write_bytes(b"rot")
    assert planned(tmp_path, **first)["layers/layer2"].why == "a file is damaged or missing"
    places = ("--results", tmp_path / "results", "--cache", tmp_path / "cache")
    status, out, _ = call(capsys, "plan", tiny.write_recipe(tmp_path, **first), *places)
    assert status == 0
    assert "to be measured: a file is damaged or missing" in out
    assert "there already" in out
    assert tiny.contents(tmp_path / "results").keys() == before.keys()
