"""Tasks on a local cluster of processes: the same bytes as here, whatever happens to the workers."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import dask
import pytest
import torch

from tests import tiny
from unit59.cluster import engine as cluster_engine
from unit59.cluster import worker
from unit59.cluster.engine import ClusterError, DaskEngine
from unit59.cluster.machines import forking
from unit59.edit.workbench import Workbench
from unit59.foundation.progress import Reporter
from unit59.foundation.random import normal_draw, seed_of_sample
from unit59.recipe import read_recipe
from unit59.run import Options, Place, dissect

RECIPE = """\
model: moody
title: A planted network with moods
checkpoint: moody:Moody
segmenter: moody:Colours
layers: [layer1]
seed: 0
samples: 140
quantile: 0.1
shuffles: 3
bootstrap: 20
exemplars: 1
similar: 2
effects: {samples: 16, extra: 0, layers: [layer1]}
searches: [{concept: lamp, samples: 16}]
studies: ["moody:Mirrored"]
"""
#: The sample that the network may not like, and those of its task.
DISLIKED, ITS_TASK = 70, "samples 64 to 127"

#: Half typed: strict types would refuse its calls.
distributed: Any = import_module("distributed")
Make = Callable[[Workbench, Place], DaskEngine]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    torch.set_num_threads(1)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        forking(distributed),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            memory_limit=None,
            silence_logs=60,
        ) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster, set_as_default=False) as made:
        yield made


@pytest.fixture
def workers(cluster: Any, client: Any) -> None:
    """Both are there, whatever the test before did to them."""
    both_are_there(cluster, client)


def both_are_there(cluster: Any, client: Any) -> None:
    ends = time.monotonic() + 120
    while len(client.nthreads()) != 2:
        assert time.monotonic() < ends
        cluster.scale(2)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("moody")
    shutil.copy(Path(__file__).with_name("moody.py"), folder)
    path = folder / "moody.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def here(recipe: Path) -> dict[str, bytes]:
    """What the local engine makes of the recipe."""
    return run(recipe, recipe.parent / "here")


def run(
    recipe: Path, folder: Path, make: Make | None = None, report: Reporter | None = None
) -> dict[str, bytes]:
    options = Options(folder / "results", folder / "cache", engine=make)
    return tiny.contents(dissect(read_recipe(recipe), options, report or Reporter(quiet=True)))


def on(client: Any, report: Reporter | None = None) -> Make:
    return partial(DaskEngine, client, distributed, report or Reporter(quiet=True))


# ---- the same bytes


class Adding(Reporter):
    """Adds up what the bar of the samples is told."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.steps: list[int] = []

    @contextmanager
    def step(self, name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        yield self.steps.append if name == "samples" else lambda _: None


@pytest.mark.usefixtures("workers")
def test_the_results_are_those_of_the_local_engine(
    client: Any, recipe: Path, here: dict[str, bytes], tmp_path: Path
) -> None:
    report = Adding()
    assert run(recipe, tmp_path, on(client), report) == here
    assert sorted(report.steps) == [12, 64, 64]  # one bar, whoever makes them
    assert client.run(opened) == dict.fromkeys(client.nthreads(), 1)


def opened() -> int:
    """In a worker: how many places it has opened."""
    return worker._own.cache_info().currsize


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("more", ["", "cache: 1 B\n"])
def test_without_a_shared_file_system(
    client: Any, recipe: Path, here: dict[str, bytes], tmp_path: Path, more: str
) -> None:
    """With thin maps as well, of which workers ask for the floors."""
    if more:
        recipe = recipe.with_name("thin.yaml")
        recipe.write_text(RECIPE + more)
        here = run(recipe, tmp_path / "here")

    def apart(bench: Workbench, place: Place) -> DaskEngine:
        made = on(client)(bench, place)
        made.mark = tmp_path / "unseen"
        return made

    assert run(recipe, tmp_path, apart) == here
    kept = [each for each in client.run(samples_kept).values() if each]
    assert kept and not any(each.is_relative_to(tmp_path) for each in kept)


def samples_kept(dask_worker: Any) -> Path | None:
    """In a worker: where it keeps samples of its own."""
    found = Path(dask_worker.local_directory).glob("unit59/*/samples")
    return next(found, None)


@pytest.mark.usefixtures("workers")
def test_changed_files_are_opened_anew(client: Any, recipe: Path, tmp_path: Path) -> None:
    code = Path(shutil.copy(recipe.with_name("moody.py"), tmp_path))
    changed = code.with_name("moody.yaml")
    text = RECIPE.replace("140", "65").partition("effects")[0] + 'studies: ["moody:Mirrored"]\n'
    for words in ("One", "Another"):
        changed.write_text(text.replace("A planted", words))
        found = run(changed, tmp_path, on(client))
        code.write_text(code.read_text().replace("flip(3)", "flip(2)"))
    assert found == run(changed, tmp_path / "here")
    assert b"Another" in found["model.json"]


# ---- workers come and go


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.usefixtures("workers")
def test_killed_workers_change_nothing(
    client: Any, recipe: Path, here: dict[str, bytes], tmp_path: Path
) -> None:
    draw = random.Random(59)
    killed: list[int] = []

    def kill() -> None:
        for _ in range(4):
            time.sleep(draw.uniform(0.1, 1.0))
            pids = list(client.run(os.getpid, on_error="ignore").values())
            if pids:
                killed.append(draw.choice(pids))
                os.kill(killed[-1], signal.SIGKILL)

    with meanwhile(kill):
        assert run(recipe, tmp_path, on(client)) == here
    assert killed


@pytest.mark.usefixtures("workers")
def test_a_worker_that_joins_has_work(
    cluster: Any, client: Any, recipe: Path, here: dict[str, bytes], tmp_path: Path
) -> None:
    before = set(client.nthreads())

    def join() -> None:
        while not list((tmp_path / "cache").glob("moody/samples/*/*")):
            time.sleep(0.01)
        cluster.scale(3)

    with meanwhile(join):
        first = run(recipe, tmp_path, on(client))
    client.wait_for_workers(3, timeout=60)
    assert first == run(recipe, tmp_path / "again", on(client)) == here
    (new,) = set(client.nthreads()) - before
    assert client.run(opened, workers=[new]) == {new: 1}
    cluster.scale(2)


# ---- faults


def in_a_mood(recipe: Path, word: str) -> Path:
    size = 9  # three numbers a thing
    latent = normal_draw(seed_of_sample(0, "latent", DISLIKED), DISLIKED, (size,))[0]
    mood = recipe.with_name("mood.txt")
    mood.write_text(f"{word} {latent!s}")
    return mood


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize(
    ("word", "says"),
    [("raise", "ValueError: not in the mood"), ("kill", "every worker that did it was lost")],
)
def test_a_task_that_always_fails_is_named_and_the_others_are_done(
    cluster: Any, client: Any, recipe: Path, here: dict[str, bytes], tmp_path: Path, word: str, says: str
) -> None:
    mood = in_a_mood(recipe, word)
    try:
        with pytest.raises(ClusterError, match="1 of 3 tasks failed, all others are done") as caught:
            run(recipe, tmp_path, on(client))
    finally:
        mood.unlink()
    assert f"\n{ITS_TASK}: " in str(caught.value) and says in str(caught.value)
    made = {path.name.partition("-")[0] for path in (tmp_path / "cache/moody/samples/pictures").iterdir()}
    assert made == {"0000000", "0000128"}
    both_are_there(cluster, client)
    assert run(recipe, tmp_path, on(client)) == here


@pytest.mark.usefixtures("workers")
def test_a_worker_that_is_not_as_here_takes_no_part(client: Any, recipe: Path, tmp_path: Path) -> None:
    report = tiny.Listening()

    def other(bench: Workbench, place: Place) -> DaskEngine:
        same = tuple((what, "1.0" if what == "torch" else value) for what, value in place.same)
        made = on(client, report)(bench, replace(place, same=same))
        made.say("What many workers say is said once.")
        made.say("What many workers say is said once.")
        return made

    says = rf"cannot take part: torch: {torch.__version__} here, 1\.0 where the run began"
    with pytest.raises(ClusterError, match=says.replace("+", r"\+")):
        run(recipe, tmp_path, other)
    assert report.said == ["What many workers say is said once."]


def test_many_faults_end_the_round(client: Any, recipe: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(cluster_engine, "MOST_FAULTS", 1)
    mood = in_a_mood(recipe, "raise")
    try:
        with pytest.raises(ClusterError, match="no further ones were begun"):
            run(recipe, tmp_path, on(client))
    finally:
        mood.unlink()


def test_a_scheduler_that_goes_away(recipe: Path, tmp_path: Path) -> None:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0", silence_logs=60
    ) as lost:
        gone = distributed.Client(lost.scheduler_address, set_as_default=False, timeout=1)

        def go() -> None:
            while not (tmp_path / "cache/moody/.run").exists():
                time.sleep(0.01)
            lost.close()

        with meanwhile(go), pytest.raises(ClusterError, match="the Dask scheduler is gone"):
            run(recipe, tmp_path, on(gone))
        gone.close()
