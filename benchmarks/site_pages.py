"""What stamping a unit page costs beside rendering it by MkDocs: `python benchmarks/site_pages.py`.

Both kinds of site are built with few and with many pages, in this one process; the difference in CPU
time over the difference in pages is the cost of a page. Only their ratio carries over to other machines.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from mkdocs.commands.build import build
from mkdocs.config import load_config

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.synthetic import BEDROOM, write_model

from unit59.site.export import export

FEW, MANY = 50, 450


def build_seconds(home: Path, settings: dict[str, Any]) -> float:
    """CPU seconds of one build."""
    (home / "docs").mkdir(exist_ok=True)
    (home / "mkdocs.yml").write_text(
        yaml.safe_dump({"site_name": "x", "theme": {"name": "material", "font": False}, **settings})
    )
    config = load_config(str(home / "mkdocs.yml"))
    start = time.process_time()
    build(config)
    return time.process_time() - start


def write_results(home: Path, units: int, *, effects: bool = False) -> None:
    """One layer of so many units, by choice with their effects measured."""
    layers, budget = {"layer1": (units, 8)}, {"layer1": units} if effects else None
    write_model(home / "results", "m", "M", BEDROOM, layers, ["layer1"], pictures=False, effects=budget)


def stamped(pages: int, *, effects: bool = False) -> float:
    """Build a site of so many units by the plugin; its time includes copying pictures and data."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_results(home, pages, effects=effects)
        return build_seconds(home, {"plugins": ["search", {"unit59": {"results": "results"}}]})


def stamped_with_effects(pages: int) -> float:
    """The same of units whose effects were measured."""
    return stamped(pages, effects=True)


def rendered(pages: int) -> float:
    """Build the same pages from `unit59 export`, each rendered by MkDocs itself."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_results(home, pages)
        export(home / "results", home / "docs")
        return build_seconds(home, {"plugins": ["search"], "nav": ["index.md"], "not_in_nav": "*"})


def main() -> None:
    """Measure and print."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    logging.disable(logging.WARNING)
    stamped(FEW)  # imports and caches
    each = {
        build_one.__name__: (build_one(MANY) - build_one(FEW)) / (MANY - FEW)
        for build_one in (stamped, stamped_with_effects, rendered)
    }
    for name, seconds in each.items():
        print(f"{name}: {seconds * 1000:.2f} ms of CPU a page")
    print(f"rendering a page costs {each['rendered'] / each['stamped']:.1f} times stamping it")


if __name__ == "__main__":
    main()
