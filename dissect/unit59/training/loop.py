"""Running a training: steps, checkpoints, the log, sheets of samples, the finished weights.

In the training's folder: ``checkpoint.safetensors`` (to go on from), ``log.jsonl`` (one JSON object every
`LOGGED` steps: step, seconds, what the trainer measured), ``sheets/IMAGES.webp`` and, at the end or when
asked for, ``NAME.safetensors`` (the finished weights).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor

from unit59.foundation.files import sweep_partials, write_atomically
from unit59.foundation.pictures import strip, tile, tile_edge
from unit59.foundation.progress import Reporter
from unit59.samples.shards import to_uint8
from unit59.training import checkpoint
from unit59.training.checkpoint import Saved
from unit59.training.recipe import TrainingRecipe

#: Steps between two lines of the log.
LOGGED = 50
#: Rows and columns of a sheet.
SHEET = (6, 10)


class Trainer(Protocol):
    """What trains one network; `unit59.training.gan.GanTrainer`, for one."""

    @property
    def steps(self) -> int:
        """How many steps the recipe takes."""

    def step(self, number: int) -> dict[str, float]:
        """Do step `number` (from 0); what the log keeps, ``images`` among it."""

    def export(self, path: Path) -> None:
        """Write the weights as they are now, as they are loaded later."""

    def sheet(self, number: int, count: int) -> Tensor:
        """Pictures [at most count,3,h,w] in [-1,1] that show how far it has come."""

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a later process needs to go on."""

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from `tensors`."""


class Training:
    """A training with its folder.

    Args:
        recipe: what is trained.
        trainer: does it.
        folder: of this training.
        report: what a person sees.
    """

    def __init__(self, recipe: TrainingRecipe, trainer: Trainer, folder: Path, report: Reporter) -> None:
        self.recipe, self.trainer, self.folder, self.report = recipe, trainer, folder, report
        self._checkpoint = folder / "checkpoint.safetensors"
        self._log = folder / "log.jsonl"
        sweep_partials(folder, below=True)
        saved = checkpoint.read(self._checkpoint, recipe)
        self._step, self._seconds = (saved.step, saved.seconds) if saved else (0, 0.0)
        if saved:
            trainer.load(saved.tensors)

    def run(self, stop: int | None = None) -> Path:
        """Train to the end (or up to `stop` steps), from the checkpoint if there is one.

        Returns:
            The finished network's file.
        """
        end = min(self.trainer.steps, stop or self.trainer.steps)
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = self._kept_lines()
        began, spent, saved_at = time.monotonic(), self._seconds, time.monotonic()
        first = self._step
        with self.report.step(self.recipe.name, end - first, "steps") as advance:
            for number in range(first, end):
                found = self.trainer.step(number)
                self._step = number + 1
                now = time.monotonic()
                self._seconds = spent + now - began
                advance(1)
                if self._step % LOGGED == 0:
                    entry = {"step": self._step, "seconds": round(self._seconds, 1), **found}
                    lines.append(json.dumps(entry))
                if now - saved_at >= self.recipe.save_seconds:
                    self._save(lines)
                    saved_at = now
                if self._sheet_due(found):
                    self._sheet(int(found["images"]))
        self._save(lines)
        return self.export()

    def export(self, path: Path | None = None) -> Path:
        """Write the network as it is now: into the training's folder, or to `path`."""
        path = path or self.folder / f"{self.recipe.name}.safetensors"
        self.trainer.export(path)
        return path

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self._step

    def _save(self, lines: list[str]) -> None:
        checkpoint.write(
            self._checkpoint, Saved(self._step, self._seconds, self.trainer.tensors()), self.recipe
        )
        write_atomically(self._log, "".join(f"{line}\n" for line in lines).encode())

    def _kept_lines(self) -> list[str]:
        """The log up to the checkpoint: what came behind it will be logged again."""
        if not self._log.exists():
            return []
        lines = self._log.read_text().splitlines()
        return [line for line in lines if json.loads(line)["step"] <= self._step]

    def _sheet_due(self, found: Mapping[str, float]) -> bool:
        shown = int(found["images"])
        before = shown - int(found["batch"])
        return shown // self.recipe.sheet_every != before // self.recipe.sheet_every

    def _sheet(self, images: int) -> None:
        rows, columns = SHEET
        pictures = to_uint8(self.trainer.sheet(self._step, rows * columns)).cpu().numpy()
        tiles = [tile(picture, tile_edge(*picture.shape[:2])) for picture in pictures]
        columns = min(columns, len(tiles))
        whole = range(0, len(tiles) - columns + 1, columns)
        path = self.folder / "sheets" / f"{images:09d}.webp"
        write_atomically(path, strip([tiles[i : i + columns] for i in whole]))
