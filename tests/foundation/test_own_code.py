"""What a recipe may name as code, where it is found, and what is never called."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from unit59.foundation import own_code
from unit59.foundation.errors import Unit59Error
from unit59.foundation.own_code import OwnCode, find_own, is_own, own_faults
from unit59.networks import NetworkError
from unit59.networks.own import load as load_network
from unit59.segmenters import SegmenterError, load_segmenter
from unit59.studies.base import StudyError
from unit59.studies.registry import load_study


def find(spec: str, folder: Path) -> OwnCode:
    return find_own(spec, folder, Unit59Error, "it", "unit59.networks")


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        file = folder / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    "spec",
    [
        {"os:system": "touch pwned"},
        {"posix:system": "touch pwned"},
        {"subprocess:Popen": ["touch", "pwned"]},
        {"subprocess:run": ["touch", "pwned"]},
        {"shutil:rmtree": "victim"},
        {"pathlib:Path": "pwned"},
        {"runpy:run_path": "evil.py"},
        {"unit59.results.files:write_atomically": {"path": "pwned", "data": "x"}},
        "builtins:input",
        "os:abort",
        "antigravity:fly",
        "own:system",
        "own:rmtree",
        "own:bound",
        "linked:rmtree",
    ],
)
def test_a_recipe_runs_no_commands(spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    write(
        tmp_path,
        evil="open('pwned', 'w')",
        own="import functools\nfrom os import system\nfrom shutil import rmtree\n"
        "bound = functools.partial(system, 'touch pwned')",
    )
    import shutil

    (tmp_path / "linked.py").symlink_to(shutil.__file__)
    before = set(sys.modules)
    with pytest.raises(SegmenterError):
        load_segmenter(spec, tmp_path)
    name = next(iter(spec)) if isinstance(spec, dict) else spec
    with pytest.raises(NetworkError):
        load_network(name, folder=tmp_path)
    with pytest.raises(StudyError):
        load_study(name, tmp_path)
    assert not (tmp_path / "pwned").exists()
    assert (tmp_path / "victim" / "file").exists()
    assert "antigravity" not in set(sys.modules) - before


def test_a_class_is_only_called_when_it_is_what_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, mine="class Other:\n    def __init__(self, *_): raise SystemExit('called')\n")
    with pytest.raises(SegmenterError, match="mine:Other: the class has no method `segment`"):
        load_segmenter({"mine:Other": {}}, tmp_path)
    with pytest.raises(NetworkError, match=r"mine:Other: the class is no torch\.nn\.Module"):
        load_network("mine:Other", folder=tmp_path)
    with pytest.raises(StudyError, match="is no subclass of unit59"):
        load_study("mine:Other", tmp_path)


@pytest.mark.parametrize("call", ["raise SystemExit(0)", "import sys; sys.exit(0)"])
@pytest.mark.parametrize("where", ["{call}", "def made():\n    {call}"])
def test_own_code_cannot_end_the_run(tmp_path: Path, call: str, where: str) -> None:
    write(tmp_path, ends="made = None\n" + where.format(call=call))
    for load, error in (
        (lambda: load_network("ends:made", folder=tmp_path), NetworkError),
        (lambda: load_segmenter("ends:made", tmp_path), SegmenterError),
    ):
        with pytest.raises(error, match=r"it called sys\.exit\(0\).*ends\.py, line [23]"):
            load()


def test_a_module_beside_the_recipe_goes_before_all_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        dissect="from generator import say\ndef make(): return say()",
        generator="import json, site_templates.words as words\ndef say():\n"
        "    from random import mine\n    return json.dumps([words.WORD, mine])",
        site_templates__INIT="",
        site_templates__words="WORD = 'local'",
        random="mine = 59",
    )
    import random

    found = find("dissect:make", tmp_path)
    assert found.found() == '["local", 59]'
    assert sys.modules["random"] is random
    assert "generator" not in sys.modules
    assert [file.name for file in found.sources] == [
        "dissect.py",
        "generator.py",
        "random.py",
        "__init__.py",
        "words.py",
    ]


def test_two_folders_do_not_mix(tmp_path: Path) -> None:
    for name in "ab":
        write(
            tmp_path / name, model="from helper import WHO\ndef make(): return WHO", helper=f"WHO = {name!r}"
        )
    first, second = find("model:make", tmp_path / "a"), find("model:make", tmp_path / "b")
    assert (first.found(), second.found()) == ("a", "b")
    assert first.fingerprint != second.fingerprint


def test_packages_with_and_without_init_and_relative_imports(tmp_path: Path) -> None:
    write(
        tmp_path,
        zoo__INIT="",
        zoo__cat="from . import food\nfrom .deep.inner import VALUE\n"
        "from zoo.food import FISH\ndef make(): return food.FISH, VALUE, FISH",
        zoo__food="FISH = 1",
        zoo__deep__inner="from ...outer import VALUE"
        if False
        else "from zoo.food import FISH\nVALUE = FISH + 1",
        plain__net="import plain.other\ndef make(): return plain.other.X",
        plain__other="X = 3",
    )
    cat = find("zoo.cat:make", tmp_path)
    assert cat.found() == (1, 2, 1)
    assert {file.name for file in cat.sources} == {"__init__.py", "cat.py", "food.py", "inner.py"}
    assert find("plain.net:make", tmp_path).found() == 3
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_change_runs_and_enters_the_key(tmp_path: Path) -> None:
    write(tmp_path, model="def make():\n    from helper import WHO\n    return WHO", helper="WHO = 1")
    first = find("model:make", tmp_path)
    assert first.found() == 1
    write(tmp_path, helper="WHO = 2")  # same size, maybe the same second
    second = find("model:make", tmp_path)
    assert second.found() == 2
    assert first.fingerprint != second.fingerprint
    assert find("model:make", tmp_path).fingerprint == second.fingerprint


def test_a_plain_folder_of_data_hides_no_package(tmp_path: Path) -> None:
    (tmp_path / "yaml").mkdir()
    (tmp_path / "yaml" / "notes.txt").touch()
    write(tmp_path, model="import yaml\ndef make(): return yaml.safe_load('3')")
    assert find("model:make", tmp_path).found() == 3


def test_decorated_functions_are_the_users(tmp_path: Path) -> None:
    write(
        tmp_path,
        model="import torch, functools\n@torch.no_grad()\ndef make(): return 1\n"
        "@functools.cache\ndef kept(): return 2",
    )
    assert find("model:make", tmp_path).found() == 1
    assert find("model:kept", tmp_path).found() == 2


def test_what_an_installed_package_declares_may_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path / "site",
        zoo_of_nets__INIT="from .inner import make, other",
        zoo_of_nets__inner="def make(): return 7\ndef other(): return 8",
    )
    monkeypatch.syspath_prepend(tmp_path / "site")

    def declared(group: str) -> list[EntryPoint]:
        return [EntryPoint("zoo", "zoo_of_nets:make", group)] if group == "unit59.networks" else []

    monkeypatch.setattr(own_code, "entry_points", declared)
    (tmp_path / "recipes").mkdir()
    found = find("zoo_of_nets:make", tmp_path / "recipes")
    assert found.found() == 7
    assert {file.name for file in found.sources} == {"__init__.py", "inner.py"}
    for spec, group in (("zoo_of_nets:other", "unit59.networks"), ("zoo_of_nets:make", "unit59.studies")):
        with pytest.raises(Unit59Error, match="no installed package declares"):
            find_own(spec, tmp_path / "recipes", Unit59Error, "it", group)  # type: ignore[arg-type]


def test_names_are_short_and_plain() -> None:
    assert is_own("a.b_c:D")
    for wrong in ("a:b:c", "../a:b", "a/b:c", "a:", ":b", "a..b:c", "é:b", f"{'a' * 5000}:b"):
        assert not is_own(wrong)


def test_only_code_of_the_recipe_is_at_fault(tmp_path: Path) -> None:
    fails = "def fail():\n    raise OSError('somewhere')\n"
    write(tmp_path, this__raises_this=fails, other__raises_other=fails)
    own = {name: find(f"raises_{name}:fail", tmp_path / name).found for name in ("this", "other")}
    said = r"code of your own: OSError: somewhere .*raises_this\.py, line 2"
    with pytest.raises(Unit59Error, match=said), own_faults(tmp_path / "this"):
        own["this"]()
    with pytest.raises(OSError, match=r"^somewhere$"), own_faults(tmp_path / "this"):
        own["other"]()
