"""`unit59 plan`: what a run would do, part by part, and what that would take. It keeps nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.filesize import decimal

from unit59.commands.listing import print_table
from unit59.networks import State
from unit59.run import Run
from unit59.samples.thin import LOOK
from unit59.studies.part import Cost, Part


@dataclass(frozen=True)
class Planned:
    """A part of a run.

    Attributes:
        name: of the part; ``samples`` are what all are measured from.
        why: it is measured; empty where it is there already.
        cost: at most; None where nobody can tell.
        seconds: that this takes, estimated.
    """

    name: str
    why: str
    cost: Cost | None
    seconds: float = 0.0


def make_plan(run: Run) -> list[Planned]:
    """What a run would do, in its order."""
    reasons: dict[str, str] = {}
    for part in run.parts:
        reasons[part.name] = _why(run, part, reasons)
    found = [
        Planned(part.name, reasons[part.name], part.cost() if reasons[part.name] else Cost())
        for part in run.parts
    ]
    cost = _samples(run) if any(reasons.values()) else Cost()
    found.insert(0, Planned("samples", "not made yet" if cost.passes else "", cost))
    seconds = _Seconds(run)
    return [
        Planned(each.name, each.why, each.cost, seconds.of(each.cost) if each.cost else 0.0) for each in found
    ]


def _why(run: Run, part: Part, reasons: dict[str, str]) -> str:
    known = run.writer.parts.get(part.name)
    if known is None:
        return "new"
    if known.key != run.keys[part.name]:
        needed = [name for name in part.needs if reasons[name]]
        return f"needs {needed[0]}, which changes" if needed else "changed"
    return "" if run.is_current(part) else "a file is damaged or missing"


def _samples(run: Run) -> Cost:
    """The samples of which something is not kept."""
    cache = run.bench.cache
    passes = segmented = count = 0
    for task in cache.tasks():
        missing = [kept for kept in task.products if not cache.store.has(kept)]
        groups = -(-task.count // cache.group) * cache.group
        passes += groups * bool(missing)
        segmented += groups * (task.labels in missing)
        count += task.count * bool(missing)
    if any(not cache.store.has(cache.floors_at(units, second=False)) for units in cache.thin_units):
        passes += min(LOOK, cache.samples)
    return Cost(passes=passes, segmented=segmented, disk=run.opened.disk * count // cache.samples)


class _Seconds:
    """How long counts take here: one group of samples is timed through each part of the network."""

    def __init__(self, run: Run) -> None:
        self._cache, self._bench = run.bench.cache, run.bench
        self._known: dict[str, float] = {}

    def of(self, cost: Cost) -> float:
        """Of a part's counts."""
        tails = sum(count * self._timed(layer) for layer, count in (cost.tails or {}).items() if count)
        passes = cost.passes * self._timed("") if cost.passes else 0.0
        return tails + passes + (cost.segmented * self._segmenter() if cost.segmented else 0.0)

    def _timed(self, layer: str) -> float:
        """Of one sample behind a layer; of a whole pass where none is named."""
        sampler = self._cache.sampler
        if layer not in self._known:
            start = self._first()
            name = self._bench.units(layer).layer.name if layer else None
            state = sampler.network.run(start, until=name) if name else start
            self._known[layer] = self._timing(lambda: sampler.network.run(state, after=name))
        return self._known[layer]

    def _segmenter(self) -> float:
        if " " not in self._known:
            image = self._cache.sampler.network.run(self._first())["image"]
            self._known[" "] = self._timing(lambda: self._cache.segment(image))
        return self._known[" "]

    def _first(self) -> State:
        sampler = self._cache.sampler
        most = self._cache.group if sampler.inputs is None else len(sampler.inputs)
        return sampler.start([number % most for number in range(self._cache.group)])

    @torch.no_grad()
    def _timing(self, run: Callable[[], object]) -> float:
        """Seconds a sample, of a group; the first time is not counted."""
        run()
        began = time.monotonic()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return (time.monotonic() - began) / self._cache.group


# ---- as text


def show(plan: list[Planned], console: Console) -> None:
    """Print a plan: a line a part, the sums, and what the numbers mean."""
    rows = [[each.name, *_cells(each)] for each in plan]
    known = [each.cost for each in plan if each.cost is not None]
    total = Cost(
        passes=sum(cost.passes for cost in known),
        tails={"": sum(_tails(cost) for cost in known)},
        segmented=sum(cost.segmented for cost in known),
        disk=sum(cost.disk for cost in known),
    )
    to_do = sum(bool(each.why) for each in plan if each.name != "samples")
    seconds = sum(each.seconds for each in plan)
    rows.append(["in all", f"{to_do} to measure", *_counts(total, seconds)])
    header = ["part", "state", "whole passes", "passes behind a layer", "segmented", "disk", "time"]
    print_table(console, header, rows)
    if not to_do:
        console.print("All parts are there: `unit59 dissect` has nothing to do.", soft_wrap=True)
        return
    console.print(
        "\nCounts are pictures, at most: searches stop where the answer is clear, and of edits only samples "
        "are taken off that are kept already. Disk is what the cache grows by for samples. The time is an "
        "estimate, from one group of samples through network, segmenter and the part behind each layer, on "
        "this machine as busy as it is now; gradients, statistics and drawing come on top.",
        soft_wrap=True,
    )
    if unknown := [each.name for each in plan if each.cost is None]:
        console.print(f"Not counted, as nobody can tell: {', '.join(unknown)}.", markup=False, soft_wrap=True)


def _cells(each: Planned) -> list[str]:
    if not each.why:
        return ["there already", "", "", "", "", ""]
    state = "to be made: not there" if each.name == "samples" else f"to be measured: {each.why}"
    return [state, *(["?"] * 5 if each.cost is None else _counts(each.cost, each.seconds))]


def _counts(cost: Cost, seconds: float) -> list[str]:
    numbers = [f"{number:,}" if number else "-" for number in (cost.passes, _tails(cost), cost.segmented)]
    return [*numbers, decimal(cost.disk) if cost.disk else "-", _duration(seconds)]


def _tails(cost: Cost) -> int:
    return sum((cost.tails or {}).values())


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
