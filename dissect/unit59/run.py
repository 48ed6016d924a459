"""From a recipe to results: samples, then layer by layer thresholds, agreement, pictures.

Every stage keeps what it found in the cache under the hash of what it depends on. So an interrupted run goes
on where it stopped, a changed setting recomputes what depends on it and nothing else, and the results' bytes
are the same either way.
"""

from __future__ import annotations

import fcntl
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.filesize import decimal

from unit59.edit.unit_strips import draw_strips
from unit59.foundation.errors import Unit59Error
from unit59.foundation.files import file_name, sha256_of, sweep_partials
from unit59.foundation.pictures import sheet, sheet_shape, tile_edge
from unit59.foundation.progress import Reporter
from unit59.foundation.version import __version__
from unit59.measure.agreement import null_scores
from unit59.measure.layer import OVERLAP_SAMPLES, Activities, Measurer
from unit59.measure.layer import VERSION as MEASURES_VERSION
from unit59.measure.tables import concept_table, layer_record, layer_tables
from unit59.recipe.opening import (
    check_names,
    load_network,
    open_inputs,
    open_real,
    open_sampling,
    open_segmenter,
    segmenter_names,
    wanted_layers,
)
from unit59.recipe.sections import RecipeFile
from unit59.results import ResultsError, ResultsWriter, table_bytes, to_json
from unit59.results.reader import read_record
from unit59.results.schema import (
    CONCEPTS,
    LAYER_TABLES,
    LayerRecord,
    ModelRecord,
)
from unit59.results.schema import (
    Segmenter as SegmenterRecord,
)
from unit59.samples.cache import SampleCache, key_of
from unit59.samples.drawing import Sampler
from unit59.studies.parts import Causes
from unit59.studies.quality.measure import QualityPart

#: Raised when the way samples or measurements are made changes, so that no old cache is taken for new.
SAMPLES_VERSION, PICTURES_VERSION = 1, 2


@dataclass(frozen=True)
class Options:
    """What the command line may set: nothing here changes a result.

    Attributes:
        results: the results folder.
        cache: where samples and measurements are kept.
        device: ``cpu``, ``cuda``, ``cuda:1``.
        batch: samples between two steps of the progress bar.
    """

    results: Path
    cache: Path
    device: str = "cpu"
    batch: int = 64


def dissect(file: RecipeFile, options: Options, report: Reporter) -> Path:
    """Dissect what a recipe names.

    Returns:
        The model's results folder.

    Raises:
        Unit59Error: the recipe, the weights, the segmenter or a folder is wrong.
    """
    with alone(options.cache / file.recipe.model):
        return Run(file, options, report).run()


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
        sweep_partials(folder)  # nobody else writes here now
        yield


