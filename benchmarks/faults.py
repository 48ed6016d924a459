"""What faults do to a run: kills, rotten caches, full disks, tampered manifests. Nothing may be lost or left.

    python -m benchmarks.faults [--kills 100] [--flips 100] [--full 30] [--tampered 30] [--workers-killed 30]

A tiny network is dissected once, undisturbed. Then, again and again:

- a run is killed at a random time, by SIGKILL or SIGTERM, and started again until it ends;
- one bit of a file of the cache is flipped, or the file cut; the results go, and the run is repeated;
- the disk is full from the k-th file on, or for files of more than k bytes; the run is repeated with room;
- the manifest names files outside the results, or a byte of it is another, or a file is a link;
- workers of a run on two local Dask workers are killed by SIGKILL; the run itself has to end well.

Each must end with the bytes of the undisturbed run. What else counts as a fault: a traceback, another exit
status than the guide promises, damage that is made good in silence, files in the results that the manifest
does not list, unfinished files anywhere, and anything outside the results that is touched. Runs are forked
from one process that has imported everything (and runs nothing itself: the threads of torch and polars do not
live through a fork), so that they begin at once.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from tests import tiny

from unit59.__main__ import main as run_command
from unit59.foundation.ending import TERMINATED
from unit59.results.manifest import FileEntry

MORE = """\
cache: 1 B
effects: {samples: 8, extra: 0}
searches: [{concept: black, layers: [layer2], samples: 16}]
studies: [agreement-vs-effect]
"""
#: A chain of kills ends after so many: the next run is left alone.
CHAIN = 6
#: Where a run is said to be stuck, in seconds.
PATIENCE = 300


@dataclass
class Faults:
    """What was tried and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether anything did."""
        return bool(self.differences or self.leftovers or self.others)

    def closing(self) -> str:
        """One line."""
        tried = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        return (
            f"{tried}: {len(self.differences)} differences, {len(self.leftovers)} leftovers, "
            f"{len(self.others)} other faults."
        )


@dataclass(frozen=True)
class Bench:
    """A folder with the recipe, and what an undisturbed run makes of it.

    Attributes:
        folder: everything lies below it.
        expected: the results' files.
        seconds: that a run takes.
        faults: so far.
    """

    folder: Path
    expected: dict[str, bytes]
    seconds: float
    faults: Faults

    # ---- running

    def start(self, place: Path, command: list[str], prepare: Callable[[], None] = lambda: None) -> int:
        """Fork a process that runs `unit59` on `place`; its number.

        Args:
            place: holds its results and its cache, and what it says.
            command: its arguments.
            prepare: is called in it before it begins.
        """
        process = os.fork()
        if process:
            return process
        status = 1
        try:
            sys.stdout = sys.stderr = (place / "said.txt").open("w", buffering=1)
            sys.argv = ["unit59", *command]
            prepare()
            run_command()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:  # noqa: BLE001  # whatever it is, it is the finding
            traceback.print_exc()
        finally:
            os._exit(status)

    def finish(self, place: Path, what: str, prepare: Callable[[], None] = lambda: None) -> int:
        """Run to the end; the exit status."""
        return self._waited(self.start(place, arguments(self.folder, place), prepare), place, what)

    def faulty(self, place: Path, what: str) -> str:
        """What `unit59 check` finds wrong; empty where all is well."""
        process = self.start(place, ["check", str(place / "results")])
        return said(place) if self._waited(process, place, what) else ""

    def killed(self, place: Path, number: signal.Signals, after: float, what: str) -> bool:
        """Run and kill; whether it was still running."""
        process = self.start(place, arguments(self.folder, place))
        time.sleep(after)
        os.kill(process, number)
        status = self._waited(process, place, what)
        if status not in (0, -number, TERMINATED) or (status == -number and number != signal.SIGKILL):
            self.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
        return status != 0

    def hunted(self, place: Path, hunt: Callable[[int], None], what: str) -> int:
        """Run on two Dask workers of this machine while a thread hunts them; the exit status."""
        process = self.start(place, [*arguments(self.folder, place), "--engine", "dask", "--workers", "2"])
        hunter = Thread(target=hunt, args=(process,))
        hunter.start()
        status = self._waited(process, place, what)
        hunter.join()
        return status

    def _waited(self, process: int, place: Path, what: str) -> int:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                break
            time.sleep(0.005)
        else:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            self.faults.others.append(f"{what}: still running after {PATIENCE} s")
            return 1
        if "Traceback" in said(place):
            self.faults.others.append(f"{what}: a traceback: {said(place)[-600:]}")
        return os.waitstatus_to_exitcode(status)

    # ---- judging

    def judge(self, place: Path, what: str) -> None:
        """Count what differs from the undisturbed run, and what is left over."""
        found = tiny.contents(place / "results" / "tiny")
        wrong = [name for name in {*found, *self.expected} if found.get(name) != self.expected.get(name)]
        self.faults.differences += [f"{what}: {name}" for name in wrong]
        if fault := self.faulty(place, what):
            self.faults.others.append(f"{what}: check: {fault}")
        self.sweep(place, what)

    def sweep(self, place: Path, what: str) -> None:
        """Count what is not finished and lies about."""
        left = [path for path in place.rglob("*") if is_unfinished(path)]
        self.faults.leftovers += [f"{what}: {path.relative_to(place)}" for path in left]


def arguments(folder: Path, place: Path) -> list[str]:
    """Of the command."""
    places = ["--results", str(place / "results"), "--cache", str(place / "cache")]
    return ["dissect", str(folder / "tiny.yaml"), *places]


def said(place: Path) -> str:
    """What the last run said."""
    return (place / "said.txt").read_text() if (place / "said.txt").exists() else ""


def is_unfinished(path: Path) -> bool:
    """Whether it is a file or a folder of what was being written."""
    return path.name.endswith(".partial") or path.name.startswith(".unit59-partial-")


@contextmanager
def copied(base: Path, name: str, *leave_out: str) -> Iterator[Path]:
    """A copy of a finished run, for a while."""
    place = base.parent / name
    shutil.copytree(base, place, ignore=shutil.ignore_patterns(*leave_out))
    try:
        yield place
    finally:
        shutil.rmtree(place)


# ---- the drivers


def kill_runs(bench: Bench, count: int, draw: random.Random) -> None:
    """Chains of kills, each ended by a run that is left alone."""
    number = 0
    while number < count:
        place = bench.folder / f"kills-{number}"
        place.mkdir()
        for _ in range(min(CHAIN, count - number)):
            how = draw.choice([signal.SIGKILL, signal.SIGTERM])
            what = f"{how.name} {number}"
            if not bench.killed(place, how, draw.uniform(0, bench.seconds), what):
                break  # it was done already
            number += 1
            bench.faults.counts[f"kills by {how.name}"] += 1
            if how == signal.SIGTERM:
                bench.sweep(place, what)
            elif (place / "results").exists():
                bench.sweep(place / "results", what)
        what = f"after kill {number}"
        if status := bench.finish(place, what):
            bench.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
        bench.judge(place, what)
        shutil.rmtree(place)


def kill_workers(bench: Bench, count: int, draw: random.Random) -> None:
    """Runs on Dask whose workers are killed one after the other, until so many are."""
    killed = 0

    def hunt(run: int) -> None:
        nonlocal killed
        while killed < count and read(f"/proc/{run}/cmdline"):
            time.sleep(draw.uniform(0, bench.seconds / 2))
            if (place / "cache" / "tiny" / ".run").exists() and (workers := workers_of(run)):
                with suppress(ProcessLookupError):
                    os.kill(draw.choice(workers), signal.SIGKILL)
                    killed += 1

    while killed < count:
        place = bench.folder / f"workers-{killed}"
        place.mkdir()
        what = f"after {killed} killed workers"
        if status := bench.hunted(place, hunt, what):
            bench.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
        bench.judge(place, what)
        shutil.rmtree(place)
    bench.faults.counts["workers killed"] = killed


def workers_of(run: int) -> list[int]:
    """The workers of a run on Dask: what its server of forks has forked."""
    servers = [child for child in children_of(run) if b"forkserver" in read(f"/proc/{child}/cmdline")]
    return [worker for server in servers for worker in children_of(server)]


def children_of(process: int) -> list[int]:
    """The processes that a process has started and that live."""
    files = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for file in files for child in read(file).split()]


def read(file: Path | str) -> bytes:
    """What a file of a process holds, while there is that process."""
    with suppress(OSError):
        return Path(file).read_bytes()
    return b""


def rot_cache(bench: Bench, base: Path, count: int, draw: random.Random) -> None:
    """Flips of one bit and cuts in files of the cache."""
    files = sorted(path for path in (base / "cache").rglob("*") if path.is_file() and path.name != ".lock")
    for number in range(count):
        with copied(base, f"rot-{number}", "results") as place:
            path = place / draw.choice(files).relative_to(base)
            whole = path.read_bytes()
            damaged, how = damage(whole, draw)
            path.write_bytes(damaged)
            what = f"{how} in {path.relative_to(place)}"
            if status := bench.finish(place, what):
                bench.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
            noticed, mended = f"{path}: damaged" in said(place), path.read_bytes() == whole
            bench.judge(place, what)
            bench.faults.counts["flips and cuts in caches"] += 1
            bench.faults.counts["of them said and made good"] += noticed and mended
            if noticed != mended:  # what nothing reads is neither
                bench.faults.others.append(f"{what}: said: {noticed}, made good: {mended}")


def damage(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """One bit flipped, or (every fourth time) cut off; and what was done."""
    place = draw.randrange(len(data))
    if draw.randrange(4) == 0:
        return data[:place], f"cut at {place}"
    bit = draw.randrange(8)
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :], f"bit {bit} of byte {place}"


def fill_disks(bench: Bench, base: Path, count: int, draw: random.Random) -> None:
    """A disk that is full from some file on, or that takes only small files."""
    sizes = [path.stat().st_size for path in base.rglob("*") if path.is_file()]
    for number in range(count):
        place = bench.folder / f"full-{number}"
        place.mkdir()
        if number % 2:
            most = draw.randrange(8192, max(sizes))
            what, prepare = f"no file above {most} bytes", partial(small_files, most)
        else:
            after = draw.randrange(len(sizes))
            what, prepare = f"full after {after} files", partial(full_disk, place, after)
        status = bench.finish(place, what, prepare)
        if status not in (0, 2):
            bench.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
        bench.sweep(place, what)
        bench.faults.counts["full disks"] += status == 2
        if status := bench.finish(place, f"{what}, then room"):
            bench.faults.others.append(f"{what}, then room: exit status {status}: {said(place)[-300:]}")
        bench.judge(place, what)
        shutil.rmtree(place)


def small_files(most: int) -> None:
    """No file of this process grows beyond that: a write stops in the middle."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def full_disk(place: Path, after: int) -> None:
    """Below a folder no file or folder can be made any more, once this process has made so many files."""
    left = after

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal left
        makes = event == "os.mkdir" or (event == "open" and str(given[1]).startswith(("w", "x", "a")))
        path = str(given[0]) if makes else ""
        if not path.startswith(str(place)) or path.endswith(".lock"):
            return
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        left -= event == "open"

    sys.addaudithook(watch)


