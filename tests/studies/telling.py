"""Tell a study from its tables alone, in a process that has no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit59.results import table_bytes
from unit59.studies.base import Study
from unit59.studies.tables import Report, Tables

PARTS = ("question", "answer", "number", "method", "sections", "limits")
CHILD = """
import importlib, json, sys
sys.modules["torch"] = None
from pathlib import Path
import polars as pl
from unit59.studies.tables import Tables
module, folder = sys.argv[1], Path(sys.argv[2])
tables = Tables(
    {path.name: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))},
    json.loads((folder / "facts.json").read_text(encoding="utf-8")),
    {path.name: path.read_bytes() for path in folder.glob("*.webp")},
)
report = vars(importlib.import_module(module).tell(tables))
print(json.dumps(report, default=lambda record: record.model_dump(mode="json")))
"""


def tables_of(kind: type[Study], run: Callable[[], Path]) -> tuple[Tables, Path]:
    """What a run measures for a study of this kind, and the model's results."""
    seen: list[Tables] = []

    def tell(study: Study, tables: Tables) -> Report:
        seen.append(tables)
        return told(study, tables)

    told = kind.tell
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "tell", tell)
        folder = run()
    return seen[-1], folder


def told_without_torch(module: str, tables: Tables, folder: Path) -> dict[str, Any]:
    """The report as JSON, told in another process from tables written to this folder."""
    for name, frame in tables.frames.items():
        (folder / name).write_bytes(table_bytes(frame, frame.schema))
    for name, data in tables.pictures.items():
        (folder / name).write_bytes(data)
    (folder / "facts.json").write_text(json.dumps(tables.facts, allow_nan=False), encoding="utf-8")
    command = [sys.executable, "-c", CHILD, module, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def written_report(study: Path) -> dict[str, Any]:
    """The same parts of a study's `study.json`."""
    record = json.loads((study / "study.json").read_bytes())
    return {part: record[part] for part in PARTS}