class Run:
    """One run of one recipe: everything that it names opened, and the keys of what depends on what.

    Args:
        file: the recipe.
        options: where, on what.
        report: is told the progress.

    Raises:
        Unit59Error: see `dissect`.
    """

    def __init__(self, file: RecipeFile, options: Options, report: Reporter) -> None:
        self.file, self.recipe, self.options, self.report = file, file.recipe, options, report
        self.began, self.began_at = time.time(), time.process_time()
        check_names(file)
        self.network, self.checkpoint = load_network(file, options.device)
        self.layers = wanted_layers(file, self.network)
        self.inputs = open_inputs(file, self.network)
        self.real = open_real(file, self.network)
        self.segmenter = open_segmenter(file)
        self.writer = ResultsWriter(options.results, self.recipe.model)
        self.sampling = open_sampling(file, self.network)
        fingerprint = self.inputs.fingerprint(range(self.recipe.samples)) if self.inputs else None
        self.samples_key = key_of(
            version=SAMPLES_VERSION,
            checkpoint=self.checkpoint.sha256,
            code=self.network.code,
            seed=self.recipe.seed,
            sampling=self.sampling.model_dump(),
            inputs=fingerprint,
        )
        self.reads = {
            "segmenter": self.recipe.segmenter,
            "files": [sha256_of(path) for path in self.segmenter.files],
            "code": self.segmenter.code,
            "grid": self.recipe.grid,
        }
        self.labels_key = key_of(samples=self.samples_key, **self.reads)
        self.cache = SampleCache(
            options.cache / self.recipe.model,
            Sampler(self.network, self.recipe.seed, self.sampling, self.inputs, options.device),
            self.segmenter,
            self.recipe.samples,
            self.layers,
            (self.recipe.grid, self.recipe.grid) if self.recipe.grid else None,
            {"samples": self.samples_key, "segmentations": self.labels_key},
        )

    def run(self) -> Path:
        """Write what is missing from the results; the model's folder."""
        records = self._known_records()
        wanted = [layer for layer in self.layers if layer not in records]
        causes = Causes(self.file, self.layers, self.cache, self.labels_key, self.writer, self.report)
        quality = QualityPart(
            self.file, self.real, self.cache, self.reads, self.labels_key, self.writer, self.report
        )
        current = quality.is_current() and causes.are_current()
        if not wanted and current and self.writer.is_current("model", self._model_key(records)):
            self.report.say(f"{self.writer.folder}: all there, nothing to do.")
            return self.writer.folder
        layers = {f"layers/{file_name(layer)}" for layer in self.layers}
        parts = {"model"} | layers | quality.parts | causes.parts
        self.writer.plan(parts)
        measurer = self.measurer()
        self._write_model(measurer, records)
        if wanted:
            measured = {layer: measurer.activities(layer) for layer in self.layers}
            overlap = measurer.overlap(measured)
            for layer in wanted:
                similar = overlap.nearest(layer, self.recipe.similar)
                records[layer] = self._write_layer(measurer, layer, measured[layer], similar)
                self._write_model(measurer, records)
        quality.write(measurer)
        causes.write(measurer)
        self.writer.keep_only(parts)
        self._write_run()
        self.report.say(f"{self.writer.folder}: done. Build the site with `mkdocs build`.")
        return self.writer.folder

    # ---- parts

    def measurer(self) -> Measurer:
        """Make the samples that are missing, and measure from them."""
        self._check_room()
        with self.report.step("samples", self.recipe.samples, "samples") as advance:
            self.cache.fill(advance, self.options.batch)
        return Measurer(self.cache, self.recipe, self.samples_key, self.labels_key, self.report)

    def _write_layer(
        self,
        measurer: Measurer,
        layer: str,
        found: Activities,
        similar: dict[int, list[tuple[str, int, float]]],
    ) -> LayerRecord:
        agreement = measurer.agreement(layer, found)
        null = null_scores(agreement)
        folder = (
            self.cache.folder / "pictures" / key_of(version=PICTURES_VERSION, layer=layer, found=found.key)
        )
        with self.report.step(f"{layer}: pictures", len(found.insert_level), "units") as advance:
            strips = draw_strips(self.cache, layer, measurer.grid(layer), found, folder, advance)
        tables = layer_tables(self.segmenter, found, agreement, null, strips, similar)
        pictures = {path.name: path.read_bytes() for path in sorted(folder.glob("*.webp"))}
        home = f"layers/{file_name(layer)}"
        files = {f"{home}/{name}": table_bytes(table, LAYER_TABLES[name]) for name, table in tables.items()}
        files |= {f"{home}/pictures/{name}": data for name, data in pictures.items()}
        self.writer.write_part(home, self._layer_key(layer), files)
        return layer_record(self.network.layers[layer], tables["units.parquet"], null)

    def _write_model(self, measurer: Measurer, records: dict[str, LayerRecord]) -> None:
        area, presence, pixels = measurer.concepts()
        concepts = concept_table(self.segmenter, area, presence, pixels, self.recipe.samples)
        files = {
            "model.json": to_json(self._record(records)),
            "concepts.parquet": table_bytes(concepts, CONCEPTS),
            "pictures/samples.webp": self._sheet(),
        }
        self.writer.write_part("model", self._model_key(records), files)

    def _sheet(self) -> bytes:
        rows, columns = sheet_shape(self.recipe.samples)
        shown = self.cache.pictures(np.arange(rows * columns))
        return sheet(list(shown), rows, tile_edge(*self.network.resolution))

    def _record(self, records: dict[str, LayerRecord]) -> ModelRecord:
        height, width = self.cache.grid
        segmenter = self.segmenter
        return ModelRecord(
            name=self.recipe.model,
            title=self.recipe.title,
            summary=self.recipe.summary,
            family=self.network.family,
            resolution=self.network.resolution,
            checkpoint=self.checkpoint,
            segmenter=SegmenterRecord(
                names=segmenter_names(self.recipe.segmenter),
                planes=list(segmenter.planes),
                licence=segmenter.licence,
                limits=segmenter.limits,
            ),
            samples=self.recipe.samples,
            overlap_samples=min(OVERLAP_SAMPLES, self.recipe.samples),
            sampling=self.sampling.words(self.network),
            seed=self.recipe.seed,
            quantile=self.recipe.quantile,
            grid=(height, width),
            tile=tile_edge(*self.network.resolution),
            sheet=sheet_shape(self.recipe.samples),
            network=[
                {**vars(layer), "style_layer": self.network.style_layer(name)}
                for name, layer in self.network.layers.items()
            ],
            layers=[records[layer] for layer in self.layers if layer in records],
            planned_layers=self.layers,
            recipe=self.file.text,
            versions={
                "unit59": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("torch", "numpy", "pillow")},
            },
        )

    def _write_run(self) -> None:
        self.writer.write_run(
            {
                "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "seconds": round(time.time() - self.began, 1),
                "processor_seconds": round(time.process_time() - self.began_at, 1),
                "steps": self.report.seconds,
                "device": self.options.device,
            }
        )

    # ---- keys

    def _layer_key(self, layer: str) -> str:
        recipe = self.recipe
        return key_of(
            version=(PICTURES_VERSION, MEASURES_VERSION),
            layer=layer,
            labels=self.labels_key,
            layers=self.layers,
            **recipe.model_dump(
                include={
                    "samples",
                    "quantile",
                    "shuffles",
                    "bootstrap",
                    "exemplars",
                    "similar",
                    "insert_quantile",
                }
            ),
        )

    def _model_key(self, records: dict[str, LayerRecord]) -> str:
        return key_of(
            recipe=self.file.text, labels=self.labels_key, layers=sorted(records), version=__version__
        )

    def _known_records(self) -> dict[str, LayerRecord]:
        """Layers whose results are there, whole, and as this recipe would make them."""
        try:
            known = {
                record.name: record
                for record in read_record(self.writer.folder / "model.json", ModelRecord).layers
            }
        except ResultsError:
            return {}
        return {
            layer: known[layer]
            for layer in self.layers
            if layer in known and self.writer.is_current(f"layers/{file_name(layer)}", self._layer_key(layer))
        }

    def _check_room(self) -> None:
        """Say so before an hour's work, not after, when the disk cannot hold the cache."""
        each = sum(
            4 * v.units * v.height * v.width for k, v in self.network.layers.items() if k in self.layers
        )
        each += 3 * self.network.resolution[0] * self.network.resolution[1]
        need = each * self.recipe.samples - sum(
            f.stat().st_size for f in self.cache.folder.rglob("*.safetensors")
        )
        free = shutil.disk_usage(self.cache.folder).free
        if need > free:
            raise Unit59Error(
                f"{self.cache.folder}: the activations of {self.recipe.samples} samples take about "
                f"{decimal(need)}, {decimal(free)} are free. Name fewer layers or samples in "
                f"{self.file.path}, or give another folder with --cache."
            )