def tamper(bench: Bench, base: Path, count: int, draw: random.Random) -> None:
    """Manifests that name what is not theirs, or are damaged; links in the place of files."""
    ways = [_foreign_part, _foreign_file, _flipped, _linked, _beside]
    for number in range(count):
        with copied(base, f"tampered-{number}") as place:
            victim = place / "victim"
            victim.mkdir()
            (victim / "precious.txt").write_text("mine")
            model, way = place / "results" / "tiny", ways[number % len(ways)]
            undo = way(model, victim, draw)
            what = f"{way.__name__.strip('_')} {number}"
            if way is not _flipped and not bench.faulty(place, what):
                bench.faults.others.append(f"{what}: check finds nothing")
            if (status := bench.finish(place, what)) not in (0, 2):
                bench.faults.others.append(f"{what}: exit status {status}: {said(place)[-300:]}")
            if [path.name for path in victim.iterdir()] != ["precious.txt"]:
                bench.faults.others.append(f"{what}: touched what lies outside the results")
            if undo is not None:
                undo.unlink()
                bench.finish(place, f"{what}, put right")
            bench.judge(place, what)
            bench.faults.counts["tampered results"] += 1


def _foreign_part(model: Path, victim: Path, _draw: random.Random) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["parts"][f"studies/../../../{victim.name}"] = {"key": "0", "files": {}}
    (model / "manifest.json").write_text(json.dumps(manifest))


