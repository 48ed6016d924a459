"""One run of a recipe, part by part: what is current stays, what is missing is measured, all is told."""

from __future__ import annotations

import fcntl
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from unit59.edit.workbench import Workbench
from unit59.foundation.code_files import fingerprint_of
from unit59.foundation.ending import end_if_asked
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import sweep_partials
from unit59.foundation.memory import keep_freed_memory
from unit59.foundation.own_code import own_faults
from unit59.foundation.progress import Reporter
from unit59.foundation.reads import not_noted, noted_as_late, unknown_reads
from unit59.foundation.version import __version__
from unit59.measure.floors import fill
from unit59.opened import Opened, Options, open_recipe
from unit59.recipe import RecipeFile, read_recipe
from unit59.results import ResultsWriter, table_bytes, to_json
from unit59.results.places import home_of
from unit59.samples.checks import ShortageError, costly_grid
from unit59.store import key_of
from unit59.studies.dissected import Dissected
from unit59.studies.part import Part, keys_of
from unit59.studies.parts import PartSource, parts_of
from unit59.studies.registry import NamedStudy, load_study
from unit59.studies.reports import StudyPart
from unit59.studies.stored import Stored
from unit59.studies.tables import Tables
from unit59.studies.telling import KINDS, Words, tell_part

__all__ = ["Options", "Place", "Run", "alone", "dissect"]


@dataclass(frozen=True)
class Place:
    """Where tasks run, as it travels to another process: everything there is opened anew.

    Attributes:
        recipe: its file.
        options: of the run.
        threads: that torch computes on: sums round differently with another number, and keys name it.
        same: what must be there as it is here, by name; see `_identity`.
        run: names the run; another one opens everything anew, as files may have changed.
    """

    recipe: Path
    options: Options
    threads: int
    same: tuple[tuple[str, str], ...]
    run: str

    @classmethod
    def of(cls, opened: Opened, options: Options, studies: Sequence[NamedStudy]) -> Place:
        """The place of a run that opened a recipe here, with its studies."""
        there = replace(
            options,
            results=options.results.absolute(),
            cache=options.cache.absolute(),
            engine=None,
            batches=opened.bench.cache.batches,
        )
        recipe, threads = opened.file.path.absolute(), torch.get_num_threads()
        return cls(recipe, there, threads, _identity(opened, studies), secrets.token_hex(8))

    def open(self) -> Workbench:
        """What tasks need; now the recipe's own code is imported, and tasks that hold such can be unpickled.

        Raises:
            Unit59Error: what the recipe names cannot be opened, or is not what it is where the run began.
        """
        keep_freed_memory()
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        return _opened(self).bench


@lru_cache(maxsize=1)
def _opened(place: Place) -> Opened:
    file = read_recipe(place.recipe)
    opened = open_recipe(file, place.options, Reporter(quiet=True))
    with not_noted():
        studies = [load_study(spec, file.path.parent) for spec in file.recipe.studies]
        for study in studies:
            _ = study.code  # once it has been asked for, the next run sees that a file changed
    for (what, there), (_, here) in zip(place.same, _identity(opened, studies), strict=True):
        if here != there:
            raise Unit59Error(f"{what}: {here} here, {there} where the run began; results would differ.")
    return opened


def _identity(opened: Opened, studies: Sequence[NamedStudy]) -> tuple[tuple[str, str], ...]:
    """What has to be the same wherever tasks of one run are done, by name."""
    recipe, labels = opened.file.recipe.model_dump(mode="json"), opened.bench.labels_key
    own = [
        fingerprint_of(code.root, code.sources, code.spec) for code in (each.own for each in studies) if code
    ]
    asked = key_of(recipe=recipe, labels=labels, own=sorted(own))
    device = torch.device(opened.bench.cache.sampler.device)
    on_gpu = device.type == "cuda"
    kind = torch.cuda.get_device_name(device) if on_gpu else torch.backends.cpu.get_cpu_capability()
    return (
        ("unit59", __version__),
        ("torch", torch.__version__),
        ("kind of processor", kind),
        ("the recipe and what it names", asked),
    )


def dissect(file: RecipeFile, options: Options, report: Reporter) -> Path:
    """Dissect what a recipe names.

    Returns:
        The model's results folder.

    Raises:
        Unit59Error: the recipe, the weights, the segmenter or a folder is wrong.
    """
    keep_freed_memory()
    with alone(options.cache / file.recipe.model), own_faults(file.path.parent.resolve()):
        while True:
            run = Run(file, options, report)
            try:
                return run.run()
            except ShortageError as error:
                batches, line = run.opened.decided.lower(run.bench.cache.batches, error)
            options = replace(options, batches=batches)
            del run  # and all that it holds
            report.say(line)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one run works on a model's cache at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unit59Error(
                f"{folder}: another run is dissecting this model. Wait for it, or give another --cache."
            ) from None
        sweep_partials(folder, below=True)
        yield


