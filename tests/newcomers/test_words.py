"""A sentence of a page is changed and told: without torch, and without measuring anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.newcomers import test_study
from tests.newcomers.running import counted, dissected, page, write

RECIPE = """\
layers: [layer1]
searches: [{concept: lamp, title: "What makes the lamps?", samples: 16}]
studies:
  - study:Together: {name: rugs, layer: layer1, units: [7, 11], concept: rug}
"""
LIMIT = test_study.LIMIT
ROOT = Path(__file__).parents[2]
#: Tells; then says what it measured, and which of the modules that measure it has loaded.
TELL = """
import sys
sys.modules["torch"] = None
from pathlib import Path
from tests.newcomers.running import counted
from unit59.commands.tell import tell_results
with counted() as parts:
    print(*tell_results(Path("results"), Path("planted.yaml"))[0])
print(*parts)
ours = [name for name in sys.modules if name.startswith("unit59.")]
print(*(name for name in ours if name.endswith((".measure", ".run", ".engine"))))
"""


def test_new_words_without_torch_and_without_measuring(tmp_path: Path) -> None:
    recipe = write(tmp_path, test_study.__file__, RECIPE)
    with counted() as parts:
        dissected(recipe)
    assert parts == ["model", "layers/layer1", "studies/cause-lamp", "studies/rugs"]
    before = measured(tmp_path)
    assert "What makes the lamps?" in page(tmp_path, "findings/planted-cause-lamp")
    assert LIMIT in page(tmp_path, "studies/planted-rugs")

    reword(recipe, "What makes the lamps?", "Who lights the lamps?")
    reword(tmp_path / "study.py", LIMIT, "Other units may help.")
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    changed, parts_again, measuring = done.stdout.splitlines()
    studies = [f"planted/studies/{name}/study.json" for name in ("cause-lamp", "rugs")]
    assert sorted(changed.split()) == ["planted/model.json", *studies]  # the model's page shows the recipe
    assert parts_again == ""
    assert measuring == ""

    assert "Who lights the lamps?" in page(tmp_path, "findings/planted-cause-lamp")
    assert "Other units may help." in page(tmp_path, "studies/planted-rugs")
    assert measured(tmp_path) == before


def reword(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def measured(folder: Path) -> dict[Path, int]:
    """When every file of the results was written that measuring makes, and every one of the cache."""
    files = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    files += [*folder.rglob("results/**/*.parquet"), *folder.rglob("results/**/facts.json")]
    files += folder.rglob("results/**/*.webp")
    return {path: path.stat().st_mtime_ns for path in files}
