"""Every command, recipe and script that the README and the guide show is run, in the order of the page."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests import fields, results_page, tiny
from tests.synthetic import write_results
from unit59.checkpoints.published import PUBLISHED
from unit59.foundation.progress import Reporter
from unit59.recipe import read_recipe
from unit59.run import Options, dissect
from unit59.segmenters import known_segmenters

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?[^\n]*\n(.*?)^```', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of a page; `title` is the file that it shows."""

    language: str
    title: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall((ROOT / page).read_text())]


def run(command: str, folder: Path) -> None:
    """Run one line as a reader would, with the commands of this environment."""
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_MKDOCS_2_WARNING": "1",
    }
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def follow(page: str, folder: Path) -> None:
    """Do what a page says: write the files that it shows, run its commands and scripts."""
    for block in blocks(page):
        if block.title:
            (folder / block.title).write_text(block.text)
        elif block.language == "sh":
            for line in block.text.strip().splitlines():
                if not line.startswith(
                    ("pip install", "make ")
                ):  # tests/test_packaging.py, and whoever runs this
                    run(line, folder)
        elif block.language == "python":
            run(f"{sys.executable} -c {shlex.quote(block.text)}", folder)


def test_the_five_steps(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    torch.save({"netG_state_dict": tiny.tensors()}, tmp_path / "weights/generator.pth")
    follow("docs/guide/start.md", tmp_path)
    assert (tmp_path / "site/models/my-gan/layer2/3/index.html").is_file()


def test_the_readme(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    torch.save({"netG_state_dict": tiny.tensors()}, tmp_path / "weights/generator.pth")
    follow("README.md", tmp_path)
    assert (tmp_path / "results/my-gan/model.json").is_file()


@pytest.mark.skipif(torch.get_num_threads() > 1, reason="the page's workers compute on one thread")
def test_a_cluster_of_processes(tmp_path: Path) -> None:
    """The commands that end in `&` start a scheduler and a worker, which the last one ends."""
    (tmp_path / "weights").mkdir()
    torch.save({"netG_state_dict": tiny.tensors()}, tmp_path / "weights/generator.pth")
    shown = blocks("docs/guide/cluster.md")
    (tmp_path / "my-gan.yaml").write_text(next(each.text for each in shown if each.title == "my-gan.yaml"))
    options = Options(tmp_path / "here", tmp_path / "cache")
    here = tiny.contents(dissect(read_recipe(tmp_path / "my-gan.yaml"), options, Reporter(quiet=True)))
    for text in (each.text for each in shown if "--engine dask" in each.text and not each.title):
        for line in text.strip().splitlines():
            run(line, tmp_path)
        assert tiny.contents(tmp_path / "results/my-gan") == here
        shutil.rmtree(tmp_path / "results")
        shutil.rmtree(tmp_path / ".unit59")


def test_publishing(tmp_path: Path) -> None:
    tiny.run(tmp_path, layers="[layer2]", samples=16)
    follow("docs/guide/publish.md", tmp_path)
    assert list((tmp_path / "pages").rglob("index.md"))
    for block in blocks("docs/guide/publish.md"):
        if block.language != "yaml":
            continue
        shutil.rmtree(tmp_path / "site", ignore_errors=True)
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs/index.md").write_text("# Mine\n")
        (tmp_path / "my_templates").mkdir(exist_ok=True)
        text = block.text.replace("dissection/results", "results").replace("layer4, layer6", "layer2")
        (tmp_path / "mkdocs.yml").write_text(
            f"site_name: Mine\ntheme:\n  name: material\n  font: false\n{text}"
        )
        run("mkdocs build --strict --quiet", tmp_path)
        assert list((tmp_path / "site").rglob("models/tiny/layer2/3/index.html"))


def test_the_tables_of_fields_are_current() -> None:
    text = (ROOT / fields.PAGE).read_text()
    assert fields.table() in text
    assert fields.sampling_table() in text


def test_reading_results(tmp_path: Path) -> None:
    write_results(tmp_path / "results")
    follow("docs/guide/results.md", tmp_path)


def test_the_page_of_results_is_current() -> None:
    text = (ROOT / results_page.PAGE).read_text()
    assert results_page.generated() in text


def test_every_column_and_field_is_described() -> None:
    rows = [line.split(" | ") for line in results_page.generated().splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows if not row[-1].strip(" |")] == []


def test_the_page_of_formats_names_all_that_loads() -> None:
    text = (ROOT / "docs/guide/formats.md").read_text()
    missing = [name for name in known_segmenters() if f"`{name}" not in text]
    missing += [entry.page for entry in PUBLISHED if entry.licence.split(" (")[0] not in text]
    assert missing == []


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))],
)
def test_make_targets_and_commands_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\w+)`|^make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target
    for command in set(re.findall(r"unit59 ([a-z]+)\b", text)):
        if f"`unit59 {command}" in text or f"\nunit59 {command}" in text:
            run(f"unit59 {command} --help", ROOT)
    for module in re.findall(r"python -m ([\w.\n]+)", text):
        file = module.replace(".", "/") + ".py"
        assert (ROOT / file).is_file() or (ROOT / "dissect" / file).is_file(), module


def test_the_map_of_rooms_is_the_import_contract() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("| room |")[2].partition("\n\n")[0].splitlines()
    rooms = [room for row in table for room in re.findall(r"`(\w+)/?`", row.split("|")[1])]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert rooms == re.findall(r"unit59\.(\w+)", " ".join(contracts[0]["layers"]))


def test_what_a_contributor_is_sent_to_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## To add")[2]
    for file in re.findall(r"`([\w/]+\.(?:py|md))`", text):
        places = [
            "",
            "dissect/unit59",
            "dissect/unit59/studies/noise",
            "generator/unit59/site",
            "tests/newcomers",
        ]
        assert "NAME" in file or any((ROOT / place / file).is_file() for place in places), file
    newcomers = {path.name for path in (ROOT / "tests/newcomers").glob("test_*.py")}
    assert newcomers == set(re.findall(r"`(test_\w+\.py)`", text)) - {"test_NAME.py"}
