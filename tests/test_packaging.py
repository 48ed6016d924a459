"""The wheel alone, in a fresh environment: the site stage needs no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny

ROOT = Path(__file__).parent.parent
MKDOCS = """\
site_name: Mine
theme:
  name: material
  font: false
plugins:
  - search
  - unit59:
      look: true
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with `pip install .` and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [folder / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "--constraint", ROOT / "constraints.txt", ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "connection" in done.stderr.lower():
        pytest.skip(f"no package registry can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_the_site_builds_without_torch(bare: Path, tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer2]", samples=16)
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(MKDOCS)
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([bare / "mkdocs", "build", "--strict", "--quiet"], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "site/models/tiny/layer2/3/index.html").is_file()
    assert (tmp_path / "site/assets").is_dir()
    missing = subprocess.run([bare / "python", "-c", "import torch"], capture_output=True, check=False)
    assert missing.returncode == 1
    checked = subprocess.run(
        [bare / "unit59", "check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_nothing_but_unit59_is_installed(bare: Path) -> None:
    """A file list from the installation's own record: scripts apart, all lies below one import name."""
    code = "import importlib.metadata as m; print(*m.files('unit59'), sep='\\n')"
    listed = subprocess.run([bare / "python", "-c", code], capture_output=True, text=True, check=True)
    tops = {line.split("/")[0] for line in listed.stdout.split()}
    assert {top for top in tops if not top.endswith(".dist-info")} <= {"unit59", ".."}
    scripts = [line for line in listed.stdout.split() if line.startswith("..")]
    assert [Path(script).name for script in scripts] == ["unit59"]


@pytest.mark.parametrize("command", [["mkdocs"], ["python", "-m", "mkdocs"]])
def test_files_of_ones_own_stand_in_nobodys_way(bare: Path, tmp_path: Path, command: list[str]) -> None:
    tiny.run(tmp_path, layers="[layer2]", samples=16)
    for name in ("generator.py", "dissect.py", "results.py"):
        (tmp_path / name).write_text("raise RuntimeError('a module of the user, which nobody asked for')\n")
    (tmp_path / "site_templates").mkdir()
    (tmp_path / "site_templates" / "unit.html").write_text("mine")
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(MKDOCS)
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    program = [str(bare / command[0]), *command[1:]]
    subprocess.run([*program, "build", "--strict", "--quiet"], cwd=tmp_path, env=env, check=True)
    page = (tmp_path / "site/models/tiny/layer2/3/index.html").read_text()
    assert page != "mine"


def test_dissecting_without_torch_says_what_to_install(bare: Path, tmp_path: Path) -> None:
    recipe = tiny.write_recipe(tmp_path)
    done = subprocess.run([bare / "unit59", "dissect", recipe], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'unit59[dissect]'" in done.stderr
    assert "Traceback" not in done.stderr