def _foreign_file(model: Path, victim: Path, draw: random.Random) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    part = manifest["parts"][draw.choice(sorted(manifest["parts"]))]
    path = f"../../{victim.name}/precious.txt"
    part["files"][path] = FileEntry.of((victim / "precious.txt").read_bytes()).model_dump()
    (model / "manifest.json").write_text(json.dumps(manifest))


def _flipped(model: Path, _victim: Path, draw: random.Random) -> None:
    data, _ = damage((model / "manifest.json").read_bytes(), draw)
    (model / "manifest.json").write_bytes(data)


def _linked(model: Path, victim: Path, draw: random.Random) -> Path:
    path = draw.choice(sorted(path for path in model.rglob("*") if path.suffix in {".webp", ".parquet"}))
    path.unlink()
    path.symlink_to(victim / "precious.txt")
    return path


def _beside(model: Path, victim: Path, draw: random.Random) -> Path:
    path = draw.choice(sorted(path for path in model.rglob("pictures"))) / "other.webp"
    path.symlink_to(victim / "precious.txt")
    return path


# ---- the command


def undisturbed(folder: Path, seed: int) -> Bench:
    """Run once in a process of its own, with hashes of its own; and once forked, for the time it takes."""
    tiny.write_recipe(folder, layers="[layer2]", samples=70, more=MORE)
    base = folder / "base"
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "unit59", *arguments(folder, base)]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    bench = Bench(folder, tiny.contents(base / "results" / "tiny"), 0.0, Faults())
    again = folder / "again"
    again.mkdir()
    began = time.monotonic()
    bench.finish(again, "undisturbed")
    bench = replace(bench, seconds=time.monotonic() - began)
    bench.judge(again, "undisturbed")
    return bench


def main() -> int:
    """Print what is found, and one closing line; the exit status is 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    counts = {"kills": 100, "flips": 100, "full": 30, "tampered": 30, "workers-killed": 30, "seed": 1}
    for name, count in counts.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home).resolve()
        bench = undisturbed(folder, chosen.seed)
        base = folder / "base"
        drivers = {
            "kills": partial(kill_runs, bench, chosen.kills),
            "flips": partial(rot_cache, bench, base, chosen.flips),
            "full": partial(fill_disks, bench, base, chosen.full),
            "tampered": partial(tamper, bench, base, chosen.tampered),
            "workers-killed": partial(kill_workers, bench, chosen.workers_killed),
        }
        for name, drive in drivers.items():
            drive(random.Random(f"{chosen.seed} {name}"))
            print(f"{name} done, so far {bench.faults.closing()}", flush=True)
    faults = bench.faults
    for line in [*faults.differences, *faults.leftovers, *faults.others]:
        print(line)
    print(faults.closing())
    return int(faults.any)


if __name__ == "__main__":
    sys.exit(main())
