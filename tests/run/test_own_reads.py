"""What own code reads, a run knows: a change makes anew what depends on it; what it cannot know, it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny import Listening, contents
from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import OwnCode, find_own
from unit59.recipe import read_recipe
from unit59.run import Options, dissect

RECIPE = """\
model: own
title: A network of one's own
checkpoint: mine:Mine
segmenter: {segmenter}
samples: 16
seed: 1
shuffles: 2
bootstrap: 20
{more}
"""
NETWORK = """\
import importlib, json, os, pathlib, torch
from torch import nn
HERE = pathlib.Path(__file__).parent
{module}
class Mine(nn.Module):
    latent_size = 4
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.ConvTranspose2d(4, 3, 4), nn.Conv2d(3, 3, 1)
        {made}
    def forward(self, z):
        return torch.tanh(self.second(self.first(z[:, :, None, None]))) * {factor}
"""


@pytest.fixture(autouse=True)
def modules_by_name() -> Iterator[None]:
    """Modules under computed names have these for the whole process."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in ("h", "by_name", "common"):
        sys.modules.pop(name, None)


def run(folder: Path, segmenter: str = "colours", more: str = "") -> list[str]:
    """The lines that a run says."""
    (folder / "own.yaml").write_text(RECIPE.format(segmenter=segmenter, more=more))
    report = Listening()
    dissect(read_recipe(folder / "own.yaml"), Options(folder / "results", folder / "cache"), report)
    return report.said


def write_network(folder: Path, module: str = "", made: str = "pass", factor: str = "1") -> None:
    (folder / "mine.py").write_text(NETWORK.format(module=module, made=made, factor=factor))


@pytest.mark.parametrize(
    ("module", "made", "factor", "file"),
    [
        ("h = importlib.import_module('h')", "pass", "h.scale", "h.py"),
        ("", "self.h = importlib.import_module('h')", "self.h.scale", "h.py"),
        ("", "pass", "importlib.import_module('h').scale", "h.py"),
        ("", "self.h = importlib.import_module('by_name')", "self.h.scale", "deep/s.txt"),
        ("S = json.loads((HERE / 's.txt').read_text())", "pass", "S", "s.txt"),
        ("", "self.s = json.loads((HERE / 's.txt').read_text())", "self.s", "s.txt"),
        ("", "pass", "float(open(HERE / 'deep' / 's.txt').read())", "deep/s.txt"),
    ],
)
def test_a_network_that_reads(tmp_path: Path, module: str, made: str, factor: str, file: str) -> None:
    write_network(tmp_path, module, made, factor)
    (tmp_path / "deep").mkdir()
    (tmp_path / "by_name.py").write_text(
        "import pathlib\nscale = float((pathlib.Path(__file__).parent / 'deep/s.txt').read_text())\n"
    )
    values = ("scale = 1.0", "scale = -1.0") if file == "h.py" else ("1.0", "-1.0")
    (tmp_path / file).write_text(values[0])
    assert run(tmp_path)[-1].endswith("done. Build the site with `mkdocs build`.")
    assert run(tmp_path)[-1].endswith("all there, nothing to do.")
    before = contents(tmp_path / "results")
    (tmp_path / file).write_text(values[1])
    said = run(tmp_path)
    assert said[-1].endswith("done. Build the site with `mkdocs build`.")
    assert [line for line in said if "no key knows" in line] == []
    assert contents(tmp_path / "results") != before


def test_a_buffer_that_is_not_saved_is_a_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = "torch.tensor(float(os.environ['SCALE']))"
    write_network(tmp_path, "", f"self.register_buffer('b', {scale}, persistent=False)", "self.b")
    for value in ("1", "-1"):
        monkeypatch.setenv("SCALE", value)
        assert run(tmp_path)[-1].endswith("done. Build the site with `mkdocs build`.")
        assert run(tmp_path)[-1].endswith("all there, nothing to do.")


SEGMENTER = """\
import pathlib
from unit59.segmenters import Concept
FILE = pathlib.Path(__file__).parent / "level.txt"
class Bright:
    planes = ("light",)
    concepts = [Concept("bright", "light", "#ffffff")]
    def __init__(self):
        {made}
    def segment(self, images):
        return (images.mean(1, keepdim=True) > {level}).long()
"""
STUDY = """\
import pathlib
from unit59.studies.base import Report, Study, Tables
from unit59.results.report import ReportSection
class Reads(Study):
    def measure(self, model):
        here = pathlib.Path(__file__).parent
        units = len(model.units(model.layers[0]))
        return Tables({}, {"units": units, "read": (here / "level.txt").read_text()})
    def tell(self, tables):
        (pathlib.Path(__file__).parent / "words.txt").read_text()
        return Report("q?", "a", ["m"], [], [])
"""