class Run:
    """One run of one recipe.

    Args:
        file: the recipe.
        options: where, on what.
        report: is told the progress.

    Attributes:
        parts: those that the recipe asks for, in order.
        keys: by part, the hash of what it depends on.

    Raises:
        Unit59Error: see `dissect`.
    """

    def __init__(self, file: RecipeFile, options: Options, report: Reporter) -> None:
        self.began, self.began_at = time.time(), time.process_time()
        self.file, self.options, self.report = file, options, report
        self._said: set[str] = set()
        self.opened = open_recipe(file, options, report)
        self.writer = ResultsWriter(options.results, file.recipe.model)
        opened = self.opened
        with noted_as_late():  # the segmenter runs for its grid
            facts = opened.facts()
        asked = PartSource(file, facts, opened.bench, opened.real, opened.reads)
        self.parts = parts_of(asked)
        self.keys = keys_of(self.parts)
        studies = [part.asked for part in self.parts if isinstance(part, StudyPart)]
        self._there = set[str]()
        self._words = Words(file.recipe, file.text, {(each.kind, each.name): each.teller for each in studies})
        if options.engine is not None:
            place = Place.of(opened, options, studies)
            opened.bench.cache.engine = options.engine(opened.bench, place)

    @property
    def bench(self) -> Workbench:
        """Samples, measurements and sweeps of the model."""
        return self.opened.bench

    def is_current(self, part: Part) -> bool:
        """Whether a part is in the results as this recipe would make it."""
        return self.writer.is_current(part.name, self.keys[part.name])

    def run(self) -> Path:
        """Measure what is missing from the results, and tell everything; the model's folder."""
        names = {part.name for part in self.parts}
        missing = [part for part in self.parts if not self.is_current(part)]
        self._there = names - {part.name for part in missing}
        self.writer.plan(names)
        if missing:
            self.fill()
        with self._keys_made():
            for part in missing:
                end_if_asked()
                self._measure(part)
                self.tell("model")  # an interrupted run shows the layers that are there
        self.writer.keep_only(names)
        changed = self.tell()
        if missing:
            self._write_run()
        done = missing or changed
        self.report.say(
            f"{self.writer.folder}: "
            + ("done. Build the site with `mkdocs build`." if done else "all there, nothing to do.")
        )
        return self.writer.folder

    def fill(self) -> None:
        """Make the samples that are missing."""
        self.opened.check_room()
        if word := costly_grid(self.file.recipe.grid, self.opened.network.resolution):
            self.report.say(word)
        samples = self.file.recipe.samples
        with self._keys_made(), self.report.step("samples", samples, "samples") as advance:
            fill(self.bench.measurer, advance, self.options.batch)

    @contextmanager
    def _keys_made(self) -> Iterator[None]:
        """What own code opens inside comes too late for keys: it is said."""
        try:
            with noted_as_late():
                yield
        finally:
            for line in sorted(set(unknown_reads(self.file.path.parent.resolve())) - self._said):
                self._said.add(line)
                self.report.say(line)

    # ---- measuring

    def _measure(self, part: Part) -> None:
        tables, home = part.measure(self._model(part)), home_of(part.name)
        schemas = part.schemas(tables)
        files = {f"{home}facts.json": to_json(tables.facts)}
        files |= {f"{home}{name}": table_bytes(each, schemas[name]) for name, each in tables.frames.items()}
        files |= {f"{home}pictures/{name}": data for name, data in tables.pictures.items()}
        self.writer.write_part(part.name, self.keys[part.name], files, self._told(part, tables))
        self._there.add(part.name)

    def _model(self, part: Part) -> Dissected:
        return Dissected(
            self.bench,
            self.bench.cache.layers,
            self.file.recipe.seed,
            self._stored(),
            self.report,
            self.file.path.parent,
            part.name.removeprefix("studies/"),
            part.needs,
        )

    # ---- telling

    def tell(self, *kinds: str) -> bool:
        """Tell the parts that are there anew; whether anything says something else than before.

        Args:
            kinds: of these parts; by default of all.
        """
        before = {name: part.told for name, part in self.writer.parts.items()}
        stored = self._stored()
        for part in self.parts:
            if part.name in stored and part.kind in (kinds or KINDS):
                self.writer.write_told(part.name, self._told(part, stored.tables(part.name)))
        return before != {name: part.told for name, part in self.writer.parts.items()}

    def _told(self, part: Part, tables: Tables) -> dict[str, bytes]:
        with not_noted():
            return tell_part(part.name, part.kind, tables, self._words, self._stored()) or {}

    def _stored(self) -> Stored:
        """The parts that are there as this recipe makes them."""
        parts = {name: entry for name, entry in self.writer.parts.items() if name in self._there}
        return Stored(self.writer.folder, parts)

    def _write_run(self) -> None:
        self.writer.write_run(
            {
                "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "seconds": round(time.time() - self.began, 1),
                "processor_seconds": round(time.process_time() - self.began_at, 1),
                "steps": self.report.seconds,
                "device": self.options.device,
                "batches": vars(self.bench.cache.batches),
            }
        )