def test_what_a_segmenter_reads_when_it_is_made_enters_its_key(tmp_path: Path) -> None:
    write_network(tmp_path)
    (tmp_path / "seg.py").write_text(
        SEGMENTER.format(made="self.level = float(FILE.read_text())", level="self.level")
    )
    (tmp_path / "level.txt").write_text("0")
    run(tmp_path, segmenter="seg:Bright")
    samples = sorted((tmp_path / "cache").rglob("pictures*"))
    assert run(tmp_path, segmenter="seg:Bright")[-1].endswith("nothing to do.")
    (tmp_path / "level.txt").write_text("0.5")
    said = run(tmp_path, segmenter="seg:Bright")
    assert said[-1].endswith("done. Build the site with `mkdocs build`.")
    assert sorted((tmp_path / "cache").rglob("pictures*")) == samples


def test_what_is_read_later_is_said(tmp_path: Path) -> None:
    write_network(tmp_path)
    (tmp_path / "seg.py").write_text(SEGMENTER.format(made="pass", level="float(FILE.read_text())"))
    (tmp_path / "own_study.py").write_text(STUDY)
    (tmp_path / "level.txt").write_text("0")
    (tmp_path / "words.txt").write_text("0")
    said = run(tmp_path, segmenter="seg:Bright", more="studies: ['own_study:Reads']")
    unknown = [line for line in said if "no key knows" in line]
    for line, file in zip(unknown, ("seg.py", "own_study.py"), strict=True):
        assert line.startswith(f"{tmp_path / file} reads {tmp_path / 'level.txt'}, which no key knows")
    assert run(tmp_path, segmenter="seg:Bright", more="studies: ['own_study:Reads']")[-1].endswith("to do.")


# ---- what counts as read


def made(folder: Path, name: str, text: str) -> OwnCode:
    (folder / f"{name}.py").write_text(
        f"import os, pathlib, sys, json\nHERE = pathlib.Path(__file__).parent\n{text}"
    )
    own = find_own(f"{name}:make", folder, Unit59Error, "it", "unit59.networks")
    own.found()
    return own


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("def make(): return (HERE / 'data').read_text()", True),
        ("def make(): return os.close(os.open(bytes(HERE / 'data'), os.O_RDONLY))", True),
        ("def make():\n    os.chdir(HERE)\n    return open('data').read()", True),
        ("def make():\n    try: return open(HERE / 'none').read()\n    except OSError: return 1", False),
        ("def make(): return open(HERE / 'data', 'a').write('')", False),
        (
            "from unit59.foundation.files import sha256_of\ndef make(): return sha256_of(HERE / 'data')",
            False,
        ),
        (
            "def make(): return open('/proc/self/stat').read(), open(sys.modules['json'].__file__).read()",
            False,
        ),
    ],
)
def test_what_is_opened_for_reading_by_own_code_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, counts: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").write_text("1")
    first = made(tmp_path, "mine", text).fingerprint
    assert made(tmp_path, "mine", text).fingerprint == first
    (tmp_path / "data").write_text("2")
    assert (made(tmp_path, "mine", text).fingerprint != first) == counts


def test_a_file_that_appears_and_one_elsewhere(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    text = f"def make():\n    try: return open({str(elsewhere)!r}).read()\n    except OSError: return 1"
    prints = [made(home, "mine", text).fingerprint]
    for content in ("1", "2"):
        elsewhere.write_text(content)
        prints.append(made(home, "mine", text).fingerprint)
    assert len(set(prints)) == 3


def test_a_module_by_name_counts_for_all_of_the_folder(tmp_path: Path) -> None:
    """The second import of it opens no file."""
    (tmp_path / "common.py").write_text("X = 1")
    text = "import importlib\ndef make(): return importlib.import_module('common').X"
    first = [made(tmp_path, name, text).fingerprint for name in ("a", "b")]
    (tmp_path / "common.py").write_text("X = 2")
    again = [made(tmp_path, name, text) for name in ("a", "b")]
    assert [own.found() for own in again] == [2, 2]
    assert not set(first) & {own.fingerprint for own in again}


@pytest.mark.parametrize("what", ["raise ValueError('no')", "sys.exit(0)", "raise GeneratorExit"])
def test_own_code_that_nobody_guards_ends_in_one_message(tmp_path: Path, what: str) -> None:
    (tmp_path / "mine.py").write_text(
        "import sys\nfrom unit59.networks import Sampling\nfrom tests.newcomers.planted import network\n"
        "class Odd(Sampling):\n    def words(self, network):\n        " + what + "\n"
        "def Mine():\n    made = network()\n    made.SAMPLING = Odd\n    return made\n"
    )
    with pytest.raises(Unit59Error, match=r"code of your own: .*mine\.py, line 6\)"):
        run(tmp_path)


def test_compiled_files_of_odd_names_can_be_opened(tmp_path: Path) -> None:
    """As pytest keeps them."""
    kept = tmp_path / "__pycache__/mine.cpython-311-pytest-9.2.0.pyc"
    kept.parent.mkdir()
    kept.write_bytes(b"")
    assert made(tmp_path, "mine", f"def make(): return open({str(kept)!r}, 'rb').read()").found() == b""
